from __future__ import annotations

import pytest

from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Finish,
    Outcome,
    Part,
    PromptStyle,
    Proposal,
    Recipe,
    Slot,
    Status,
)
from moa.engine.plans import Settled, Step, best_single, plan_of, quorum_met
from tests.support.mixtures import recipe

Done = dict[Slot, Outcome]


def good(slot: str, text: str | None = None, finish: Finish = Finish.STOP) -> Proposal:
    return Proposal(Slot.parse(slot), Agent("m"), text or f"Text of {slot}.", finish)


def bad(slot: str, kind: FailureKind = FailureKind.DROPPED) -> Failure:
    return Failure(Slot.parse(slot), Agent("m"), kind, "Lost.")


def done(*outcomes: Outcome) -> Done:
    return {o.slot: o for o in outcomes}


def step(mixture: Recipe, *outcomes: Outcome) -> Step:
    found = plan_of(mixture).next(done(*outcomes))
    assert isinstance(found, Step)
    return found


def called(found: Step) -> list[str]:
    return [str(call.slot) for call in found.calls]


def seen(found: Step) -> list[list[str]]:
    return [[str(p.slot) for p in call.proposals] for call in found.calls]


def test_each_layer_sees_the_whole_layer_before_and_nothing_older() -> None:
    mixture = recipe("a", "b", layers=3)
    first = step(mixture)
    assert (called(first), seen(first), first.part) == (["1.1", "1.2"], [[], []], Part.PROPOSER)
    second = step(mixture, good("1.1"), good("1.2"))
    assert (called(second), seen(second)) == (["2.1", "2.2"], [["1.1", "1.2"]] * 2)
    last = step(mixture, good("1.1"), good("1.2"), good("2.1"), good("2.2"))
    assert (called(last), seen(last), last.part) == (["3.1"], [["2.1", "2.2"]], Part.AGGREGATOR)
    end = plan_of(mixture).next(done(good("2.1"), good("2.2"), good("1.1"), good("1.2"), good("3.1")))
    assert end == Settled(Status.COMPLETE, Slot(3, 1))


def test_a_single_model_is_one_call() -> None:
    mixture = recipe(layers=1, style=PromptStyle.ANALYSIS)
    assert [str(slot) for slot, _ in plan_of(mixture).slots()] == ["1.1"]
    only = step(mixture)
    assert (called(only), seen(only), only.part) == (["1.1"], [[]], Part.AGGREGATOR)
    assert plan_of(mixture).next(done(good("1.1"))) == Settled(Status.COMPLETE, Slot(1, 1))
    assert plan_of(mixture).next(done(bad("1.1"))) == Settled(Status.FAILED, None, whole=False)


def test_what_is_done_is_not_called_again() -> None:
    """Resume and retry of one slot: the missing slot alone, with the others counted towards the quorum."""
    again = step(recipe("a", "b", "c", layer={"quorum": 2}), good("1.1"), good("1.3"))
    assert (called(again), again.have, again.quorum) == (["1.2"], 2, 2)


def test_failures_are_not_shown_and_not_called_again() -> None:
    last = step(recipe("a", "b"), good("1.1"), bad("1.2"))
    assert (called(last), seen(last)) == (["2.1"], [["1.1"]])


def test_a_layer_that_failed_as_a_whole_is_skipped() -> None:
    last = step(recipe("a", layers=3), good("1.1"), bad("2.1"))
    assert seen(last) == [["1.1"]]
    alone = step(recipe("a", layers=3), bad("1.1"), bad("2.1"))
    assert (called(alone), seen(alone)) == (["3.1"], [[]])


def test_fallbacks_come_in_order_and_then_the_best_proposal() -> None:
    mixture = recipe("a", fallbacks=("f", "g"))
    assert called(step(mixture, good("1.1"), bad("2.1"))) == ["2.2"]
    assert called(step(mixture, good("1.1"), bad("2.1"), bad("2.2"))) == ["2.3"]
    found = plan_of(mixture).next(done(good("1.1"), bad("2.1"), good("2.2")))
    assert found == Settled(Status.COMPLETE, Slot(2, 2), whole=False)
    found = plan_of(mixture).next(done(good("1.1"), bad("2.1"), bad("2.2"), bad("2.3")))
    assert found == Settled(Status.COMPLETE, Slot(1, 1), whole=False)
    found = plan_of(mixture).next(done(bad("1.1"), bad("2.1"), bad("2.2"), bad("2.3")))
    assert found == Settled(Status.FAILED, None, whole=False)


