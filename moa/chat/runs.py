"""The runs under way in this process: begun, watched, stopped and drained here, whoever looks on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from moa.chat.history import messages_of, view_of
from moa.chat.live import Followed, LiveRun
from moa.chat.ports import Conversations, Journal
from moa.chat.values import Actor, RunRecord, Started, TurnRecord, TurnView
from moa.core.domain import FailureKind, Outcome, Slot, Status
from moa.core.errors import Busy
from moa.engine.engine import Engine

_log = logging.getLogger(__name__)
_CLOSING_S = 2.0


class Store(Conversations, Journal, Protocol):
    """Reading and journalling."""


class Runs:
    """Owns every run of this process from its commit to its end."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine, self._store = engine, store
        self._live: dict[str, LiveRun] = {}
        self._beginnings: set[asyncio.Task[Started]] = set()
        self._closing = False

    def admit(self) -> None:
        """Raises Busy when nothing more is taken."""
        if self._closing:
            raise Busy("The app is about to restart: try again in a moment.", retry_after_s=30)

    async def carry_out(self, beginning: Coroutine[Any, Any, Started]) -> Started:
        """Store a run and start it, also when whoever asked goes away meanwhile: what is stored must be run."""
        task = asyncio.create_task(beginning)
        self._beginnings.add(task)
        task.add_done_callback(self._beginnings.discard)
        return await asyncio.shield(task)

    def start(
        self,
        actor: Actor,
        turn: TurnRecord,
        run: RunRecord,
        earlier: Sequence[TurnRecord],
        reuse: Mapping[Slot, Outcome],
    ) -> None:
        """Begin a run that is already stored."""
        conversation = messages_of(earlier, turn.question)
        live = LiveRun(
            actor, turn, run, engine=self._engine, journal=self._store, conversation=conversation, reuse=reuse
        )
        self._live[run.id] = live
        live.task.add_done_callback(partial(self._ended, run.id))

    def get(self, actor: Actor, run_id: str) -> LiveRun | None:
        """The actor's run, if it is under way here."""
        live = self._live.get(run_id)
        return live if live is not None and live.actor == actor else None

    def in_conversation(self, actor: Actor, conversation_id: str) -> LiveRun | None:
        """The actor's run under way in a conversation."""
        for live in self._live.values():
            if live.actor == actor and live.turn.conversation_id == conversation_id and not live.ended:
                return live
        return None

    def watch(self, actor: Actor, run_id: str, *, every_s: float, keepalive_s: float) -> AsyncIterator[TurnView]:
        """See ``ChatService.watch``."""
        live = self.get(actor, run_id)
        if live is not None:
            return live.watch(every_s=every_s, keepalive_s=keepalive_s)
        return Followed(partial(self._load, actor, run_id), self._engine.clock)

    def view(self, actor: Actor, turn: TurnRecord) -> TurnView:
        """A turn with the run shown for it, as it stands."""
        live = self.get(actor, turn.shown_run_id)
        if live is not None:
            return live.snapshot()
        shown = turn.shown
        attempts = tuple(run.id for run in turn.runs)
        running = shown.status is Status.RUNNING
        return TurnView(
            turn.id,
            turn.conversation_id,
            turn.question,
            shown.id,
            view_of(shown),
            running,
            attempts=attempts,
            siblings=turn.siblings,
        )

    async def stop(self, live: LiveRun) -> None:
        """End a run and return once its end is stored."""
        live.stop()
        await asyncio.wait([live.task])

    async def drain(self, timeout_s: float) -> None:
        """Take nothing more, let runs end for ``timeout_s``, then store the rest as interrupted."""
        self._closing = True
        if self._beginnings:
            await asyncio.wait(self._beginnings, timeout=_CLOSING_S)
        tasks = [live.task for live in self._live.values()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=timeout_s)
        for live in list(self._live.values()):
            live.stop(why=FailureKind.INTERRUPTED)
        if late:
            await asyncio.wait(late, timeout=_CLOSING_S)

    async def _load(self, actor: Actor, run_id: str) -> TurnView:
        return self.view(actor, await self._store.load_turn_of_run(actor, run_id))

    def _ended(self, run_id: str, task: asyncio.Task[None]) -> None:
        live = self._live.pop(run_id, None)
        if not task.cancelled() and (error := task.exception()):
            _log.error("run %s broke", run_id, exc_info=error)
        if live is not None and not live.ended:
            live.broke()
