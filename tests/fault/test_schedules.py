"""Random schedules of faults and delays: the laws of events and the deadlines hold for every one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from moa.core.domain import (
    Agent,
    Budget,
    FailureKind,
    Layer,
    Model,
    Part,
    PromptStyle,
    Proposal,
    Recipe,
    Slot,
    Status,
    Usage,
)
from moa.core.errors import CallError, FinalCall, RateLimited, RetryableCall
from moa.core.events import AgentFailed, AgentStarted, Event, LayerFinished, LayerStarted, RunStarted
from moa.core.policy import Breaker, Deadlines, Limits, Policy, Retries
from moa.engine.engine import Engine
from moa.engine.ports import CallRequest, Endpoint, Piece
from tests.fault.laws import FAILED_TEXT, check_laws
from tests.fault.loops import run_jumping
from tests.support.clock import ManualClock
from tests.support.mixtures import SEED, ask

ERRORS: tuple[tuple[type[CallError], FailureKind], ...] = (
    (RetryableCall, FailureKind.DROPPED),
    (RetryableCall, FailureKind.OVERLOADED),
    (RetryableCall, FailureKind.MALFORMED),
    (RetryableCall, FailureKind.UNREACHABLE),
    (FinalCall, FailureKind.BAD_KEY),
    (FinalCall, FailureKind.UNKNOWN_MODEL),
    (FinalCall, FailureKind.REJECTED),
)


@dataclass(frozen=True)
class Attempt:
    """What one call meets: delays before the head and before each word, then an end."""

    delays_s: tuple[float, ...]
    end: str
    error: tuple[type[CallError], FailureKind] = ERRORS[0]
    wait_s: float | None = None

    @property
    def whole(self) -> bool:
        """Whether the provider will have said that the text is whole."""
        return self.end in ("stop", "length") and len(self.delays_s) > 1

    def failure(self) -> BaseException:
        """What is raised at the end of an attempt that has none of its own."""
        if self.end == "limited":
            return RateLimited(retry_after_s=self.wait_s)
        if self.end == "defect":
            return RuntimeError("a defect")
        kind, name = self.error
        return kind(name)


@dataclass
class Played:
    """A provider that plays each model's attempts in order, the last one again and again."""

    clock: ManualClock
    attempts: dict[str, list[Attempt]]
    name: str = "scheduled"
    open: int = 0
    most: int = 0
    policy: Policy = field(default_factory=Policy)

    def endpoint(self, model_id: str) -> Endpoint:
        return Endpoint(Model(model_id, self.name, model_id, model_id), self, self.policy)

    @asynccontextmanager
    async def stream(self, request: CallRequest) -> AsyncIterator[AsyncIterator[Piece]]:
        left = self.attempts[request.model.id]
        attempt = left.pop(0) if len(left) > 1 else left[0]
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await self.clock.sleep(attempt.delays_s[0])
            yield _Words(self.clock, attempt)
        finally:
            self.open -= 1

    async def list_models(self) -> tuple[Model, ...]:
        return ()

    async def aclose(self) -> None:
        """Nothing is held."""


class _Words:
    def __init__(self, clock: ManualClock, attempt: Attempt) -> None:
        self._clock, self._attempt = clock, attempt
        self._delays = list(attempt.delays_s[1:])
        self._ended = False

    def __aiter__(self) -> _Words:
        return self

    async def __anext__(self) -> Piece:
        if self._delays:
            await self._clock.sleep(self._delays.pop(0))
            return Piece("whole " if self._attempt.whole else f"{FAILED_TEXT} ")
        end = self._attempt.end
        if self._ended or end == "eof":
            raise StopAsyncIteration
        self._ended = True
        if end == "hang":
            await asyncio.get_running_loop().create_future()
        if end in ("stop", "length", "content_filter"):
            return Piece(finish=end, usage=Usage(1, 1))
        raise self._attempt.failure()


