"""The store: what ``moa.chat.ports`` asks for, handed to the database's threads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

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
from moa.core.errors import InputRefused
from moa.core.text import clean
from storage import beginning, journal, reading
from storage.database import Database
from storage.ids import checked_id, checked_key
from storage.models import TitleSource

TITLE_CHARS = 200


def utc_now() -> dt.datetime:
    """The wall clock. Stored times are for people; order goes by position and attempt."""
    return dt.datetime.now(dt.UTC)


class SqlStore:
    """Implements ``Conversations`` and ``Journal``. ``open_store`` makes it. Ids are checked before any query."""

    def __init__(self, database: Database, now: Callable[[], dt.datetime] = utc_now) -> None:
        self.database = database
        self._now = now

    async def list_conversations(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None
    ) -> Sequence[ConversationEntry]:
        """Newest first by last change; at most 200 at once."""
        owner = _owner(actor)
        return await self.database.read(lambda s: reading.list_entries(s, owner, limit, before))

    async def load_conversation(self, actor: Actor, conversation_id: str) -> ConversationRecord:
        """The path shown. Raises NotFound."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        return await self.database.read(lambda s: reading.load_conversation(s, owner, found))

    async def load_turn(self, actor: Actor, turn_id: str) -> TurnRecord:
        """One turn with all its runs. Raises NotFound."""
        owner, found = _owner(actor), checked_id(turn_id, "question")
        return await self.database.read(lambda s: reading.load_turn(s, owner, found))

    async def load_turn_of_run(self, actor: Actor, run_id: str) -> TurnRecord:
        """The turn that a run belongs to, with all its runs. Raises NotFound."""
        owner, found = _owner(actor), checked_id(run_id, "answer")
        return await self.database.read(lambda s: reading.load_turn_of_run(s, owner, found))

    async def rename_conversation(self, actor: Actor, conversation_id: str, title: str) -> None:
        """Give a title of the user's own: one line, at most 200 characters. Raises NotFound, InputRefused."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        line = " ".join(clean(title).split())[:TITLE_CHARS]
        if not line:
            raise InputRefused("A title needs at least one character.")

        def work(session: Session) -> None:
            row = reading.conversation_row(session, owner, found, lock=True)
            row.title, row.title_source = line, TitleSource.USER

        await self.database.write(work)

    async def delete_conversation(self, actor: Actor, conversation_id: str) -> None:
        """Hide it, with all its turns, from every later call. Raises NotFound, also the second time."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")

        def work(session: Session) -> None:
            reading.conversation_row(session, owner, found, lock=True).deleted_at = self._now()

        await self.database.write(work)

    async def begin_turn(self, actor: Actor, new: NewTurn) -> tuple[TurnRecord, bool]:
        """Store question and run. Raises NotFound, Conflict when the head has moved."""
        owner = _owner(actor)
        checked_key(new.request_key, "request")
        if new.conversation_id is not None:
            checked_id(new.conversation_id, "conversation")
        return await self.database.write(lambda s: beginning.begin_turn(s, owner, new, self._now()))

    async def begin_run(
        self, actor: Actor, turn_id: str, recipe: Recipe, *, seed: int, request_key: str,
        reuse: Mapping[Slot, Outcome] | None = None,
    ) -> tuple[RunRecord, bool]:  # fmt: skip
        """Store another attempt at a turn. Raises NotFound."""
        owner, found = _owner(actor), checked_id(turn_id, "question")
        new = beginning.NewRun(recipe, seed, checked_key(request_key, "request"))
        taken = dict(reuse or {})
        return await self.database.write(lambda s: beginning.begin_run(s, owner, found, new, taken, self._now()))

    async def save_call(self, actor: Actor, run_id: str, call: SavedCall) -> None:
        """Store one slot's end. Raises NotFound."""
        owner, found = _owner(actor), checked_id(run_id, "answer")
        await self.database.write(lambda s: journal.save_call(s, owner, found, call, self._now()))

    async def checkpoint(self, actor: Actor, run_id: str, growing: Mapping[Slot, str]) -> None:
        """Store growing texts and the run's heartbeat. Raises NotFound."""
        owner, found, texts = _owner(actor), checked_id(run_id, "answer"), dict(growing)
        await self.database.write(lambda s: journal.checkpoint(s, owner, found, texts, self._now()))

    async def end_run(self, actor: Actor, run_id: str, result: RunResult) -> None:
        """Store a run's result. The same end may be stored again. Raises NotFound."""
        owner, found = _owner(actor), checked_id(run_id, "answer")
        await self.database.write(lambda s: journal.end_run(s, owner, found, result, self._now()))

    async def recover(self) -> int:
        """Mark what runs as interrupted. Only for a start at which no other process uses the database."""
        return await self.database.write(lambda s: journal.recover(s, self._now()))

    async def aclose(self) -> None:
        """Finish what was begun and close every connection."""
        await self.database.aclose()


def _owner(actor: Actor) -> str:
    return checked_key(actor.user_id, "sign-in")
