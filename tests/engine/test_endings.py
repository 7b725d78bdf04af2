"""How layers and runs end: quorum, grace, deadlines, budgets, and whoever says stop."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from moa.core.domain import Budget, FailureKind, Missing, PromptStyle, Recipe, Slot, Status
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    AgentStarted,
    Event,
    LayerFinished,
    LayerStarted,
    RunEnded,
    RunStarted,
    TextDelta,
)
from moa.core.policy import Deadlines, Limits, Policy, Retries
from moa.core.view import fold_all
from tests.engine import wanted
from tests.fault.laws import check_laws
from tests.support.loop import settle
from tests.support.mixtures import Stage, ask, of_type, recipe, rest, stage, until
from tests.support.server import Answer, Gate, HttpError, hang, hang_after

QUORUM = {"quorum": 2, "grace_s": 10.0, "deadline_s": 600.0}
PATIENT = Policy(Deadlines(first_token_s=1e6, idle_s=1e6, total_s=1e6), retries=Retries(attempts=1))
"""Calls without deadlines of their own, for tests of the layer's and the run's."""


async def test_a_quorum_gives_the_rest_a_grace_period_and_no_more() -> None:
    async with stage(PATIENT) as at:
        gate = Gate()
        at.server.script("slow", hang(Gate()))
        at.server.script("c", Answer(head_gate=gate))
        async with at.engine.run(recipe("a", "slow", "c", layer=QUORUM), ask(), seed=7) as running:
            events = await until(running, AgentFinished)
            await gate.arrived()
            at.clock.advance(500)  # one answer is no quorum: no grace period runs
            gate.open()
            events += await until(running, AgentFinished)
            at.clock.advance(9.9)
            await settle()
            assert not at.server.requests_for("agg")
            at.clock.advance(0.1)
            more, result = await rest(running)
        check_laws(events + more)
        assert [(str(f.slot), f.kind) for f in result.failures] == [("1.2", FailureKind.LATE)]
        assert (result.status, result.answer) == (Status.COMPLETE, "Hello from agg.")
        assert result.degraded_because == (Missing(Slot(1, 2), "SLOW", "too late"),)
        await at.server.idle()


async def test_who_comes_within_the_grace_period_is_in() -> None:
    async with stage(PATIENT) as at:
        gate = Gate()
        at.server.script("slow", Answer("Just in time.", head_gate=gate))
        async with at.engine.run(recipe("a", "slow", "c", layer=QUORUM), ask(), seed=7) as running:
            for _ in range(2):
                await until(running, AgentFinished)
            at.clock.advance(9.9)
            gate.open()
            _, result = await rest(running)
        assert (result.status, result.degraded_because, result.failures) == (Status.COMPLETE, (), ())
        assert "2. Just in time." in at.server.requests_for("agg")[0].messages[0]["content"]


async def test_a_quorum_of_failures_is_none() -> None:
    async with stage(PATIENT) as at:
        gate = Gate()
        at.server.script("slow", Answer("At last.", head_gate=gate))
        for model in "ac":
            at.server.script(model, HttpError(400))
        async with at.engine.run(recipe("a", "slow", "c", layer=QUORUM), ask(), seed=7) as running:
            for _ in range(2):
                await until(running, AgentFailed)
            at.clock.advance(590)  # would have ended any grace period
            gate.open()
            _, result = await rest(running)
        assert [p.text for p in result.proposals] == ["At last.", "Hello from agg."]
        assert result.status is Status.DEGRADED


async def test_at_its_hard_deadline_a_layer_goes_on_below_quorum_and_says_so() -> None:
    async with stage(PATIENT) as at:
        gate = Gate()
        at.server.script("slow", hang_after(2, gate))
        at.server.script("dead", hang(gate))
        layer = {**QUORUM, "deadline_s": 25.0}
        async with at.engine.run(recipe("a", "slow", "dead", layer=layer), ask(), seed=7) as running:
            await gate.arrived(2)
            events = await until(running, AgentFinished)
            at.clock.advance(25)
            more, result = await rest(running)
        check_laws(events + more)
        assert [(str(f.slot), f.kind) for f in result.failures] == [
            ("1.2", FailureKind.LATE), ("1.3", FailureKind.LATE),
        ]  # fmt: skip
        assert result.status is Status.DEGRADED
        assert at.server.requests_for("agg")[0].messages[0]["content"] == wanted.PAPER + "\n1. Hello from a."
        await at.server.idle()


async def test_nobody_in_time_leaves_the_aggregator_alone() -> None:
    async with stage(PATIENT) as at:
        gate = Gate()
        for model in "ab":
            at.server.script(model, hang(gate))
        mixture = recipe("a", "b", layer={"deadline_s": 20.0})
        async with at.engine.run(mixture, ask("Hi?"), seed=7) as running:
            await gate.arrived(2)
            at.clock.advance(20)
            _, result = await rest(running)
        assert at.server.requests_for("agg")[0].messages == [{"role": "user", "content": "Hi?"}]
        assert (result.status, len(result.degraded_because)) == (Status.DEGRADED, 2)


async def test_a_layer_can_be_finished_by_hand() -> None:
    async with stage() as at:
        gate, later = Gate(), Gate()
        at.server.script("slow", hang_after(1, gate))
        at.server.script("agg", hang_after(3, later))
        async with at.engine.run(recipe("a", "slow"), ask(), seed=7) as running:
            await gate.arrived()
            events = await until(running, AgentFinished)
            running.finish_layer()
            await later.arrived()
            running.finish_layer()  # nothing to hurry any more: the answer is not cut short
            later.open()
            more, result = await rest(running)
        check_laws(events + more)
        assert [(f.kind, f.partial) for f in result.failures] == [(FailureKind.LATE, "one ")]
        assert (result.status, result.answer) == (Status.DEGRADED, "one two three four")


async def test_one_slot_can_be_stopped_and_the_run_goes_on() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("slow", hang_after(1, gate))
        async with at.engine.run(recipe("a", "slow"), ask(), seed=7) as running:
            await gate.arrived()
            running.stop_slot(Slot(9, 9))
            running.stop_slot(Slot(1, 2))
            events, result = await rest(running)
        check_laws(events)
        assert [(str(f.slot), f.kind) for f in result.failures] == [("1.2", FailureKind.STOPPED)]
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from agg.")


async def test_a_stopped_aggregator_gives_the_best_proposal_and_no_fallback() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("agg", hang_after(1, gate))
        async with at.engine.run(recipe("a", fallbacks=("f",)), ask(), seed=7) as running:
            await gate.arrived()
            running.stop_slot(Slot(2, 1))
            _, result = await rest(running)
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from a.")
        assert not at.server.requests_for("f")


async def stopped_after(at: Stage, mixture: Recipe, count: int) -> tuple[list[Event], bool]:
    """Stop a run once ``count`` events have come; whether it was still under way."""
    events: list[Event] = []
    async with at.engine.run(mixture, ask(), seed=7) as running:
        while len(events) < count:
            events.append(await anext(running))
        under_way = running.result is None
        running.stop()
        running.stop(why=FailureKind.INTERRUPTED)  # the first word counts
        events += [event async for event in running]
    return events, under_way


@pytest.mark.parametrize("style", [PromptStyle.PAPER, PromptStyle.ANALYSIS])
async def test_F21_stop_at_each_event(style: PromptStyle) -> None:
    async with stage() as at:
        mixture = recipe("a", "b", layers=3, style=style)
        whole, _ = await at.run(mixture, ask())
        left_under_way = 0
        for count in range(len(whole)):
            events, under_way = await stopped_after(at, mixture, count)
            result = check_laws(events)
            await at.server.idle()
            if under_way:
                left_under_way += 1
                assert result.status is Status.CANCELLED
                assert result.degraded_because == ()
                assert {f.kind for f in result.failures} <= {FailureKind.STOPPED}
            else:
                assert result.status is Status.COMPLETE
        assert left_under_way >= 10


async def test_F21_what_had_been_written_is_kept() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("agg", hang_after(2, gate))
        async with at.engine.run(recipe("a"), ask(), seed=7) as running:
            events = await until(running, TextDelta, "2.1")
            await gate.arrived()
            while (panel := fold_all(events).answer()) is None or panel.text != "one two ":
                events += await until(running, TextDelta, "2.1")
            running.stop()
            more, result = await rest(running)
        check_laws(events + more)
        assert (result.status, result.answer, result.answer_slot) == (Status.CANCELLED, "one two ", Slot(2, 1))
        await at.server.idle()


async def test_an_app_that_ends_interrupts_its_runs() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("a", hang(gate))
        async with at.engine.run(recipe("a"), ask(), seed=7) as running:
            await gate.arrived()
            running.stop(why=FailureKind.INTERRUPTED)
            result = await running.wait()
        assert (result.status, [f.kind for f in result.failures]) == (Status.INTERRUPTED, [FailureKind.INTERRUPTED])


async def test_who_leaves_early_stops_the_run_and_its_calls() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("a", hang(gate))
        running = at.engine.run(recipe("a"), ask(), seed=7)
        with contextlib.suppress(ValueError):
            async with running:
                await gate.arrived()
                raise ValueError("gone")
        assert running.result is not None
        assert running.result.status is Status.CANCELLED
        await at.server.idle()


async def test_a_stop_cuts_the_pause_before_a_retry() -> None:
    async with stage(Policy(retries=Retries(attempts=3))) as at:
        at.server.script("a", HttpError(503))
        async with at.engine.run(recipe("a"), ask(), seed=7) as running:
            events = await until(running, AgentRetrying)
            await at.clock.sleeping()
            running.stop()
            more, result = await rest(running)
        check_laws(events + more)
        assert (result.status, len(at.server.requests)) == (Status.CANCELLED, 1)


async def test_a_stop_ends_who_waits_for_a_place() -> None:
    async with stage(Policy(limits=Limits(concurrency=1, queue=5), retries=Retries(attempts=1))) as at:
        gate = Gate()
        for model in "abc":
            at.server.script(model, hang(gate))
        async with at.engine.run(recipe("a", "b", "c"), ask(), seed=7) as running:
            await gate.arrived()
            running.stop()
            events, result = await rest(running)
        check_laws(events)
        assert [f.kind for f in result.failures] == [FailureKind.STOPPED] * 3
        assert len(at.server.requests) == 1


async def test_a_full_queue_costs_slots_and_not_the_run() -> None:
    async with stage(Policy(limits=Limits(concurrency=1, queue=1), retries=Retries(attempts=1))) as at:
        _, result = await at.run(recipe("a", "b", "c"), ask())
        assert [f.kind for f in result.failures] == [FailureKind.QUEUE_FULL]
        assert (result.status, len(at.server.requests)) == (Status.DEGRADED, 3)


async def test_a_resting_model_is_not_called() -> None:
    async with stage() as at:
        at.server.script("b", HttpError(404))
        await at.run(recipe("a", "b"), ask())
        assert (at.engine.resting("b"), at.engine.resting("a")) == (True, False)
        _, result = await at.run(recipe("a", "b"), ask())
        assert [f.kind for f in result.failures] == [FailureKind.UNKNOWN_MODEL]
        assert len(at.server.requests_for("b")) == 1
        at.engine.models_refreshed()
        await at.run(recipe("a", "b"), ask())
        assert len(at.server.requests_for("b")) == 2


KINDS: list[type[Event]] = [
    RunStarted, LayerStarted, AgentStarted, TextDelta, AgentFinished, LayerFinished, RunEnded,
]  # fmt: skip


@pytest.mark.parametrize("broken", KINDS)
async def test_F36_a_sink_that_raises_once_neither_hangs_the_run_nor_leaves_a_call(broken: type[Event]) -> None:
    """Whoever listens is ours; a defect there may cost the run its result, never its end."""
    async with stage() as at:
        events: list[Event] = []
        raised = False

        def sink(event: Event) -> None:
            nonlocal raised
            events.append(event)
            if isinstance(event, broken) and not raised:
                raised = True
                raise RuntimeError("the listener broke")

        loop_errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: loop_errors.append(context["exception"]))
        running = at.engine.run(recipe("a", "b"), ask(), seed=7, sink=sink)
        try:
            async with running:
                await running.wait()
        except RuntimeError as error:
            loop_errors.append(error)
        assert (raised, running.result is not None) == (True, True)
        assert [str(e) for e in loop_errors] == ["the listener broke"] * len(loop_errors)
        assert isinstance(events[-1], RunEnded)
        assert len(of_type(events, RunEnded)) == 1
        started = [e.slot for e in of_type(events, AgentStarted)]
        ended = [e.slot for e in events if isinstance(e, AgentFinished | AgentFailed)]
        assert set(ended) <= set(started)
        assert len(set(ended)) == len(ended)
        await at.server.idle()


@pytest.mark.parametrize("seconds", [5.0, 100.0])
async def test_the_seconds_of_a_budget_end_the_answer_and_the_layer(seconds: float) -> None:
    """Time is up while the proposers write: the aggregator is not called any more."""
    async with stage(PATIENT) as at:
        gate = Gate()
        at.server.script("slow", hang(gate))
        mixture = recipe("a", "slow", fallbacks=("f",), budget=Budget(seconds=seconds), layer={"deadline_s": 500.0})
        async with at.engine.run(mixture, ask(), seed=7) as running:
            await gate.arrived()
            events = await until(running, AgentFinished)
            for _ in range(4):
                at.clock.advance(seconds / 4)
            more, result = await rest(running)
        check_laws(events + more)
        assert (result.status, result.answer, result.answer_slot) == (Status.DEGRADED, "Hello from a.", Slot(1, 1))
        assert {r.model for r in at.server.requests} == {"a", "slow"}
        assert result.degraded_because[-1] == Missing(Slot(2, 1), "AGG", "budget used up")
