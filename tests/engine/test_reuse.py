"""Resume, retry of one slot, re-aggregation: only what is missing is called. And what a run may spend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moa.core.domain import Budget, FailureKind, Model, Outcome, Price, PromptStyle, RunResult, Slot, Status
from moa.core.events import AgentFinished, AgentStarted, Degraded, TextDelta
from moa.core.view import PanelStatus, fold_all
from tests.engine import wanted
from tests.fault.laws import check_laws
from tests.support.mixtures import Stage, ask, of_type, recipe, rest, stage, until
from tests.support.server import Answer, Gate, HttpError, hang

MIXTURE = recipe("a", "b", "c", layers=3)


async def whole(at: Stage) -> dict[Slot, Outcome]:
    """The outcomes of a whole run, after which the server's records are empty."""
    at.server.default = lambda r: Answer(f"First of {r.model}.")
    _, result = await at.run(MIXTURE, ask())
    at.server.forget()
    at.server.default = lambda r: Answer(f"Second of {r.model}.")
    return {o.slot: o for o in result.outcomes}


def asked(at: Stage) -> list[str]:
    return [r.model for r in at.server.requests]


async def test_everything_reused_calls_nobody() -> None:
    async with stage() as at:
        done = await whole(at)
        events, result = await at.run(MIXTURE, ask(), reuse=done)
        check_laws(events)
        assert asked(at) == []
        assert (result.status, result.answer, result.calls) == (Status.COMPLETE, "First of agg.", 0)
        assert all(p.reused for p in result.proposals)
        assert (result.usage, result.cost_microusd) == (None, None)
        assert fold_all(events).panels[Slot(1, 2)].text == "First of b."


async def test_re_aggregation_calls_the_aggregator_alone() -> None:
    async with stage() as at:
        done = await whole(at)
        del done[Slot(3, 1)]
        events, result = await at.run(MIXTURE, ask(), reuse=done)
        check_laws(events)
        assert asked(at) == ["agg"]
        numbered = "".join(f"\n{n}. First of {model}." for n, model in enumerate("abc", 1))
        assert at.server.requests[0].messages[0]["content"] == wanted.PAPER + numbered
        assert (result.answer, result.calls) == ("Second of agg.", 1)


async def test_retry_of_one_slot_calls_it_and_what_stands_on_it() -> None:
    async with stage() as at:
        done = await whole(at)
        kept = {slot: outcome for slot, outcome in done.items() if slot.layer == 1 and slot != Slot(1, 2)}
        events, result = await at.run(MIXTURE, ask(), reuse=kept)
        check_laws(events)
        assert sorted(asked(at)) == ["a", "agg", "b", "b", "c"]
        numbered = "\n1. First of a.\n2. Second of b.\n3. First of c."
        for request in at.server.requests[1:4]:
            assert request.messages[0]["content"] == wanted.PAPER + numbered
        assert [p.reused for p in result.proposals] == [True, False, True, False, False, False, False]


@pytest.mark.parametrize("style", [PromptStyle.PAPER, PromptStyle.ANALYSIS])
async def test_resume_after_a_stop_calls_only_what_is_missing(style: PromptStyle) -> None:
    """Stopped in the second layer: its finished slots and the first layer are kept."""
    mixture = replace(MIXTURE, prompt_style=style)
    async with stage() as at:
        gate = Gate()
        at.server.script("c", Answer("First of c."), hang(gate))
        async with at.engine.run(mixture, ask(), seed=7) as running:
            for _ in range(5):  # the first layer, and a and b of the second
                await until(running, AgentFinished)
            await gate.arrived()
            running.stop()
            _, stopped = await rest(running)
        assert stopped.status is Status.CANCELLED
        at.server.forget()
        events, result = await at.run(mixture, ask(), reuse={p.slot: p for p in stopped.proposals})
        check_laws(events)
        assert asked(at) == ["c", "agg"] + ["agg"] * (style is PromptStyle.ANALYSIS)
        assert (result.status, result.answer) == (Status.COMPLETE, "Hello from agg.")


async def test_a_reused_failure_is_not_tried_again_and_still_counts_as_missing() -> None:
    async with stage() as at:
        at.server.script("b", HttpError(400))
        _, before = await at.run(recipe("a", "b"), ask())
        at.server.forget()
        reuse = {o.slot: o for o in before.outcomes if o.slot.layer == 1}
        events, result = await at.run(recipe("a", "b"), ask(), reuse=reuse)
        check_laws(events)
        assert asked(at) == ["agg"]
        assert (result.status, result.degraded_because) == (Status.DEGRADED, before.degraded_because)
        assert len(of_type(events, Degraded)) == 1


