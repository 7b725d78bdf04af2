"""Whole runs against the loopback server: what is called when, what streams, what counts."""

from __future__ import annotations

import pytest

from moa.core.domain import (
    Agent,
    FailureKind,
    Missing,
    Part,
    PromptStyle,
    Proposal,
    Slot,
    Status,
)
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    AgentStarted,
    Degraded,
    LayerFinished,
    LayerStarted,
    ReasoningDelta,
    RunEnded,
    RunStarted,
    TextDelta,
)
from moa.core.policy import Policy, Retries
from moa.core.view import fold_all
from tests.support.mixtures import ask, of_type, recipe, rest, stage, until
from tests.support.server import Answer, Gate, HttpError, hang_after


async def test_all_events_in_order() -> None:
    async with stage() as at:
        at.server.default = lambda r: Answer(f"Hello from {r.model}.", chunks=1)
        mixture = recipe("a", layers=3)
        events, result = await at.run(mixture, ask())
        one_layer = [LayerStarted, AgentStarted, TextDelta, AgentFinished, LayerFinished]
        assert [type(event) for event in events] == [RunStarted, *one_layer * 3, RunEnded]
        assert [event.seq for event in events] == list(range(1, 18))
        first, last = events[0], events[-1]
        assert isinstance(first, RunStarted)
        assert isinstance(last, RunEnded)
        assert (first.recipe, [str(slot) for slot, _ in first.plan], first.seed) == (mixture, ["1.1", "2.1", "3.1"], 7)
        assert last.result is result
        assert [e.part for e in of_type(events, LayerStarted)] == [Part.PROPOSER, Part.PROPOSER, Part.AGGREGATOR]
        assert [str(e.slot) for e in of_type(events, AgentFinished)] == ["1.1", "2.1", "3.1"]
        assert (result.status, result.answer, result.answer_slot) == (Status.COMPLETE, "Hello from agg.", Slot(3, 1))
        assert fold_all(events).result == result


async def test_a_layers_calls_go_out_together_and_the_next_waits_for_all_of_them() -> None:
    async with stage() as at:
        gates = [Gate(), Gate()]
        for model in "abc":
            at.server.script(model, *(Answer(f"{model} in {n}.", head_gate=gate) for n, gate in enumerate(gates, 1)))
        async with at.engine.run(recipe("a", "b", "c", layers=3), ask()) as running:
            for n, gate in enumerate(gates, 1):
                await gate.arrived(3)
                assert len(at.server.requests) == 3 * n
                gate.let(2)  # two answer; the third is still waited for
                for _ in range(2):
                    await until(running, AgentFinished)
                assert len(at.server.requests) == 3 * n
                gate.let()
            _, result = await rest(running)
        assert [r.model for r in at.server.requests[6:]] == ["agg"]
        assert result.status is Status.COMPLETE


async def test_text_streams_from_every_agent_as_it_comes() -> None:
    async with stage() as at:
        gate = Gate()
        for model in "ab":
            at.server.script(model, Answer("one two three", gate=gate, hold=(1, 2)))
        async with at.engine.run(recipe("a", "b"), ask(), seed=7) as running:
            await gate.arrived(2)
            events = [*await until(running, TextDelta), *await until(running, TextDelta)]
            assert {(str(e.slot), e.text) for e in of_type(events, TextDelta)} == {("1.1", "one "), ("1.2", "one ")}
            gate.open()
            more, result = await rest(running)
        events += more
        wanted = {Slot(1, 1): "one two three", Slot(1, 2): "one two three", Slot(2, 1): "Hello from agg."}
        for slot, text in wanted.items():
            assert "".join(e.text for e in of_type(events, TextDelta) if e.slot == slot) == text
            assert next(p.text for p in result.proposals if p.slot == slot) == text


async def test_one_slow_proposer_does_not_hold_back_the_texts_of_others() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("slow", Answer(head_gate=gate))
        async with at.engine.run(recipe("slow", "quick"), ask()) as running:
            events = await until(running, AgentFinished)
            assert {str(e.slot) for e in of_type(events, TextDelta)} == {"1.2"}
            gate.open()
            await rest(running)


