from __future__ import annotations

from dataclasses import replace

import pytest

from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Missing,
    Outcome,
    Part,
    Proposal,
    RunResult,
    Slot,
    Status,
    Usage,
)
from moa.engine.plans import Settled
from moa.engine.results import conclude
from tests.support.mixtures import recipe

A, B, AGG, FALLBACK = Slot(1, 1), Slot(1, 2), Slot(2, 1), Slot(2, 2)
WRITER = Agent("agg", Part.AGGREGATOR)
MISSING = (Missing(B, "B", "timed out"),)
WHOLE = Settled(Status.COMPLETE, AGG)


def good(slot: Slot, cost: int | None = 5, usage: Usage | None = Usage(10, 2)) -> Proposal:  # noqa: B008 - frozen
    return Proposal(slot, WRITER if slot.layer == 2 else Agent("a"), f"Text {slot}", usage=usage, cost_microusd=cost)


def bad(slot: Slot, kind: FailureKind = FailureKind.IDLE_TIMEOUT) -> Failure:
    return Failure(slot, WRITER if slot.layer == 2 else Agent("a"), kind, "Lost.", partial="Half")


def result(
    *outcomes: Outcome, settled: Settled | None = WHOLE, stopped: FailureKind | None = None, quorum: int | None = None
) -> RunResult:
    return conclude(
        recipe("a", "b", layer={"quorum": quorum}), {o.slot: o for o in outcomes}, settled, stopped=stopped,
        missing=MISSING, calls=3, first_answer_ms=40, duration_ms=90,
    )  # fmt: skip


def test_all_in_is_complete() -> None:
    found = result(good(AGG), good(B), good(A))
    assert (found.status, found.answer, found.answer_slot) == (Status.COMPLETE, "Text 2.1", AGG)
    assert [o.slot for o in found.outcomes] == [A, B, AGG]
    assert (found.calls, found.first_answer_ms, found.duration_ms) == (3, 40, 90)


@pytest.mark.parametrize(("quorum", "status"), [(None, Status.DEGRADED), (1, Status.COMPLETE), (2, Status.DEGRADED)])
def test_F03_a_lost_proposer_degrades_unless_a_quorum_allows_it(quorum: int | None, status: Status) -> None:
    found = result(good(A), bad(B), good(AGG), quorum=quorum)
    assert (found.status, found.degraded_because) == (status, MISSING)


def test_F05_a_fallbacks_answer_is_degraded_and_stands_alone() -> None:
    found = result(good(A), good(B), bad(AGG), good(FALLBACK), settled=Settled(Status.COMPLETE, FALLBACK, whole=False))
    assert (found.status, found.answer, found.answer_slot) == (Status.DEGRADED, "Text 2.2", FALLBACK)


def test_F06_a_failed_run_has_no_answer() -> None:
    found = result(bad(A), bad(B), bad(AGG), settled=Settled(Status.FAILED, None, whole=False))
    assert (found.status, found.answer, found.answer_slot) == (Status.FAILED, "", None)


@pytest.mark.parametrize(
    ("why", "status"), [(FailureKind.STOPPED, Status.CANCELLED), (FailureKind.INTERRUPTED, Status.INTERRUPTED)]
)
def test_a_stopped_run_keeps_what_was_written(why: FailureKind, status: Status) -> None:
    found = result(good(A), good(B), bad(AGG, why), settled=None, stopped=why)
    assert (found.status, found.answer, found.answer_slot) == (status, "Half", AGG)
    assert found.degraded_because == ()
    early = result(bad(A, why), bad(B, why), settled=None, stopped=why)
    assert (early.status, early.answer, early.answer_slot) == (status, "", None)


def test_a_run_that_broke_off_failed() -> None:
    assert result(good(A), settled=None).status is Status.FAILED


def test_usage_and_cost_add_up_over_what_this_run_called() -> None:
    found = result(good(A), replace(good(B, cost=1000, usage=Usage(999, 9)), reused=True), good(AGG, cost=7))
    assert (found.usage, found.cost_microusd) == (Usage(20, 4), 12)


def test_one_unknown_cost_makes_the_sum_unknown() -> None:
    found = result(good(A), good(B, cost=None, usage=Usage(10, 2, estimated=True)), good(AGG))
    assert (found.usage, found.cost_microusd) == (Usage(30, 6, estimated=True), None)
    free = result(good(A, cost=0), good(B, cost=0), good(AGG, cost=0))
    assert free.cost_microusd == 0
    none = result(bad(A), bad(B), bad(AGG), settled=Settled(Status.FAILED, None, whole=False))
    assert (none.usage, none.cost_microusd) == (None, None)
