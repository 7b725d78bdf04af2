"""What is written while a run goes on and when it ends, also by a process that was taken for dead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from moa.chat.values import SavedCall
from moa.core.domain import (
    Agent,
    FailureKind,
    LeftOut,
    Message,
    Outcome,
    Part,
    Proposal,
    RunResult,
    Slot,
    Status,
    Usage,
)
from storage.ids import new_id
from storage.models import ResponseRow, RunRow, Stage
from storage.reading import run_row
from storage.rows import cut_off, outcome_of, slot_of, write_outcome, write_result


@dataclass(frozen=True, slots=True)
class Begun:
    """A slot that is about to be called."""

    slot: Slot
    agent: Agent
    messages: tuple[Message, ...]
    left_out: LeftOut


def begin_call(session: Session, owner: str, run_id: str, call: Begun, process: str, now: dt.datetime) -> None:
    """Write what a slot is asked, before it is asked. Slots and runs that have ended stay as they are."""
    run = run_row(session, owner, run_id)
    known = by_slot(session, run)
    if not _goes_on(session, run, known, process):
        return
    row = _response(session, run, known, call.slot)
    if row.stage is Stage.GROWING:
        row.agent, row.messages, row.left_out = call.agent, call.messages, call.left_out
    run.heartbeat_at = now


def save_call(session: Session, owner: str, run_id: str, call: SavedCall, now: dt.datetime) -> None:
    """Write one slot's end. Writing it again changes nothing, so that a doubtful save can be repeated."""
    run = run_row(session, owner, run_id)
    row = _response(session, run, by_slot(session, run), call.slot)
    write_outcome(row, call.outcome)
    row.messages, row.left_out = call.messages, call.left_out
    run.heartbeat_at = now


def checkpoint(
    session: Session, owner: str, run_id: str, growing: Mapping[Slot, str], process: str, now: dt.datetime
) -> bool:
    """Write texts that still grow. Slots and runs that have ended stay as they are. Whether the run is to stop."""
    run = run_row(session, owner, run_id)
    known = by_slot(session, run)
    if not _goes_on(session, run, known, process):
        return run.process == process
    for slot, text in growing.items():
        row = _response(session, run, known, slot)
        if row.stage is Stage.GROWING:
            row.text = text
    run.heartbeat_at = now
    return run.stop_asked_at is not None


def end_run(session: Session, owner: str, run_id: str, result: RunResult, now: dt.datetime) -> None:
    """Write the result. Slots that still grow and are not in it become stopped. A run that was taken for dead becomes
    what it really was."""
    run = run_row(session, owner, run_id)
    known = by_slot(session, run)
    for row in known.values():
        row.ordinal = None
    for ordinal, outcome in enumerate(result.outcomes):
        row = _response(session, run, known, outcome.slot)
        write_outcome(row, outcome)
        row.ordinal = ordinal
    for row in known.values():
        if row.stage is Stage.GROWING:
            cut_off(row, run.recipe, FailureKind.STOPPED)
    write_result(run, result)
    run.ended_at = run.heartbeat_at = now
    run.process = None


def interrupt(run: RunRow, responses: Iterable[ResponseRow]) -> None:
    """End a run as interrupted: slots that still grow are cut off where they are."""
    rows = sorted(responses, key=slot_of)
    for ordinal, row in enumerate(rows):
        if row.stage is Stage.GROWING:
            cut_off(row, run.recipe, FailureKind.INTERRUPTED)
        row.ordinal = ordinal
    write_result(run, _interrupted(run, rows))


def _interrupted(run: RunRow, rows: Sequence[ResponseRow]) -> RunResult:
    """What is known of a run whose process died. Its answer is as much as the aggregator wrote."""
    outcomes = tuple(outcome_of(row, run.recipe) for row in rows)
    writer = next((o for o in reversed(outcomes) if o.agent.part is Part.AGGREGATOR), None)
    paid = [o for o, row in zip(outcomes, rows, strict=True) if not row.reused]
    return RunResult(
        Status.INTERRUPTED, _text(writer) if writer else "", writer.slot if writer else None, outcomes,
        usage=_sum_usage(paid), cost_microusd=_sum_cost(paid), calls=len(paid),
        duration_ms=max(0, round((run.heartbeat_at - run.started_at).total_seconds() * 1000)),
    )  # fmt: skip


def _text(outcome: Outcome) -> str:
    return outcome.text if isinstance(outcome, Proposal) else outcome.partial


def _sum_usage(outcomes: Iterable[Outcome]) -> Usage | None:
    known = [o.usage for o in outcomes if isinstance(o, Proposal) and o.usage]
    return reduce(Usage.__add__, known) if known else None


def _sum_cost(outcomes: Sequence[Outcome]) -> int | None:
    """A sum with an unknown part is unknown, never too small a number."""
    costs = [o.cost_microusd for o in outcomes if isinstance(o, Proposal)]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None


def by_slot(session: Session, run: RunRow) -> dict[Slot, ResponseRow]:
    """The newest response of each slot."""
    rows = session.scalars(select(ResponseRow).where(ResponseRow.run_id == run.id).order_by(ResponseRow.attempt))
    return {slot_of(row): row for row in rows}


def _goes_on(session: Session, run: RunRow, known: dict[Slot, ResponseRow], process: str) -> bool:
    """Whether the run is under way. One of this ``process`` that was taken for dead is so again, unless it was to stop
    or another attempt has taken its place."""
    if run.status is Status.INTERRUPTED and run.process == process and not run.stop_asked_at:
        beside = RunRow.turn_id == run.turn_id, RunRow.column_no == run.column_no
        later = exists().where(*beside, RunRow.attempt > run.attempt)
        if not session.scalar(select(later)):
            _take_back(run, known.values())
    return run.status is Status.RUNNING


def _take_back(run: RunRow, responses: Iterable[ResponseRow]) -> None:
    run.status, run.ended_at = Status.RUNNING, None
    for row in responses:
        row.ordinal = None
        if row.error_kind is FailureKind.INTERRUPTED and not row.reused:
            row.stage = Stage.GROWING


def _response(session: Session, run: RunRow, known: dict[Slot, ResponseRow], slot: Slot) -> ResponseRow:
    """The newest response of a slot, made as a growing one when there is none."""
    row = known.get(slot)
    if row is None:
        row = ResponseRow(
            id=new_id(), run_id=run.id, layer=slot.layer, position=slot.position, stage=Stage.GROWING, text="",
        )  # fmt: skip
        session.add(row)
        known[slot] = row
    return row
