"""One run under way: a handle to watch, stop and hurry, and the task that carries its plan out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Message,
    Missing,
    Outcome,
    Part,
    Proposal,
    Recipe,
    RunResult,
    Slot,
)
from moa.core.errors import CallError, FinalCall, public_text, short_reason
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    AgentStarted,
    Degraded,
    Event,
    LayerFinished,
    LayerStarted,
    ReasoningDelta,
    RunEnded,
    RunStarted,
    TextDelta,
)
from moa.engine.call import Line, SlotCall
from moa.engine.gate import Gate
from moa.engine.plans import PlannedCall, Settled, Step, plan_of
from moa.engine.ports import CallRequest, Endpoint
from moa.engine.prompts import Composed, compose
from moa.engine.results import conclude
from moa.engine.windows import fit

if TYPE_CHECKING:
    from moa.engine.engine import Engine

_log = logging.getLogger(__name__)


class Run:
    """A handle on a run. Entering begins it; leaving before its end cancels it and waits for its calls to close.

    Iterating gives its events in order and ends after ``RunEnded``; one reader at a time.
    """

    def __init__(
        self, engine: Engine, recipe: Recipe, conversation: tuple[Message, ...],
        done: dict[Slot, Outcome], seed: int, sink: Callable[[Event], None] | None,
    ) -> None:  # fmt: skip
        self._engine, self._recipe, self._conversation, self._seed = engine, recipe, conversation, seed
        self._clock = engine.clock
        self._plan = plan_of(recipe)
        self._done = done
        self._events: deque[Event] = deque()
        self._more = asyncio.Event()
        self._sink = sink
        self._seq = 0
        self._calls = 0
        self._spent = 0
        self._first_answer_ms: int | None = None
        self._missing: list[Missing] = []
        self._live: dict[Slot, asyncio.Task[Proposal]] = {}
        self._reasons: dict[Slot, FailureKind] = {}
        self._gate: Gate | None = None
        self._part = Part.PROPOSER
        self._stopped: FailureKind | None = None
        self.result: RunResult | None = None

    # -- the handle

    async def __aenter__(self) -> Run:
        self._begun = self._clock.now()
        self._task = asyncio.create_task(self._drive())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.stop()
        await asyncio.wait([self._task])
        if kind is None:
            self._task.result()

    def __aiter__(self) -> Run:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self.result is not None:
                raise StopAsyncIteration
            self._more.clear()
            await self._more.wait()
        return self._events.popleft()

    async def wait(self) -> RunResult:
        """The result, once the run has ended."""
        await asyncio.wait([self._task])
        self._task.result()
        assert self.result is not None  # noqa: S101 - _drive ends with a result or raises
        return self.result

    def stop(self, *, why: FailureKind = FailureKind.STOPPED) -> None:
        """End the run now: calls are cancelled and what had arrived is kept. Its status is *cancelled*, or
        *interrupted* when ``why`` is INTERRUPTED (the app itself is ending)."""
        if self.result is None:
            self._stopped = self._stopped or why
            self._cancel(list(self._live), why)
            if self._gate is not None:
                self._gate.close()

    def stop_slot(self, slot: Slot) -> None:
        """End one slot's call; the run goes on without it."""
        self._cancel([slot], FailureKind.STOPPED)

    def finish_layer(self) -> None:
        """Go on with the proposals that are there; the layer's other calls are dropped as late."""
        if self._gate is not None and self._part is Part.PROPOSER:
            self._gate.close()

    # -- the run

    async def _drive(self) -> None:
        settled: Settled | None = None
        try:
            self._emit(RunStarted, self._recipe, self._plan.slots(), self._seed)
            self._retell()
            while not self._stopped:
                step = self._plan.next(self._done)
                if isinstance(step, Settled):
                    settled = step
                    break
                await self._step(step)
        except asyncio.CancelledError:
            self._stopped = self._stopped or FailureKind.STOPPED
            raise
        finally:
            self._end(settled)

    def _retell(self) -> None:
        """Reused outcomes are told as events of this run, so that one reducer serves every viewer."""
        for slot, outcome in sorted(self._done.items()):
            if isinstance(outcome, Proposal):
                outcome = self._done[slot] = replace(outcome, reused=True)
            self._emit(AgentStarted, slot, outcome.agent, ())
            self._close_slot(slot, outcome)
            self._note_missing(outcome)

    def _end(self, settled: Settled | None) -> None:
        self.result = conclude(
            self._recipe, self._done, settled, stopped=self._stopped, missing=tuple(self._missing),
            calls=self._calls, first_answer_ms=self._first_answer_ms, duration_ms=self._now_ms(),
        )  # fmt: skip
        self._emit(RunEnded, self.result)

    async def _step(self, step: Step) -> None:
        self._emit(LayerStarted, step.layer, step.part, tuple((c.slot, c.agent) for c in step.calls))
        self._part = step.part
        gate = Gate(
            self._clock,
            have=step.have,
            calls=len(step.calls),
            quorum=step.quorum,
            grace_s=step.grace_s,
            deadline_s=self._time_left(step.deadline_s),
        )
        self._gate = gate
        if self._stopped:  # by whoever was told that the layer starts
            gate.close()
        slowest_first = sorted(step.calls, key=lambda c: -self._engine.expected_ms(c.agent.model))
        try:
            for call in slowest_first:
                self._begin(call, gate)
            await gate.wait()
        finally:
            gate.end()
            self._gate = None
            late = FailureKind.LATE if step.part is Part.PROPOSER else FailureKind.BUDGET
            await self._drop(self._stopped or late)
        self._emit(LayerFinished, step.layer)
        for call in step.calls:
            self._note_missing(self._done[call.slot])

    def _begin(self, planned: PlannedCall, gate: Gate) -> None:
        slot, agent = planned.slot, planned.agent
        composed = Composed(self._conversation)
        try:
            endpoint = self._engine.directory.endpoint(agent.model)
            composed = self._compose(planned, endpoint)
            self._within_budget()
        except CallError as refused:
            self._emit(AgentStarted, slot, agent, composed.messages, composed.left_out)
            self._settle(slot, Failure(slot, agent, refused.kind, refused.public, attempts=0), gate)
            return
        call = self._slot_call(planned, endpoint, composed)
        self._emit(AgentStarted, slot, agent, composed.messages, composed.left_out)
        self._calls += 1
        task = asyncio.create_task(call.run())
        self._live[slot] = task
        task.add_done_callback(partial(self._finished, slot, call, gate))

    def _compose(self, planned: PlannedCall, endpoint: Endpoint) -> Composed:
        recipe, caps = self._recipe, self._engine.caps

        def composer(conversation: Iterable[Message], proposal_chars: int) -> Composed:
            return compose(
                planned,
                tuple(conversation),
                style=recipe.prompt_style,
                system=recipe.system,
                seed=self._seed,
                proposal_chars=proposal_chars,
            )

        return fit(
            composer, self._conversation, context_tokens=endpoint.model.context_tokens,
            max_tokens=planned.agent.sampling.max_tokens, proposal_chars=caps.proposal_chars,
            proposals=len(planned.proposals),
        )  # fmt: skip

    def _slot_call(self, planned: PlannedCall, endpoint: Endpoint, composed: Composed) -> SlotCall:
        slot, engine = planned.slot, self._engine
        answers = planned.agent.part is Part.AGGREGATOR
        line = Line(
            text=partial(self._say, slot, answers),
            reasoning=partial(self._emit, ReasoningDelta, slot),
            restart=lambda attempt, kind, wait_s: self._emit(AgentRetrying, slot, attempt, kind, round(wait_s * 1000)),
        )
        request = CallRequest(endpoint.model, composed.messages, planned.agent.sampling)
        return SlotCall(
            slot, planned.agent, endpoint, request, guards=engine.guards(endpoint), line=line,
            clock=self._clock, rng=engine.rng, output_chars=engine.caps.output_chars,
        )  # fmt: skip

    def _say(self, slot: Slot, answers: bool, text: str) -> None:
        now_ms = round((self._clock.now() - self._begun) * 1000)
        if answers and self._first_answer_ms is None:
            self._first_answer_ms = now_ms
        self._seq += 1
        # As _emit does, at half its cost: once a chunk.
        (self._sink or self._keep)(TextDelta(self._seq, now_ms, slot, text))

    # -- ends of slots

    def _finished(self, slot: Slot, call: SlotCall, gate: Gate, task: asyncio.Task[Proposal]) -> None:
        if slot in self._live:
            self._settle(slot, self._outcome(slot, call, task), gate)

    def _outcome(self, slot: Slot, call: SlotCall, task: asyncio.Task[Proposal]) -> Outcome:
        if task.cancelled():
            # A call that nobody cancelled has cancelled itself: a defect, for which a fallback may still stand in.
            unasked = FailureKind.STOPPED if self._stopped else FailureKind.INTERNAL
            return call.stopped(self._reasons.get(slot, unasked))
        error = task.exception()
        if error is None:
            proposal = task.result()
            self._engine.took(proposal.agent.model, proposal.duration_ms)
            return proposal
        if isinstance(error, CallError):
            return call.failure(error)
        # A defect of ours in one call costs that slot, never the run or the process.
        _log.error("a call of slot %s broke", slot, exc_info=error)
        return call.failure(FinalCall(FailureKind.INTERNAL, detail=repr(error)))

    def _settle(self, slot: Slot, outcome: Outcome, gate: Gate) -> None:
        self._live.pop(slot, None)
        self._done[slot] = outcome
        if isinstance(outcome, Proposal):
            self._spent += outcome.cost_microusd or 0
        gate.settled(answered=isinstance(outcome, Proposal))  # first: a sink that raises must not leave the run waiting
        self._close_slot(slot, outcome)

    def _close_slot(self, slot: Slot, outcome: Outcome) -> None:
        if isinstance(outcome, Proposal):
            self._emit(AgentFinished, slot, outcome)
        else:
            self._emit(AgentFailed, slot, outcome)

    async def _drop(self, kind: FailureKind) -> None:
        """Cancel what still runs and wait until its connections are closed."""
        self._cancel(list(self._live), kind)
        while self._live:
            await asyncio.wait(self._live.values())

    def _cancel(self, slots: Iterable[Slot], kind: FailureKind) -> None:
        for slot in slots:
            if slot in self._live:
                self._reasons.setdefault(slot, kind)
                self._live[slot].cancel()

    def _note_missing(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failure) and not self._stopped:
            missing = Missing(outcome.slot, self._label(outcome.agent), short_reason(outcome.kind))
            self._missing.append(missing)
            self._emit(Degraded, missing)

    def _label(self, agent: Agent) -> str:
        if agent.label:
            return agent.label
        try:
            return self._engine.directory.endpoint(agent.model).model.label
        except CallError:
            return agent.model

    # -- bounds, events

    def _within_budget(self) -> None:
        budget = self._recipe.budget
        used_up = (
            (budget.calls is not None and self._calls >= budget.calls)
            or (budget.cost_microusd is not None and self._spent >= budget.cost_microusd)
            or self._time_left(None) <= 0
        )
        if used_up:
            raise FinalCall(FailureKind.BUDGET, public=public_text(FailureKind.BUDGET))

    def _time_left(self, deadline_s: float | None) -> float:
        left = self._recipe.budget.seconds - (self._clock.now() - self._begun)
        return left if deadline_s is None else min(left, deadline_s)

    def _now_ms(self) -> int:
        return round((self._clock.now() - self._begun) * 1000)

    def _emit(self, kind: Callable[..., Event], *fields: object) -> None:
        self._seq += 1
        (self._sink or self._keep)(kind(self._seq, self._now_ms(), *fields))

    def _keep(self, event: Event) -> None:
        self._events.append(event)
        self._more.set()
