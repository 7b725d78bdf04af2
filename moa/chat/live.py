"""A run under way: owned by the server, journalled as it happens, watched by any number of pages."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from moa.chat.ports import Journal
from moa.chat.values import Actor, RunRecord, SavedCall, TurnRecord, TurnView
from moa.core.domain import FailureKind, Message, Outcome, Proposal, RunResult, Slot, Status
from moa.core.errors import StoreError
from moa.core.events import AgentFailed, AgentFinished, AgentStarted, Event, RunEnded
from moa.core.view import PanelStatus, RunView, fold
from moa.engine.engine import Engine
from moa.engine.ports import Clock
from moa.engine.run import Run

_log = logging.getLogger(__name__)
_RETRY_SAVE_S = 1.0
_CHECKPOINT_S = 0.5  # a checkpoint costs 2 ms and a commit


class LiveRun:
    """Owns one run from its commit to its end. Viewers come and go without touching it.

    The view is folded once here, not by each viewer; a slow viewer only ever misses intermediate states. With a
    ``loan`` it waits until another run's call has ended, and takes its text over as the answer instead of calling. A
    ``listener`` is handed each event once the view holds it; the last one is a RunEnded, whatever happens.
    """

    def __init__(
        self,
        actor: Actor,
        turn: TurnRecord,
        run: RunRecord,
        *,
        engine: Engine,
        journal: Journal,
        conversation: Sequence[Message],
        reuse: Mapping[Slot, Outcome],
        loan: Coroutine[Any, Any, SavedCall | None] | None = None,
        listener: Callable[[Event], None] | None = None,
    ) -> None:
        self.actor, self.turn, self.record = actor, turn, run
        self.view = RunView()
        self.version = 0
        self.ended = False
        self.saved = True
        self._journal, self._clock = journal, engine.clock
        self._reused = frozenset(reuse)
        self._sent: dict[Slot, AgentStarted] = {}
        self._settled: dict[Slot, SavedCall] = {}
        self._unsaved: deque[Callable[[], Awaitable[None]]] = deque()
        self._checkpointed: dict[Slot, str] = {}
        self._wakers: set[asyncio.Event] = set()
        self._work = asyncio.Event()
        self._last: RunEnded | None = None
        self._told_at = self._clock.now()
        self._due = self._told_at + _CHECKPOINT_S
        self._begin = partial(engine.run, run.recipe, conversation, seed=run.seed, sink=self._on_event)
        self._run: Run = self._begin(reuse=reuse)
        self._listener = listener
        self._waiting = asyncio.create_task(loan) if loan else None
        self.task = asyncio.create_task(self._own())

    @property
    def result(self) -> RunResult | None:
        """What came of it; None while it runs."""
        return self._run.result

    def stop(self, *, why: FailureKind = FailureKind.STOPPED) -> None:
        """End the run, keeping what has arrived."""
        self._run.stop(why=why)
        if self._waiting is not None:
            self._waiting.cancel()

    def broke(self) -> None:
        """The owning task ended by a defect of ours: viewers are told, so that no page waits for ever."""
        self.ended = True
        last = self._last or RunEnded(self.view.seq + 1, self.view.at_ms, RunResult(Status.FAILED, "", None, ()))
        self._show(replace(last, result=replace(last.result, status=Status.FAILED)))

    def stop_slot(self, slot: Slot) -> None:
        """End one slot's call; the run goes on without it."""
        self._run.stop_slot(slot)

    def answer_now(self) -> None:
        """Let the aggregator begin with the proposals that are there."""
        self._run.finish_layer()

    def snapshot(self) -> TurnView:
        """The turn as it stands."""
        turn, column = self.turn, self.record.column
        attempts = tuple(run.id for run in turn.attempts(column))
        if self.record.id not in attempts:
            attempts = (*attempts, self.record.id)
        return TurnView(
            turn.id,
            turn.conversation_id,
            turn.question,
            self.record.id,
            self.view if self.ended else replace(self.view, at_ms=self._now_ms()),
            not self.ended,
            self.saved,
            attempts,
            turn.siblings,
            turn.position,
            column,
            comparison=turn.comparison,
            vote=turn.vote,
        )

    def _now_ms(self) -> int:
        """The run's time now: seconds go on while no event comes."""
        return self.view.at_ms + int((self._clock.now() - self._told_at) * 1000)

    def watch(self, *, every_s: float, keepalive_s: float) -> AsyncIterator[TurnView]:
        """See ``ChatService.watch``."""
        return Watch((self,), self.snapshot, self._clock, every_s=every_s, keepalive_s=keepalive_s)

    def subscribe(self, waker: asyncio.Event) -> None:
        """Set ``waker`` at every change from now on."""
        self._wakers.add(waker)

    def unsubscribe(self, waker: asyncio.Event) -> None:
        """No more."""
        self._wakers.discard(waker)

    async def call_at(self, slot: Slot) -> SavedCall | None:
        """One slot's call, once it has ended; None when the run ends without it."""
        waker = asyncio.Event()
        self.subscribe(waker)
        try:
            while slot not in self._settled and not self.ended:
                await waker.wait()
                waker.clear()
        finally:
            self.unsubscribe(waker)
        return self._settled.get(slot)

    # -- owning

    async def _own(self) -> None:
        try:
            saving = asyncio.create_task(self._keep_journal())
            try:
                await self._borrow()
                async with self._run:
                    await self._run.wait()
            finally:
                self._work.set()
                await saving
        except Exception:  # noqa: BLE001 - a defect of ours in this run: it ended as failed; that is stored and told
            _log.exception("run %s broke", self.record.id)
        if self._run.result is not None:
            await self._end(self._run.result)

    async def _borrow(self) -> None:
        """Take over the answer that another run was given for the same call. One that failed there is called here."""
        if self._waiting is None:
            return
        await asyncio.wait([self._waiting])
        lent = None if self._waiting.cancelled() else self._waiting.result()
        if lent is not None and isinstance(lent.outcome, Proposal):
            slot, agent = Slot(1, 1), self.record.recipe.aggregator
            taken = replace(lent.outcome, slot=slot, agent=agent, reused=True)
            call = replace(lent, slot=slot, agent=agent, outcome=taken)
            self._write_down(partial(self._journal.save_call, self.actor, self.record.id, call))
            self._reused = frozenset({slot})
            self._run = self._begin(reuse={slot: taken})

    def _on_event(self, event: Event) -> None:
        match event:
            case AgentStarted():
                self._called(event)
            case AgentFinished(slot=slot, proposal=outcome) | AgentFailed(slot=slot, failure=outcome):
                self._over(slot, outcome)
            case RunEnded():
                self._last = event  # told only once it is committed
                return
            case _:
                pass
        self._show(event)

    def _called(self, sent: AgentStarted) -> None:
        self._sent[sent.slot] = sent
        if sent.slot not in self._reused:
            args = self.actor, self.record.id, sent.slot, sent.agent, sent.messages, sent.left_out
            self._write_down(partial(self._journal.begin_call, *args))

    def _over(self, slot: Slot, outcome: Outcome) -> None:
        if slot not in self._reused:
            sent = self._sent[slot]
            call = SavedCall(slot, sent.agent, sent.messages, sent.left_out, outcome)
            self._settled[slot] = call
            self._write_down(partial(self._journal.save_call, self.actor, self.record.id, call))

    def _write_down(self, entry: Callable[[], Awaitable[None]]) -> None:
        self._unsaved.append(entry)
        self._work.set()

    def _show(self, event: Event) -> None:
        self.view, self._told_at = fold(self.view, event), self._clock.now()
        self._changed()
        if self._listener is not None:
            self._listener(event)

    def _changed(self) -> None:
        self.version += 1
        for waker in self._wakers:
            waker.set()

    # -- journalling

    async def _keep_journal(self) -> None:
        """Save what a slot is asked and how it ended at once, growing texts at each checkpoint, until it is over."""
        while self._run.result is None or self._unsaved:
            if self._run.result is None and self._clock.now() >= self._due:
                await self._checkpoint()
            elif self._unsaved:
                await self._save(self._unsaved[0])
            else:
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        checkpoint = self._clock.call_later(self._due - self._clock.now(), self._work.set)
        await self._work.wait()
        checkpoint.cancel()
        self._work.clear()

    async def _save(self, entry: Callable[[], Awaitable[None]]) -> None:
        try:
            await entry()
        except StoreError as error:
            await self._not_saved(error)
            return
        except Exception:  # noqa: BLE001 - a defect of ours costs this slot its row, never the run its end
            _log.exception("a slot of run %s can't be saved", self.record.id)
        else:
            self._mark_saved(True)
        self._unsaved.popleft()

    async def _checkpoint(self) -> None:
        texts = {slot: panel.text for slot, panel in self.view.panels.items() if panel.status is PanelStatus.RUNNING}
        grown = {slot: text for slot, text in texts.items() if text != self._checkpointed.get(slot, "")}
        pause_s = _CHECKPOINT_S
        try:
            if await self._journal.checkpoint(self.actor, self.record.id, grown):
                self.stop()
            self._checkpointed = texts
        except Exception as error:  # noqa: BLE001 - the next one makes up for it: no checkpoint ends a run
            self._mark_saved(False)
            _log.warning("checkpoint of run %s failed: %s", self.record.id, error)
            pause_s = _RETRY_SAVE_S
        self._due = self._clock.now() + pause_s

    async def _end(self, result: RunResult) -> None:
        while True:
            try:
                await self._journal.end_run(self.actor, self.record.id, result)
            except StoreError as error:
                await self._not_saved(error)
            else:
                break
        self.saved = True
        self.ended = True
        if self._last is not None:
            self._show(self._last)

    async def _not_saved(self, error: StoreError) -> None:
        """The run goes on in memory and the page says so; the save is tried again until it works."""
        _log.warning("run %s is not saved yet: %s", self.record.id, error)
        self._mark_saved(False)
        await self._clock.sleep(_RETRY_SAVE_S)

    def _mark_saved(self, saved: bool) -> None:
        if saved is not self.saved:
            self.saved = saved
            self._changed()