@pytest.mark.parametrize("kind", [FailureKind.STOPPED, FailureKind.BUDGET])
def test_no_fallback_follows_a_stop_or_an_empty_purse(kind: FailureKind) -> None:
    found = plan_of(recipe("a", fallbacks=("f",))).next(done(good("1.1"), bad("2.1", kind)))
    assert found == Settled(Status.COMPLETE, Slot(1, 1), whole=False)


def test_a_fallbacks_text_that_is_reused_stands_whatever_became_of_the_aggregator() -> None:
    mixture = recipe("a", fallbacks=("f", "g"))
    found = plan_of(mixture).next(done(good("1.1"), bad("2.1", FailureKind.BUDGET), good("2.3")))
    assert found == Settled(Status.COMPLETE, Slot(2, 3), whole=False)


def test_the_analyst_writes_first_and_the_aggregator_sees_it() -> None:
    mixture = recipe("a", style=PromptStyle.ANALYSIS, fallbacks=("f",))
    assert [(str(s), a.part) for s, a in plan_of(mixture).slots()] == [
        ("1.1", Part.PROPOSER), ("2.1", Part.ANALYST), ("2.2", Part.AGGREGATOR),
    ]  # fmt: skip
    first = step(mixture, good("1.1"))
    assert (called(first), first.part) == (["2.1"], Part.ANALYST)
    then = step(mixture, good("1.1"), good("2.1", "{}"))
    assert (called(then), then.calls[0].analysis, then.part) == (["2.2"], "{}", Part.AGGREGATOR)
    assert called(step(mixture, good("1.1"), good("2.1"), bad("2.2"))) == ["2.3"]


def test_a_missing_analysis_is_not_what_was_asked_for() -> None:
    mixture = recipe("a", style=PromptStyle.ANALYSIS)
    then = step(mixture, good("1.1"), bad("2.1"))
    assert (called(then), then.calls[0].analysis, seen(then)) == (["2.2"], None, [["1.1"]])
    found = plan_of(mixture).next(done(good("1.1"), bad("2.1"), good("2.2")))
    assert found == Settled(Status.COMPLETE, Slot(2, 2), whole=False)


def test_nobody_analyses_nothing() -> None:
    assert called(step(recipe("a", style=PromptStyle.ANALYSIS), bad("1.1"))) == ["2.2"]


@pytest.mark.parametrize(
    ("quorum", "outcomes", "met"),
    [
        (None, [good("1.1"), good("1.2"), good("1.3")], True),
        (None, [good("1.1"), good("1.2"), bad("1.3")], False),
        (2, [good("1.1"), good("1.2"), bad("1.3")], True),
        (2, [good("1.1"), bad("1.2"), bad("1.3")], False),
        (5, [good("1.1"), good("1.2"), good("1.3")], True),
    ],
)
def test_a_quorum_makes_a_lost_proposer_no_loss(quorum: int | None, outcomes: list[Outcome], met: bool) -> None:
    mixture = recipe("a", "b", "c", layer={"quorum": quorum})
    assert quorum_met(mixture, done(*outcomes)) is met


def test_the_best_single_proposal_is_what_most_agree_with() -> None:
    odd = good("1.1", "completely different words here")
    one, two = good("1.2", "the sky is blue"), good("1.3", "the sky is very blue")
    assert best_single([odd, one, two]) is one
    cut = good("1.2", "the sky is blue", Finish.LENGTH)
    assert best_single([odd, cut, two]) is two
    assert best_single([cut]) is cut
    assert best_single([]) is None
    assert best_single([good("1.1", "same"), good("1.2", "same")]) == good("1.1", "same")