async def test_F03_a_failing_proposer_does_not_end_the_run_and_is_named() -> None:
    async with stage() as at:
        at.server.script("b", HttpError(500))
        mixture = recipe("a", Agent("b", label="The sceptic"), "c")
        events, result = await at.run(mixture, ask())
        missing = Missing(Slot(1, 2), "The sceptic", "provider error")
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from agg.")
        assert result.degraded_because == (missing,)
        assert [e.because for e in of_type(events, Degraded)] == [missing]
        (failed,) = of_type(events, AgentFailed)
        assert (failed.failure.kind, failed.failure.retryable) == (FailureKind.OVERLOADED, True)
        assert "scripted" not in repr(events)  # what the provider wrote stays with the operator


async def test_a_missing_model_costs_its_slot_and_no_request() -> None:
    async with stage() as at:
        at.directory.unknown.add("gone")
        events, result = await at.run(recipe("a", "gone"), ask())
        assert [r.model for r in at.server.requests] == ["a", "agg"]
        assert [(f.kind, f.attempts) for f in result.failures] == [(FailureKind.UNKNOWN_MODEL, 0)]
        assert result.degraded_because == (Missing(Slot(1, 2), "gone", "unknown model"),)
        assert len(of_type(events, AgentStarted)) == 3


async def test_F04_all_proposers_down_the_aggregator_answers_alone() -> None:
    async with stage() as at:
        for model in "ab":
            at.server.script(model, HttpError(500))
        _, result = await at.run(recipe("a", "b"), ask())
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from agg.")
        assert [m.label for m in result.degraded_because] == ["A", "B"]


async def test_F05_fallbacks_in_order_and_never_two_answers_glued_together() -> None:
    async with stage() as at:
        at.server.script("agg", Answer("one two three four five", break_after=4))
        at.server.script("f", HttpError(503))
        events, result = await at.run(recipe("a", fallbacks=("f", "g", "h")), ask())
        assert [r.model for r in at.server.requests] == ["a", "agg", "f", "g"]
        assert (result.status, result.answer, result.answer_slot) == (Status.DEGRADED, "Hello from g.", Slot(2, 3))
        assert result.failures[0].partial == "one two three four "
        answer = fold_all(events).answer()
        assert answer is not None
        assert answer.text == "Hello from g."
        assert [m.slot for m in result.degraded_because] == [Slot(2, 1), Slot(2, 2)]


async def test_F05_at_last_the_best_single_proposal_as_it_is() -> None:
    async with stage() as at:
        at.server.script("a", Answer("Something else entirely."))
        at.server.script("b", Answer("The sky is blue."))
        at.server.script("c", Answer("The sky is rather blue."))
        for model in ("agg", "f"):
            at.server.script(model, HttpError(500))
        _, result = await at.run(recipe("a", "b", "c", fallbacks=("f",)), ask())
        assert (result.status, result.answer, result.answer_slot) == (Status.DEGRADED, "The sky is blue.", Slot(1, 2))


async def test_F06_everything_down_is_a_failed_run_with_plain_words() -> None:
    async with stage() as at:
        at.server.default = HttpError(500)
        events, result = await at.run(recipe("a", "b", fallbacks=("f",)), ask())
        assert (result.status, result.answer, result.answer_slot) == (Status.FAILED, "", None)
        assert {f.public for f in result.failures} == {"The provider has a problem right now."}
        assert isinstance(events[-1], RunEnded)


async def test_a_single_model_is_one_call() -> None:
    async with stage() as at:
        events, result = await at.run(recipe(layers=1), ask())
        assert [r.model for r in at.server.requests] == ["agg"]
        assert (result.status, result.answer, result.calls) == (Status.COMPLETE, "Hello from agg.", 1)
        assert result.first_answer_ms is not None
        assert fold_all(events).layers() == []


