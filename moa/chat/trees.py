"""Conversation trees that come from a file: what may be in one, and turns put in their places. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from moa.chat.values import TurnRecord
from moa.core.policy import Caps

IMPORTED = "import"
"""Stands for a conversation's id until the store gives one."""

_PATHS = 10  # branches of a conversation: so many paths of full length
_TURNS = 10_000  # a query of the store names each turn's id, and each run's


class Broken(Exception):
    """A conversation can't be taken over; the text says why, to go on after a colon."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large an imported conversation may be, all its branches together."""

    turns: int
    runs: int
    question_chars: int
    output_chars: int

    @classmethod
    def of(cls, caps: Caps) -> Bounds:
        """What the app's caps allow."""
        turns = min(_PATHS * caps.turns, _TURNS)
        return cls(turns, 2 * turns, caps.question_chars, caps.output_chars)

    def check_counts(self, turns: Sequence[TurnRecord]) -> None:
        """Raises Broken for too many turns or runs."""
        if len(turns) > self.turns:
            raise Broken(f"it has more than {self.turns:,} questions")
        if sum(len(turn.runs) + len(turn.further) for turn in turns) > self.runs:
            raise Broken(f"it has more than {self.runs:,} answers")


def placed(turns: Sequence[TurnRecord]) -> tuple[TurnRecord, ...]:
    """The turns with their position and siblings, which follow from their parents.

    Raises Broken unless each parent comes before its children and ids are unique.
    """
    positions: dict[str | None, int] = {None: 0}
    beside: dict[str | None, list[str]] = defaultdict(list)
    for turn in turns:
        if turn.parent_id not in positions or turn.id in positions:
            raise Broken("its questions don't follow from each other")
        positions[turn.id] = positions[turn.parent_id] + 1
        beside[turn.parent_id].append(turn.id)
    siblings = {place: tuple(ids) for place, ids in beside.items()}
    return tuple(replace(turn, position=positions[turn.id], siblings=siblings[turn.parent_id]) for turn in turns)