async def test_reused_answers_count_towards_the_quorum() -> None:
    async with stage() as at:
        done = await whole(at)
        at.server.script("c", hang(Gate()))
        mixture = recipe("a", "b", "c", layer={"quorum": 2, "grace_s": 5.0})
        async with at.engine.run(mixture, ask(), reuse={Slot(1, 1): done[Slot(1, 1)]}, seed=7) as running:
            while str(of_type(await until(running, AgentFinished), AgentFinished)[-1].slot) != "1.2":
                pass
            at.clock.advance(5.0)
            _, result = await rest(running)
        assert failures(result) == [("1.3", FailureKind.LATE)]
        assert result.status is Status.COMPLETE


async def test_reused_slots_are_told_first_without_deltas() -> None:
    async with stage() as at:
        done = await whole(at)
        del done[Slot(3, 1)]
        events, _ = await at.run(MIXTURE, ask(), reuse=done)
        told = events[1:13]
        assert [type(e) for e in told] == [AgentStarted, AgentFinished] * 6
        view = fold_all(events[:13])
        assert [view.panels[slot].status for slot in sorted(done)] == [PanelStatus.DONE] * 6
        assert {e.slot for e in of_type(events, TextDelta)} == {Slot(3, 1)}


# -- budgets


def failures(result: RunResult) -> list[tuple[str, FailureKind]]:
    return [(str(f.slot), f.kind) for f in result.failures]


@pytest.mark.parametrize(
    ("calls", "requests", "missing"),
    [
        (7, 7, []),
        (6, 6, ["3.1"]),
        (4, 4, ["2.2", "2.3", "3.1"]),
        (2, 2, ["1.3", "2.1", "2.2", "2.3", "3.1"]),
        (0, 0, ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "3.1"]),
    ],
)
async def test_a_budget_of_calls_stops_at_the_next_one(calls: int, requests: int, missing: list[str]) -> None:
    async with stage() as at:
        events, result = await at.run(replace(MIXTURE, budget=Budget(calls=calls)), ask())
        check_laws(events)
        assert (len(at.server.requests), result.calls) == (requests, requests)
        assert failures(result) == [(slot, FailureKind.BUDGET) for slot in missing]
        if calls == 7:
            assert result.status is Status.COMPLETE
        elif calls:
            newest = max(p.slot.layer for p in result.proposals)
            assert result.status is Status.DEGRADED
            assert result.answer_slot is not None
            assert result.answer_slot.layer == newest
        else:
            assert (result.status, result.answer) == (Status.FAILED, "")


async def test_a_budget_of_money_stops_at_the_next_call_once_it_is_spent() -> None:
    """What is reused costs nothing again; what has no price counts as nothing."""
    async with stage() as at:
        at.server.default = Answer("Text.", usage={"prompt_tokens": 10, "completion_tokens": 10})
        for name in ("a", "b"):
            at.directory.models[name] = Model(name, "test", name, name, price=Price(1_000_000, 1_000_000))
        mixture = replace(MIXTURE, budget=Budget(cost_microusd=40))
        events, result = await at.run(mixture, ask())
        check_laws(events)
        assert len(at.server.requests) == 3  # the layer's calls went out before any was paid
        assert failures(result) == [(slot, FailureKind.BUDGET) for slot in ("2.1", "2.2", "2.3", "3.1")]
        assert sum(p.cost_microusd or 0 for p in result.proposals) == 40
        at.server.forget()
        reuse = {p.slot: p for p in result.proposals}
        _, again = await at.run(replace(mixture, budget=Budget(cost_microusd=41)), ask(), reuse=reuse)
        assert (again.status, len(at.server.requests)) == (Status.COMPLETE, 4)


async def test_a_fallback_is_not_called_on_an_empty_purse() -> None:
    async with stage() as at:
        at.server.script("agg", HttpError(400))
        mixture = recipe("a", fallbacks=("f", "g"), budget=Budget(calls=2))
        _, result = await at.run(mixture, ask())
        assert asked(at) == ["a", "agg"]
        assert failures(result) == [("2.1", FailureKind.REJECTED), ("2.2", FailureKind.BUDGET)]
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from a.")
