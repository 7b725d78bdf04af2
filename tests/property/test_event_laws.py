"""The laws of a run's events, over schedules of faults, silences and interruptions that hypothesis makes up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from moa.core.domain import FailureKind, Outcome, Recipe, RunResult, Slot, Status
from moa.core.events import Event, LayerFinished, LayerStarted
from moa.core.policy import Policy
from moa.engine.engine import Engine
from moa.engine.run import Run
from tests.fault.laws import check_laws
from tests.fault.loops import run_jumping
from tests.property.scripted import Script, ScriptedDirectory, ScriptedProvider, policies, recipes, schedules
from tests.support.clock import ManualClock
from tests.support.mixtures import ask

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
LAWS = settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
commands = st.dictionaries(
    st.integers(1, 30), st.sampled_from(["stop", "interrupt", "finish layer", "1.1", "1.2", "2.1", "2.2"]), max_size=3
)


@dataclass
class Trial:
    """One engine with its scripted world; commands are given from within the event they belong to."""

    schedule: dict[str, list[Script]]
    policy: Policy
    unknown: frozenset[str] = frozenset()
    context_tokens: int | None = None
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.provider = ScriptedProvider(self.clock, self.schedule)
        self.directory = ScriptedDirectory(self.provider, self.policy, self.unknown, self.context_tokens)
        self.engine = Engine(self.directory, clock=self.clock, seed=3)
        self.told: set[str] = set()

    async def play(
        self, recipe: Recipe, todo: dict[int, str] | None = None, reuse: dict[Slot, Outcome] | None = None
    ) -> list[Event]:
        events: list[Event] = []

        def sink(one: Event) -> None:
            events.append(one)
            if (command := (todo or {}).get(len(events))) is not None:
                self._obey(run, command)

        run = self.engine.run(recipe, ask("Why?", ("Before?", "So.")), reuse=reuse, seed=5, sink=sink)
        async with run:
            await run.wait()
        return events

    def _obey(self, run: Run, command: str) -> None:
        if command in ("stop", "interrupt") and run.result is None:
            run.stop(why=FailureKind.STOPPED if command == "stop" else FailureKind.INTERRUPTED)
            self.told.add(command)
        elif command == "finish layer":
            run.finish_layer()
        elif command not in ("stop", "interrupt"):
            run.stop_slot(Slot.parse(command))

    def check_given_back(self) -> None:
        """Places, streams and probes are free again."""
        assert self.provider.open == 0
        for limiter, _ in self.engine._limits.values():
            assert limiter.waiting == 0
            assert limiter._places._value == self.policy.limits.concurrency
        assert not any(breaker.probing for breaker in self.engine._breakers.values())


def check_bounds(events: list[Event], recipe: Recipe, result: RunResult) -> None:
    """No layer and no run takes longer than it may."""
    begun: dict[int, int] = {}
    for one in events:
        if isinstance(one, LayerStarted):
            begun[one.layer] = one.at_ms
        elif isinstance(one, LayerFinished) and one.layer <= len(recipe.layers):
            assert one.at_ms - begun[one.layer] <= recipe.layers[one.layer - 1].deadline_s * 1000
    assert result.duration_ms <= recipe.budget.seconds * 1000
    assert result.calls <= (recipe.budget.calls if recipe.budget.calls is not None else 10**6)


@LAWS
@given(
    recipes, schedules, policies, commands, st.sets(st.sampled_from("abf"), max_size=1).map(frozenset),
    st.sampled_from([None, 400]),
)  # fmt: skip
def test_the_laws_hold_whatever_happens(
    recipe: Recipe, schedule: dict[str, list[Script]], policy: Policy, todo: dict[int, str], unknown: frozenset[str],
    window: int | None,
) -> None:  # fmt: skip
    trial = Trial(schedule, policy, unknown, window)
    events = run_jumping(trial.clock, lambda: trial.play(recipe, todo))
    result = check_laws(events)
    check_bounds(events, recipe, result)
    trial.check_given_back()
    event(f"status {result.status}")
    assert (result.status in (Status.CANCELLED, Status.INTERRUPTED)) == bool(trial.told)
    if not trial.told:
        made = sum(1 for o in result.outcomes if o.attempts)
        assert made <= result.calls


@LAWS
@given(recipes, schedules, policies, st.integers(1, 40), st.integers(1, 2))
def test_a_resumed_run_calls_no_finished_slot_and_keeps_the_laws(
    recipe: Recipe, schedule: dict[str, list[Script]], policy: Policy, stop_at: int, times: int
) -> None:
    """Stopped at any event and taken up again with what it had, as a restart of the app does."""
    trial = Trial(schedule, policy)

    async def play() -> None:
        reuse: dict[Slot, Outcome] = {}
        for n in range(times + 1):
            trial.engine.models_refreshed()
            before = len(trial.provider.calls)
            events = await trial.play(recipe, {stop_at * (n + 1): "stop"} if n < times else {}, reuse)
            result = check_laws(events)
            called = len(trial.provider.calls) - before
            fresh = [o for o in result.outcomes if o.slot not in reuse]
            assert called <= sum(max(1, o.attempts) for o in fresh)
            for slot, outcome in reuse.items():
                assert next(o for o in result.outcomes if o.slot == slot).text == outcome.text  # type: ignore[union-attr]
            reuse = {p.slot: p for p in result.proposals}

    run_jumping(trial.clock, play)
    trial.check_given_back()


@LAWS
@given(recipes, schedules, policies, st.integers(0, 25), st.booleans())
def test_a_reader_may_leave_at_any_event(
    recipe: Recipe, schedule: dict[str, list[Script]], policy: Policy, count: int, by_cancel: bool
) -> None:
    """Iterating instead of a sink; the reader breaks off, or is itself cancelled, and nothing stays behind."""
    trial = Trial(schedule, policy)
    seen: list[Event] = []
    kept: list[Run] = []

    async def read() -> None:
        run = trial.engine.run(recipe, ask(), seed=5)
        kept.append(run)
        async with run:
            async for one in run:
                seen.append(one)
                if len(seen) > count:
                    if by_cancel:
                        asyncio.current_task().cancel()  # type: ignore[union-attr]
                        await asyncio.sleep(0)
                    return

    async def main() -> None:
        reader = asyncio.create_task(read())
        await asyncio.wait([reader])
        assert reader.cancelled() or reader.exception() is None
        await kept[0].wait()

    run_jumping(trial.clock, main)
    trial.check_given_back()
    rest: list[Any] = list(kept[0]._events)
    check_laws([*seen, *rest])