short = st.sampled_from([0.0, 0.1, 1.0, 9.0])
delays = st.one_of(short, short, st.sampled_from([29.0, 31.0, 59.0, 130.0, 700.0]))
good = st.builds(Attempt, st.lists(short, min_size=2, max_size=4).map(tuple), st.just("stop"))
bad = st.builds(
    Attempt,
    st.lists(delays, min_size=1, max_size=5).map(tuple),
    st.sampled_from(["stop", "length", "eof", "hang", "content_filter", "limited", "error", "error", "defect"]),
    st.sampled_from(ERRORS),
    st.sampled_from([None, 0.0, 3.0, 100.0, 5000.0]),
)
attempts = st.one_of(good, good, bad)
policies = st.builds(
    Policy,
    st.builds(Deadlines, st.just(5.0), *[st.sampled_from([10.0, 30.0])] * 2, st.sampled_from([60.0, 180.0])),
    st.builds(Limits, st.none(), st.integers(1, 4), st.integers(0, 4)),
    st.builds(Retries, st.integers(1, 3)),
    st.just(Breaker(failures=3)),
)
PROPOSERS = ("a", "b", "c", "d")


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """One to three layers of up to four proposers."""

    def layer() -> Layer:
        names = draw(st.lists(st.sampled_from(PROPOSERS), min_size=1, max_size=4))
        quorum = draw(st.none() | st.integers(1, len(names)))
        grace_s, deadline_s = draw(st.sampled_from([0.0, 5.0])), draw(st.sampled_from([20.0, 180.0]))
        return Layer(tuple(map(Agent, names)), quorum, grace_s, deadline_s)

    spares = tuple(Agent(name, Part.AGGREGATOR) for name in draw(st.sampled_from([(), ("spare",), ("spare", "a")])))
    return Recipe(
        "r",
        "R",
        tuple(layer() for _ in range(draw(st.integers(0, 2)))),
        Agent("agg", Part.AGGREGATOR),
        spares,
        draw(st.sampled_from(PromptStyle)),
        budget=Budget(draw(st.none() | st.integers(1, 8)), None, draw(st.sampled_from([30.0, 300.0, 900.0]))),
    )


schedules = st.fixed_dictionaries(
    {name: st.lists(attempts, min_size=1, max_size=4) for name in (*PROPOSERS, "agg", "spare")}
)
stops = st.one_of(st.none(), st.none(), st.none(), st.sampled_from([0.0, 5.0, 29.0, 100.0]))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(recipes(), schedules, policies, stops)
def test_F36_any_schedule_of_faults_keeps_the_laws(
    recipe: Recipe, schedule: dict[str, list[Attempt]], policy: Policy, stop_s: float | None
) -> None:
    clock = ManualClock(start_s=0.0)
    provider = Played(clock, schedule, policy=policy)
    engine = Engine(provider, clock=clock, seed=SEED)
    events: list[Event] = []

    async def main() -> None:
        async with engine.run(recipe, ask(), seed=SEED, sink=events.append) as run:
            stopping = clock.call_later(stop_s, run.stop) if stop_s is not None else None
            await run.wait()
            if stopping is not None:
                stopping.cancel()

    run_jumping(clock, main)
    result = check_laws(events)
    event(result.status)
    assert provider.open == 0
    assert provider.most <= policy.limits.concurrency
    assert clock.now() <= recipe.budget.seconds + 0.001
    assert result.calls <= (recipe.budget.calls or 99)
    _check_layers(recipe, events)
    for outcome in result.outcomes:
        assert outcome.attempts <= policy.retries.attempts
        if isinstance(outcome, Proposal):
            assert FAILED_TEXT not in outcome.text
    if stop_s is None:
        assert result.status is not Status.CANCELLED
    if result.status is Status.COMPLETE:
        assert result.answer_slot is not None
        assert result.answer_slot.layer == recipe.layer_count


def _check_layers(recipe: Recipe, events: list[Event]) -> None:
    """No layer takes longer than it may, none goes on for longer than its grace, and each slot is in its layer."""
    begun: dict[int, int] = {}
    slots: set[Slot] = set()
    assert isinstance(events[0], RunStarted)
    for happened in events:
        match happened:
            case LayerStarted(layer=layer, agents=agents, at_ms=at_ms):
                begun[layer] = at_ms
                slots |= {slot for slot, _ in agents}
            case AgentStarted(slot=slot):
                assert slot in slots
            case LayerFinished(layer=layer, at_ms=at_ms) if layer < recipe.layer_count:
                assert at_ms - begun[layer] <= recipe.layers[layer - 1].deadline_s * 1000 + 1
            case AgentFailed(failure=failure):
                assert failure.duration_ms <= recipe.budget.seconds * 1000 + 1
