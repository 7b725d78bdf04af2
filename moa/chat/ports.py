"""What the service needs of a store. Implemented by ``storage``; every operation takes the actor.

All raise ``StoreBusy``/``StoreReadOnly`` when nothing could be saved, and ``NotFound`` for an id that is
missing or another user's: in the same words, by the same query.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Protocol

from moa.chat.values import (
    Actor,
    ConversationEntry,
    ConversationRecord,
    NewTurn,
    RunRecord,
    SavedCall,
    TurnRecord,
)
from moa.core.domain import Outcome, Recipe, RunResult, Slot


class Conversations(Protocol):
    """Reading and keeping order."""

    async def list_conversations(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None
    ) -> Sequence[ConversationEntry]:
        """Newest first by last change; ``before`` pages."""
        ...

    async def load_conversation(self, actor: Actor, conversation_id: str) -> ConversationRecord:
        """The path shown, each turn with all its runs' results and outcomes."""
        ...

    async def load_turn(self, actor: Actor, turn_id: str) -> TurnRecord: ...

    async def load_turn_of_run(self, actor: Actor, run_id: str) -> TurnRecord: ...

    async def rename_conversation(self, actor: Actor, conversation_id: str, title: str) -> None: ...

    async def delete_conversation(self, actor: Actor, conversation_id: str) -> None: ...


class Journal(Protocol):
    """Writing a run down as it happens. Each call is one transaction, committed when it returns."""

    async def begin_turn(self, actor: Actor, new: NewTurn) -> tuple[TurnRecord, bool]:
        """Store question and run before any model is called. Returns the turn, and False when
        ``request_key`` had been stored before (then nothing is written). Raises Conflict when the head has moved.
        """
        ...

    async def begin_run(
        self,
        actor: Actor,
        turn_id: str,
        recipe: Recipe,
        *,
        seed: int,
        request_key: str,
        reuse: Mapping[Slot, Outcome] | None = None,
    ) -> tuple[RunRecord, bool]:
        """Another attempt at a turn; becomes the one shown. ``reuse`` are outcomes taken over as they are."""
        ...

    async def save_call(self, actor: Actor, run_id: str, call: SavedCall) -> None:
        """One slot has ended."""
        ...

    async def checkpoint(self, actor: Actor, run_id: str, growing: Mapping[Slot, str]) -> None:
        """Texts as far as they have come, and the run's heartbeat."""
        ...

    async def end_run(self, actor: Actor, run_id: str, result: RunResult) -> None:
        """The run is over. Committed before anyone is told."""
        ...

    async def recover(self) -> int:
        """At start: runs that a dead process left running become interrupted. Returns how many."""
        ...
