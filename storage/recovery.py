"""Runs whose process died: found, and ended as interrupted.

Each run names its process and has its heartbeat at least once a second. It is dead when that process is known to be
gone (``storage.processes``: at once for one that ran on this machine), else when the heartbeat is older than a
few seconds, by the clocks of both machines: these must agree better than that. A heartbeat that lies as far ahead is
no sign of life either: the clock has been set back since.

A process that was only slow or asleep takes its run back with its next checkpoint (``storage.journal``), so a wrong
verdict costs nothing; and whenever it ends, that end replaces the interruption.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from moa.chat.ports import BEING_WRITTEN, STALE_S
from moa.core.domain import Status
from moa.core.errors import Busy
from storage.journal import by_slot, interrupt
from storage.models import RunRow, TurnRow
from storage.processes import is_gone
from storage.reading import run_row


def find_dead(session: Session, stale_s: float, alive: Collection[str], now: dt.datetime) -> list[str]:
    """The dead runs by id. ``alive`` are runs that are known not to be."""
    running = session.execute(select(RunRow.id, RunRow.process, RunRow.heartbeat_at).where(_RUNNING))
    return [id_ for id_, process, beat in running if id_ not in alive and _is_dead(process, beat, stale_s, now)]


def recover(session: Session, dead: Collection[str], stale_s: float, now: dt.datetime) -> int:
    """End those of these runs that are still dead, with what had arrived of them. Returns how many."""
    query = select(RunRow).where(RunRow.id.in_(dead), _RUNNING).with_for_update(skip_locked=True)
    still = [run for run in session.scalars(query) if _is_dead(run.process, run.heartbeat_at, stale_s, now)]
    for run in still:
        _end(session, run, now)
    return len(still)


def make_way(session: Session, conversation_id: str, now: dt.datetime) -> None:
    """Let another run begin in a conversation, which is locked. Raises Busy while one is under way; a dead one ends."""
    query = select(RunRow).join(TurnRow, TurnRow.id == RunRow.turn_id)
    found = query.where(TurnRow.conversation_id == conversation_id, _RUNNING).with_for_update(of=RunRow)
    for run in session.scalars(found).all():
        if not _is_dead(run.process, run.heartbeat_at, STALE_S, now):
            raise Busy(BEING_WRITTEN, retry_after_s=1)
        _end(session, run, now)


def ask_to_stop(session: Session, owner: str, run_id: str, now: dt.datetime) -> bool:
    """Note for a run's process that it is to stop, or end the run if that process is dead. Whether it still runs."""
    run = run_row(session, owner, run_id)
    if run.status is not Status.RUNNING:
        return False
    run.stop_asked_at = run.stop_asked_at or now
    if _is_dead(run.process, run.heartbeat_at, STALE_S, now):
        _end(session, run, now)
        return False
    return True


_RUNNING = RunRow.status == Status.RUNNING


def _is_dead(process: str | None, heartbeat_at: dt.datetime, stale_s: float, now: dt.datetime) -> bool:
    return is_gone(process) or abs(now - heartbeat_at) >= dt.timedelta(seconds=stale_s)


def _end(session: Session, run: RunRow, now: dt.datetime) -> None:
    interrupt(run, by_slot(session, run).values())
    run.ended_at = now
