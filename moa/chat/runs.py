"""The runs under way in this process: begun, watched, stopped and drained here, whoever looks on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from moa.chat import comparing
from moa.chat.following import FOLLOW_S, Followed
from moa.chat.history import messages_of, view_of
from moa.chat.live import LiveRun, Watch
from moa.chat.ports import BEING_WRITTEN, Conversations, Journal, Shares, Votes
from moa.chat.values import Actor, RunRecord, SavedCall, Started, TurnRecord, TurnView
from moa.core.domain import FailureKind, Outcome, Slot, Status
from moa.core.errors import Busy, StoreError
from moa.engine.engine import Engine

_log = logging.getLogger(__name__)
_CLOSING_S = 2.0
_SWEEP_S = 2.0
ELSEWHERE = "This answer is being written by another process of the app: from here it can only be stopped as a whole."


class Store(Conversations, Shares, Votes, Journal, Protocol):
    """Reading, sharing, voting and journalling."""


class Runs:
    """Owns every run of this process from its commit to its end. ``on_end`` is told of each run of a first column that
    has ended in order."""

    def __init__(self, engine: Engine, store: Store, on_end: Callable[[LiveRun], None] | None = None) -> None:
        self._engine, self._store, self._on_end = engine, store, on_end
        self._live: dict[str, LiveRun] = {}
        self._keys: dict[str, str] = {}
        self._beginnings: set[asyncio.Task[Started]] = set()
        self._closing = False

    def admit(self) -> None:
        """Raises Busy when nothing more is taken."""
        if self._closing:
            raise Busy("The app is about to restart: try again in a moment.", retry_after_s=30)

    async def carry_out(self, beginning: Coroutine[Any, Any, Started]) -> Started:
        """Store a run and start it, also when whoever asked goes away meanwhile: what is stored must be run."""
        try:
            self.admit()  # again: the app may have begun to end since the request came
        except Busy:
            beginning.close()
            raise
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
        request_key: str,
        loan: Coroutine[Any, Any, SavedCall | None] | None = None,
    ) -> None:
        """Begin a run that is already stored; with a ``loan`` it takes that call's text over."""
        conversation = messages_of(earlier, turn.question, run.recipe if turn.comparison else None)
        live = LiveRun(
            actor, turn, run, engine=self._engine, journal=self._store, conversation=conversation, reuse=reuse,
            loan=loan,
        )  # fmt: skip
        self.own(live, request_key, self._on_end)

    def own(self, live: LiveRun, request_key: str, on_end: Callable[[LiveRun], None] | None = None) -> None:
        """Keep a run that has just begun until its end, of which ``on_end`` is told if it was in order."""
        self._live[live.record.id] = live
        self._keys[live.record.id] = request_key
        live.task.add_done_callback(partial(self._ended, live.record.id, on_end))

    def start_columns(
        self, actor: Actor, turn: TurnRecord, earlier: Sequence[TurnRecord], request_key: str, *, lend: bool
    ) -> None:
        """Begin the runs of all columns of a new turn. With ``lend`` no call is made for two of them."""
        shown = {run.column: run for run in (turn.shown, *turn.columns)}
        asked = {n: (run.recipe, messages_of(earlier, turn.question, run.recipe)) for n, run in shown.items()}
        loans = comparing.loans(asked) if lend else {}
        for column in sorted(shown, key=lambda column: column in loans):
            loan = None
            if column in loans:
                lender, slot = loans[column]
                loan = self._live[shown[lender].id].call_at(slot)
            self.start(actor, turn, shown[column], earlier, {}, request_key, loan)

    def get(self, actor: Actor, run_id: str) -> LiveRun | None:
        """The actor's run, if it is under way here."""
        live = self._live.get(run_id)
        return live if live is not None and live.actor == actor else None

    def begun(self, actor: Actor, conversation_id: str, request_key: str) -> Started | None:
        """The run under way in a conversation, if this is the request that began it. Raises Busy for another one."""
        under_way = self.all_in_conversation(actor, conversation_id)
        for live in under_way:
            if self._keys[live.record.id] == request_key:
                return Started(conversation_id, live.turn.id, live.record.id, new=False)
        if under_way:
            raise Busy(BEING_WRITTEN, retry_after_s=1)
        return None

    def in_conversation(self, actor: Actor, conversation_id: str) -> LiveRun | None:
        """The actor's run under way in a conversation; of several the one in the first column."""
        return next(iter(self.all_in_conversation(actor, conversation_id)), None)

    def all_in_conversation(self, actor: Actor, conversation_id: str) -> list[LiveRun]:
        """The actor's runs under way in a conversation: one, or those of a comparison in order of their columns."""
        found = (live for live in self._live.values() if live.actor == actor and not live.ended)
        here = (live for live in found if live.turn.conversation_id == conversation_id)
        return sorted(here, key=lambda live: live.record.column)

    def watch(self, actor: Actor, run_id: str, *, every_s: float, keepalive_s: float) -> AsyncIterator[TurnView]:
        """See ``ChatService.watch``."""
        live = self.get(actor, run_id)
        if live is not None:
            return live.watch(every_s=every_s, keepalive_s=keepalive_s)
        return Followed(partial(self._load, actor, run_id), self._engine.clock)

    async def watch_columns(
        self, actor: Actor, run_id: str, *, every_s: float, keepalive_s: float
    ) -> AsyncIterator[TurnView]:
        """See ``ChatService.watch_columns``."""
        turn = await self._store.load_turn_of_run(actor, run_id)
        lives = [live for run in (turn.shown, *turn.columns) if (live := self.get(actor, run.id))]
        if lives:
            view = partial(_joined, self.view(actor, turn), lives)
            views: AsyncIterator[TurnView] = Watch(
                lives, view, self._engine.clock, every_s=every_s, keepalive_s=keepalive_s
            )
        else:
            views = Followed(partial(self._load_columns, actor, run_id), self._engine.clock)
        async for shown in views:
            yield shown

    def view(self, actor: Actor, turn: TurnRecord) -> TurnView:
        """A turn with the runs shown for it, of all columns, as it stands."""
        columns = tuple(self._column(actor, turn, run) for run in turn.columns)
        return replace(self._column(actor, turn, turn.shown), columns=columns)

    def _column(self, actor: Actor, turn: TurnRecord, run: RunRecord) -> TurnView:
        live = self.get(actor, run.id)
        if live is None:
            return self.stored(turn, run)
        return replace(live.snapshot(), vote=turn.vote)

    @staticmethod
    def stored(turn: TurnRecord, run: RunRecord | None = None) -> TurnView:
        """A turn with one run, or the one that the path goes through, as the store has it."""
        shown = run or turn.shown
        return TurnView(
            turn.id,
            turn.conversation_id,
            turn.question,
            shown.id,
            view_of(shown),
            shown.status is Status.RUNNING,
            attempts=tuple(attempt.id for attempt in turn.attempts(shown.column)),
            siblings=turn.siblings,
            position=turn.position,
            column=shown.column,
            comparison=turn.comparison,
            vote=turn.vote,
        )

    async def stop(self, live: LiveRun) -> None:
        """End a run and return once its end is stored."""
        live.stop()
        await asyncio.wait([live.task])

    async def stop_columns(self, actor: Actor, run_id: str) -> None:
        """End the runs of all columns of a turn, wherever they are carried out, and return once that is stored."""
        turn = await self._store.load_turn_of_run(actor, run_id)
        running = [run.id for run in (turn.shown, *turn.columns) if run.status is Status.RUNNING]
        await asyncio.gather(*[self._stop_anywhere(actor, id_) for id_ in running])

    async def _stop_anywhere(self, actor: Actor, run_id: str) -> None:
        live = self.get(actor, run_id)
        await (self.stop(live) if live else self.stop_elsewhere(actor, run_id))

    async def stop_elsewhere(self, actor: Actor, run_id: str) -> None:
        """End a run that another process carries out, and return once its end is stored."""
        while await self._store.ask_to_stop(actor, run_id):
            await self._engine.clock.sleep(FOLLOW_S)

    async def check_here(self, actor: Actor, run_id: str) -> None:
        """For what only the process that carries a run out can do with it. Raises Busy when that is another one."""
        turn = await self._store.load_turn_of_run(actor, run_id)
        if any(run.id == run_id and run.status is Status.RUNNING for run in (*turn.runs, *turn.further)):
            raise Busy(ELSEWHERE, retry_after_s=1)

    async def sweep(self) -> None:
        """End what dead processes have left running, again and again."""
        while True:
            try:
                await self._store.recover(alive=frozenset(self._live))
            except StoreError:
                _log.debug("dead runs are not looked for: the store refuses")  # whoever needs it now says so louder
            except Exception:  # noqa: BLE001 - a run that can't be read must not keep the others running for ever
                _log.exception("dead runs are not looked for")
            await self._engine.clock.sleep(_SWEEP_S)

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
        turn = await self._store.load_turn_of_run(actor, run_id)
        column = next((run.column for run in turn.further if run.id == run_id), 1)
        return self._column(actor, turn, turn.in_column(column) or turn.shown)

    async def _load_columns(self, actor: Actor, run_id: str) -> TurnView:
        return self.view(actor, await self._store.load_turn_of_run(actor, run_id))

    def _ended(self, run_id: str, on_end: Callable[[LiveRun], None] | None, task: asyncio.Task[None]) -> None:
        live = self._live.pop(run_id, None)
        self._keys.pop(run_id, None)
        if not task.cancelled() and (error := task.exception()):
            _log.error("run %s broke", run_id, exc_info=error)
        if live is not None and not live.ended:
            live.broke()
        elif live is not None and live.record.column == 1 and on_end is not None:
            on_end(live)


def _joined(whole: TurnView, lives: Sequence[LiveRun]) -> TurnView:
    """A turn with what is under way in its columns as it stands now."""
    now = {live.record.column: replace(live.snapshot(), vote=whole.vote) for live in lives}
    columns = tuple(now.get(column.column, column) for column in whole.columns)
    return replace(now.get(1, replace(whole, columns=())), columns=columns)
