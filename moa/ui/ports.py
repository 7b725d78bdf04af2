"""What the page needs of the rest. Implemented by ``moa.chat.service`` and wired in ``app.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from moa.chat.values import Actor, ConversationEntry, ConversationView, Started, TurnView
from moa.core.domain import Recipe, Slot
from moa.engine.estimate import Estimate


class Library(Protocol):
    """Where conversations are kept."""

    async def entries(self, actor: Actor, *, limit: int = 50) -> Sequence[ConversationEntry]: ...


class Chat(Protocol):
    """The one door to conversations and runs. Every call takes the actor and authorises."""

    @property
    def library(self) -> Library: ...

    async def open(self, actor: Actor, conversation_id: str) -> ConversationView: ...

    async def estimate(self, actor: Actor, recipe: Recipe, conversation_id: str | None = None) -> Estimate: ...

    async def send(
        self,
        actor: Actor,
        *,
        question: str,
        recipe: Recipe,
        request_key: str,
        conversation_id: str | None = None,
        expected_head: str | None = None,
        after: str | None = None,
    ) -> Started: ...

    async def edit(self, actor: Actor, turn_id: str, *, question: str, recipe: Recipe, request_key: str) -> Started: ...

    async def regenerate(self, actor: Actor, turn_id: str, *, recipe: Recipe, request_key: str) -> Started: ...

    async def regenerate_answer(self, actor: Actor, turn_id: str, *, request_key: str) -> Started: ...

    async def resume(self, actor: Actor, turn_id: str, *, request_key: str) -> Started: ...

    async def retry_slot(
        self, actor: Actor, turn_id: str, slot: Slot, *, request_key: str, model: str | None = None
    ) -> Started: ...

    async def show_run(self, actor: Actor, turn_id: str, run_id: str) -> None: ...

    async def show_turn(self, actor: Actor, turn_id: str) -> None: ...

    async def stop_columns(self, actor: Actor, run_id: str) -> None: ...

    async def stop_slot(self, actor: Actor, run_id: str, slot: Slot) -> None: ...

    async def answer_now(self, actor: Actor, run_id: str) -> None: ...

    def watch_columns(self, actor: Actor, run_id: str) -> AsyncIterator[TurnView]: ...

    async def turn(self, actor: Actor, turn_id: str) -> TurnView: ...

    async def compare(
        self,
        actor: Actor,
        *,
        question: str,
        recipes: Sequence[Recipe],
        request_key: str,
        blind: bool = True,
        reuse: bool = False,
        conversation_id: str | None = None,
        expected_head: str | None = None,
        after: str | None = None,
        instead: str | None = None,
    ) -> Started: ...

    async def regenerate_column(self, actor: Actor, turn_id: str, column: int, *, request_key: str) -> Started: ...

    async def vote(self, actor: Actor, turn_id: str, choice: str) -> None: ...

    async def tag(self, actor: Actor, turn_id: str, tags: Sequence[str]) -> None: ...


class ModelChoice(Protocol):
    """A model that can be picked. ``needs`` names the variable of a missing key; ``note`` is a short remark."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def needs(self) -> str | None: ...
    @property
    def note(self) -> str | None: ...


class Models(Protocol):
    """What can be picked now, and whether the model inside the app is ready."""

    def choices(self) -> Sequence[ModelChoice]:
        """All models, those that lack a key too."""
        ...

    async def refresh(self) -> None:
        """Ask every provider for its models again."""
        ...

    def label(self, model_id: str) -> str:
        """A model's name for people; the id itself when it is unknown."""
        ...

    def problem(self) -> str | None:
        """Why the embedded model does not answer now and what to do, or None."""
        ...

    def settled(self) -> bool:
        """True once nothing about ``problem`` changes by itself: ready, or given up."""
        ...

    async def wait_change(self, timeout_s: float) -> None:
        """Return when ``problem`` may have changed, or after ``timeout_s``."""
        ...