async def test_the_analyst_has_a_panel_of_its_own() -> None:
    async with stage() as at:
        events, result = await at.run(recipe("a", "b", style=PromptStyle.ANALYSIS), ask())
        assert [e.part for e in of_type(events, LayerStarted)] == [Part.PROPOSER, Part.ANALYST, Part.AGGREGATOR]
        assert [(n, [str(p.slot) for p in panels]) for n, panels in fold_all(events).layers()] == [
            (1, ["1.1", "1.2"]), (2, ["2.1"]),
        ]  # fmt: skip
        assert (result.answer_slot, result.calls) == (Slot(2, 2), 4)


async def test_F02_a_repeated_call_starts_its_text_over() -> None:
    async with stage(Policy(retries=Retries(attempts=3))) as at:
        at.server.script("a", Answer("one two three", break_after=2), HttpError(503), Answer("At last."))
        async with at.engine.run(recipe("a"), ask(), seed=7) as running:
            events = await until(running, AgentRetrying)
            await at.clock.sleeping()
            at.clock.jump()
            events += await until(running, AgentRetrying)
            await at.clock.sleeping()
            at.clock.jump()
            more, result = await rest(running)
        events += more
        assert [(e.attempt, e.kind) for e in of_type(events, AgentRetrying)] == [
            (2, FailureKind.DROPPED), (3, FailureKind.OVERLOADED),
        ]  # fmt: skip
        assert [e.wait_ms for e in of_type(events, AgentRetrying)] == [round(s * 1000) for s in at.clock.slept]
        assert 0 <= at.clock.slept[0] <= 0.5
        assert 0 <= at.clock.slept[1] <= 1.0
        panel = fold_all(events).panels[Slot(1, 1)]
        assert panel.text == "At last."
        assert result.proposals[0].attempts == 3
        assert (result.status, result.calls, len(at.server.requests)) == (Status.COMPLETE, 2, 4)


async def test_the_slowest_goes_out_first_once_that_is_known() -> None:
    async with stage() as at:
        mixture = recipe("quick", "slow", "new")
        at.engine.took("quick", 100)
        at.engine.took("slow", 900)
        events, _ = await at.run(mixture, ask())
        assert [str(e.slot) for e in of_type(events, AgentStarted)] == ["1.3", "1.2", "1.1", "2.1"]


async def test_thoughts_stream_apart_from_the_text() -> None:
    async with stage() as at:
        at.server.script("a", Answer("Four.", reasoning="Two and two."))
        at.server.script("b", Answer(chunks=tuple("<think>\nHm.\n</think>\n\nFour.")))
        events, _ = await at.run(recipe("a", "b"), ask())
        said = {str(e.slot): "" for e in of_type(events, ReasoningDelta)}
        for event in of_type(events, ReasoningDelta):
            said[str(event.slot)] += event.text
        assert said == {"1.1": "Two and two.", "1.2": "Hm."}
        texts = [e.text for e in of_type(events, TextDelta) if e.slot == Slot(1, 2)]
        assert "".join(texts) == "Four."


async def test_times_are_the_clocks() -> None:
    """Milliseconds from the run's start, on the engine's clock and no other."""
    async with stage() as at:
        gate = Gate()
        at.server.script("a", hang_after(1, gate))
        async with at.engine.run(recipe("a"), ask(), seed=7) as running:
            await until(running, TextDelta)
            at.clock.advance(2.5)
            gate.open()
            events, result = await rest(running)
        first = result.outcomes[0]
        assert isinstance(first, Proposal)
        assert (first.first_token_ms, first.duration_ms) == (0, 2500)
        assert (result.duration_ms, result.first_answer_ms, events[-1].at_ms) == (2500, 2500, 2500)


@pytest.mark.parametrize("count", [1, 3])
async def test_runs_side_by_side_keep_apart(count: int) -> None:
    async with stage() as at:
        at.server.default = lambda r: Answer(f"{r.model}: {r.messages[-1]['content']}")
        one, *others = [at.engine.run(recipe("a", "b"), ask(f"Question {n}")) for n in range(count)]
        async with one:
            for other in others:
                async with other:
                    assert (await other.wait()).answer.startswith("agg: Question ")
            assert (await one.wait()).answer == "agg: Question 0"
