"""The one door to conversations and runs: every call takes the actor, and whoever shows or serves uses only this."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from moa.chat.history import messages_of, view_of
from moa.chat.live import LiveRun, Over
from moa.chat.ports import Conversations, Journal
from moa.chat.values import (
    Actor,
    ConversationEntry,
    ConversationView,
    NewTurn,
    RunRecord,
    Started,
    TurnRecord,
    TurnView,
)
from moa.core.domain import FailureKind, Outcome, Recipe, Slot, Status
from moa.core.errors import Busy, InputRefused
from moa.core.text import clean
from moa.engine.engine import Engine

_log = logging.getLogger(__name__)
_CLOSING_S = 2.0


class Store(Conversations, Journal, Protocol):
    """What the service needs: reading and journalling."""


class ChatService:
    """Starts, stops and shows runs. Each run belongs to the server; a page only watches it."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine, self._store = engine, store
        self._live: dict[str, LiveRun] = {}
        self._closing = False

    # -- reading

    async def list_conversations(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None
    ) -> Sequence[ConversationEntry]:
        """The actor's history, newest first."""
        return await self._store.list_conversations(actor, limit=limit, before=before)

    async def open(self, actor: Actor, conversation_id: str) -> ConversationView:
        """A conversation with the path shown. Raises NotFound."""
        found = await self._store.load_conversation(actor, conversation_id)
        turns = tuple(self._turn_view(actor, turn) for turn in found.turns)
        return ConversationView(found.id, found.title, found.head, turns)

    async def turn(self, actor: Actor, turn_id: str) -> TurnView:
        """One turn with everything in it. Raises NotFound."""
        return self._turn_view(actor, await self._store.load_turn(actor, turn_id))

    def running(self, actor: Actor, conversation_id: str) -> Started | None:
        """The run under way in a conversation, if there is one."""
        for live in self._live.values():
            if live.actor == actor and live.turn.conversation_id == conversation_id and not live.ended:
                return Started(conversation_id, live.turn.id, live.record.id, new=False)
        return None

    # -- keeping order

    async def rename(self, actor: Actor, conversation_id: str, title: str) -> None:
        """Give a conversation another title. Raises InputRefused, NotFound."""
        title = " ".join(clean(title).split())
        if not 0 < len(title) <= 200:
            raise InputRefused("A title has 1 to 200 characters.")
        await self._store.rename_conversation(actor, conversation_id, title)

    async def delete(self, actor: Actor, conversation_id: str) -> None:
        """Delete a conversation; a run under way in it is stopped first. Raises NotFound."""
        started = self.running(actor, conversation_id)
        if started:
            live = self._live[started.run_id]
            live.stop()
            await asyncio.wait([live.task])
        await self._store.delete_conversation(actor, conversation_id)

    # -- runs

    async def send(
        self,
        actor: Actor,
        *,
        question: str,
        recipe: Recipe,
        request_key: str,
        conversation_id: str | None = None,
        expected_head: str | None = None,
    ) -> Started:
        """Store a question, then begin its run. The same ``request_key`` again gives the same run.

        Raises InputRefused, Busy, Conflict, NotFound, StoreError; nothing has been called or stored then.
        """
        question = self._checked(question)
        self._admit()
        earlier: tuple[TurnRecord, ...] = ()
        if conversation_id is not None:
            earlier = (await self._store.load_conversation(actor, conversation_id)).turns
            if len(earlier) >= self._engine.caps.turns:
                raise InputRefused(f"A conversation has at most {self._engine.caps.turns} questions: start a new one.")
        new = NewTurn(question, recipe, secrets.randbits(62), request_key, conversation_id, expected_head)
        turn, fresh = await self._store.begin_turn(actor, new)
        if fresh:
            before = tuple(t for t in earlier if t.id != turn.id)
            self._start(actor, turn, turn.shown, before, {})
        return Started(turn.conversation_id, turn.id, turn.shown_run_id, fresh)

    async def regenerate(
        self,
        actor: Actor,
        turn_id: str,
        *,
        recipe: Recipe,
        request_key: str,
        reuse: Mapping[Slot, Outcome] | None = None,
    ) -> Started:
        """Another attempt at a turn, which becomes the one shown. Outcomes in ``reuse`` are not called again.

        Raises as ``send`` does.
        """
        self._admit()
        turn = await self._store.load_turn(actor, turn_id)
        if self.running(actor, turn.conversation_id):
            raise Busy("An answer is being written here: stop it first.", retry_after_s=1)
        path = (await self._store.load_conversation(actor, turn.conversation_id)).turns
        run, fresh = await self._store.begin_run(
            actor, turn_id, recipe, seed=secrets.randbits(62), request_key=request_key, reuse=reuse
        )
        if fresh:
            earlier = tuple(t for t in path if t.position < turn.position)
            self._start(actor, turn, run, earlier, reuse or {})
        return Started(turn.conversation_id, turn.id, run.id, fresh)

    async def stop(self, actor: Actor, run_id: str) -> None:
        """End a run and return once it has ended. One that is over already stays as it is. Raises NotFound."""
        live = self._live.get(run_id)
        if live is None or live.actor != actor:
            await self._store.load_turn_of_run(actor, run_id)
            return
        live.stop()
        await asyncio.wait([live.task])

    def watch(
        self, actor: Actor, run_id: str, *, every_s: float = 0.1, keepalive_s: float = 2.0
    ) -> AsyncIterator[TurnView]:
        """Views of a run until it has ended (one view if it has).

        The newest view at most every ``every_s`` when something changed, the same one each ``keepalive_s``
        otherwise. Raises NotFound, at the latest with the first view.
        """
        live = self._live.get(run_id)
        if live is not None and live.actor == actor:
            return live.watch(every_s=every_s, keepalive_s=keepalive_s)
        return Over(partial(self._turn_of_run, actor, run_id))

    async def drain(self, timeout_s: float) -> None:
        """Take nothing more, let runs end for ``timeout_s``, then store the rest as interrupted."""
        self._closing = True
        tasks = [live.task for live in self._live.values()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=timeout_s)
        for live in list(self._live.values()):
            live.stop(why=FailureKind.INTERRUPTED)
        if late:
            await asyncio.wait(late, timeout=_CLOSING_S)

    # -- inside

    def _checked(self, question: str) -> str:
        question = clean(question).strip()
        limit = self._engine.caps.question_chars
        if not question:
            raise InputRefused("Write a question first.")
        if len(question) > limit:
            raise InputRefused(f"A question has at most {limit:,} characters; this one has {len(question):,}.")
        return question

    def _admit(self) -> None:
        if self._closing:
            raise Busy("The app is about to restart: try again in a moment.", retry_after_s=30)

    def _start(
        self,
        actor: Actor,
        turn: TurnRecord,
        run: RunRecord,
        earlier: Sequence[TurnRecord],
        reuse: Mapping[Slot, Outcome],
    ) -> None:
        conversation = messages_of(earlier, turn.question)
        live = LiveRun(
            actor, turn, run, engine=self._engine, journal=self._store, conversation=conversation, reuse=reuse
        )
        self._live[run.id] = live
        live.task.add_done_callback(lambda task: self._ended(run.id, task))

    def _ended(self, run_id: str, task: asyncio.Task[None]) -> None:
        live = self._live.pop(run_id, None)
        if not task.cancelled() and (error := task.exception()):
            _log.error("run %s broke", run_id, exc_info=error)
        if live is not None and not live.ended:
            live.broke()

    async def _turn_of_run(self, actor: Actor, run_id: str) -> TurnView:
        return self._turn_view(actor, await self._store.load_turn_of_run(actor, run_id))

    def _turn_view(self, actor: Actor, turn: TurnRecord) -> TurnView:
        live = self._live.get(turn.shown_run_id)
        if live is not None and live.actor == actor:
            return live.snapshot()
        shown = turn.shown
        running = shown.status is Status.RUNNING
        return TurnView(turn.id, turn.conversation_id, turn.question, shown.id, view_of(shown), running)
