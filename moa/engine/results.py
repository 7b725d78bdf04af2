"""Draws the result of a run from its outcomes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from moa.core.domain import (
    FailureKind,
    Missing,
    Outcome,
    Part,
    Proposal,
    Recipe,
    RunResult,
    Slot,
    Status,
    Usage,
)
from moa.engine.plans import Settled, quorum_met


def conclude(
    recipe: Recipe, done: Mapping[Slot, Outcome], settled: Settled | None, *, stopped: FailureKind | None,
    missing: tuple[Missing, ...], calls: int, first_answer_ms: int | None, duration_ms: int,
) -> RunResult:  # fmt: skip
    """The result of a run that was settled by its plan, stopped, or (``settled`` None) broke off."""
    slot = settled.answer_slot if settled else _newest_writer(done)
    outcome = done.get(slot) if slot else None
    answer = outcome.text if isinstance(outcome, Proposal) else outcome.partial if outcome else ""
    outcomes = tuple(outcome for _, outcome in sorted(done.items()))
    costs = [o.cost_microusd for o in outcomes if isinstance(o, Proposal) and not o.reused]
    return RunResult(
        _status(recipe, done, settled, stopped=stopped), answer, slot, outcomes,
        degraded_because=() if stopped else missing, usage=_usage(outcomes),
        cost_microusd=_sum_known(costs), calls=calls, first_answer_ms=first_answer_ms, duration_ms=duration_ms,
    )  # fmt: skip


def _status(
    recipe: Recipe, done: Mapping[Slot, Outcome], settled: Settled | None, *, stopped: FailureKind | None
) -> Status:
    if stopped:
        return Status.INTERRUPTED if stopped is FailureKind.INTERRUPTED else Status.CANCELLED
    if settled is None or settled.status is Status.FAILED:
        return Status.FAILED
    return Status.COMPLETE if settled.whole and quorum_met(recipe, done) else Status.DEGRADED


def _newest_writer(done: Mapping[Slot, Outcome]) -> Slot | None:
    return max((s for s, o in done.items() if o.agent.part is Part.AGGREGATOR), default=None)


def _usage(outcomes: tuple[Outcome, ...]) -> Usage | None:
    known = [o.usage for o in outcomes if isinstance(o, Proposal) and o.usage is not None and not o.reused]
    return sum(known[1:], known[0]) if known else None


def _sum_known(costs: list[int | None]) -> int | None:
    """A sum with an unknown part is unknown, never too small a number."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None