class Watch:
    """Views of live runs, one or those of a comparison: the newest at most every ``every_s``, the same again as a
    keep-alive, a last one when all have ended. ``view`` makes them."""

    def __init__(
        self,
        lives: Sequence[LiveRun],
        view: Callable[[], TurnView],
        clock: Clock,
        *,
        every_s: float,
        keepalive_s: float,
    ) -> None:
        self._lives, self._view, self._clock = tuple(lives), view, clock
        self._every_s, self._keepalive_s = every_s, keepalive_s
        self._waker = asyncio.Event()
        self._shown_version = -1
        self._shown_at: float | None = None
        self._over = False

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> TurnView:
        if self._over:
            raise StopAsyncIteration
        if self._shown_at is not None:
            await self._pause(self._shown_at)
        self._over = self._ended
        self._shown_version, self._shown_at = self._version, self._clock.now()
        return self._view()

    @property
    def _ended(self) -> bool:
        return all(live.ended for live in self._lives)

    @property
    def _version(self) -> int:
        return sum(live.version for live in self._lives)

    async def _pause(self, shown_at: float) -> None:
        if self._shown_version == self._version:
            await self._wait_for_change()
        rest = self._every_s - (self._clock.now() - shown_at)
        if rest > 0 and not self._ended:
            await self._clock.sleep(rest)

    async def _wait_for_change(self) -> None:
        self._waker.clear()
        for live in self._lives:
            live.subscribe(self._waker)
        keepalive = self._clock.call_later(self._keepalive_s, self._waker.set)
        try:
            await self._waker.wait()
        finally:
            keepalive.cancel()
            for live in self._lives:
                live.unsubscribe(self._waker)
