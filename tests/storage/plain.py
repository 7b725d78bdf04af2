"""What a history is, in plain Python: what the store is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Run:
    """An attempt. ``answer`` None: it is under way."""

    id: str
    answer: str | None = None
    proposal: str = ""


@dataclass
class Turn:
    """A question with its attempts, and what follows it."""

    id: str
    question: str
    parent: Turn | None
    runs: list[Run]
    shown: int = 0
    children: list[Turn] = field(default_factory=list)

    def path(self) -> list[Turn]:
        return [*(self.parent.path() if self.parent else []), self]


@dataclass
class Conversation:
    """All of it, by one owner. ``touched`` orders the list."""

    id: str
    owner: int
    title: str
    head: Turn
    touched: int
    roots: list[Turn] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    users_title: bool = False
    pinned: bool = False
    archived: bool = False
    deleted: bool = False

    def running(self) -> list[Run]:
        return [run for turn in self.turns for run in turn.runs if run.answer is None]


@dataclass
class Shared:
    """A link: what it shows was fixed when it was made."""

    id: str
    token: str
    conversation: Conversation
    shows: list[tuple[str, str]]
    title: str
    revoked: bool = False


def holds(text: str, words: str) -> bool:
    return all(word in text.lower() for word in words.lower().split())
