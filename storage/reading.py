"""Queries. Each has the owner in its WHERE, so that a foreign id and a missing one are the same empty result.

A load takes a fixed number of queries, however long the conversation is.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from moa.chat.values import ConversationEntry, ConversationRecord, RunRecord, TurnRecord
from moa.core.domain import Status
from moa.core.errors import NotFound
from storage.models import ConversationRow, ResponseRow, RunRow, TurnRow
from storage.rows import run_of, turn_of

ENTRIES_MAX = 200


def list_entries(session: Session, owner: str, limit: int, before: dt.datetime | None) -> tuple[ConversationEntry, ...]:
    """The history's lines, newest change first."""
    row = ConversationRow
    running = (
        select(TurnRow.conversation_id)
        .join(RunRow, RunRow.turn_id == TurnRow.id)
        .where(RunRow.status == Status.RUNNING, RunRow.owner_id == owner)
    )
    query = (
        select(row.id, row.title, row.created_at, row.updated_at, row.id.in_(running))
        .where(row.owner_id == owner, row.deleted_at.is_(None))
        .order_by(row.updated_at.desc(), row.id.desc())
        .limit(max(1, min(limit, ENTRIES_MAX)))
    )
    if before is not None:
        query = query.where(row.updated_at < before)
    return tuple(ConversationEntry(*found) for found in session.execute(query))


def conversation_row(session: Session, owner: str, conversation_id: str, *, lock: bool = False) -> ConversationRow:
    """The row of a conversation that is there and the owner's. Raises NotFound."""
    query = select(ConversationRow).where(
        ConversationRow.id == conversation_id,
        ConversationRow.owner_id == owner,
        ConversationRow.deleted_at.is_(None),
    )
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("conversation")
    return row


def turn_row(session: Session, owner: str, turn_id: str) -> TurnRow:
    """The row of a turn in a conversation that is there and the owner's. Raises NotFound."""
    row = session.scalar(
        select(TurnRow)
        .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
        .where(TurnRow.id == turn_id, ConversationRow.owner_id == owner, ConversationRow.deleted_at.is_(None))
    )
    if row is None:
        raise NotFound("question")
    return row


def run_row(session: Session, owner: str, run_id: str) -> RunRow:
    """A run of the owner's, locked for writing, also when its conversation has been deleted meanwhile: that can be
    undone. Raises NotFound."""
    row = session.scalar(
        select(RunRow)
        .join(TurnRow, TurnRow.id == RunRow.turn_id)
        .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
        .where(RunRow.id == run_id, ConversationRow.owner_id == owner)
        .with_for_update(of=RunRow)
    )
    if row is None:
        raise NotFound("answer")
    return row


def load_conversation(session: Session, owner: str, conversation_id: str) -> ConversationRecord:
    """The path from the first turn to the head."""
    row = conversation_row(session, owner, conversation_id)
    turns = load_turns(session, owner, _path(session, row))
    return ConversationRecord(row.id, row.title, row.head_turn_id, turns)


def load_turn(session: Session, owner: str, turn_id: str) -> TurnRecord:
    """One turn with all its runs."""
    return load_turns(session, owner, [turn_row(session, owner, turn_id)])[0]


def load_turn_of_run(session: Session, owner: str, run_id: str) -> TurnRecord:
    """The turn that a run belongs to."""
    row = session.scalar(
        select(TurnRow)
        .join(RunRow, RunRow.turn_id == TurnRow.id)
        .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
        .where(RunRow.id == run_id, ConversationRow.owner_id == owner, ConversationRow.deleted_at.is_(None))
    )
    if row is None:
        raise NotFound("answer")
    return load_turns(session, owner, [row])[0]


def load_turns(session: Session, owner: str, rows: Sequence[TurnRow]) -> tuple[TurnRecord, ...]:
    """The turns of rows that were found as the owner's."""
    runs = session.scalars(
        select(RunRow)
        .where(RunRow.turn_id.in_([row.id for row in rows]), RunRow.owner_id == owner)
        .order_by(RunRow.attempt, RunRow.column_no)
    ).all()
    by_turn = defaultdict(list)
    for record in load_runs(session, owner, runs):
        by_turn[record.turn_id].append(record)
    return tuple(turn_of(row, by_turn[row.id]) for row in rows)


def load_runs(session: Session, owner: str, rows: Sequence[RunRow]) -> list[RunRecord]:
    """The runs of rows that were found as the owner's."""
    responses = session.scalars(
        select(ResponseRow)
        .join(RunRow, RunRow.id == ResponseRow.run_id)
        .where(ResponseRow.run_id.in_([row.id for row in rows]), RunRow.owner_id == owner)
    )
    by_run = defaultdict(list)
    for response in responses:
        by_run[response.run_id].append(response)
    return [run_of(row, by_run[row.id]) for row in rows]


def _path(session: Session, conversation: ConversationRow) -> Sequence[TurnRow]:
    """The turns from the root to the head, by one recursive query up the parents."""
    head = select(TurnRow.id, TurnRow.parent_id).where(
        TurnRow.id == conversation.head_turn_id, TurnRow.conversation_id == conversation.id
    )
    path = head.cte("path", recursive=True)
    above = select(TurnRow.id, TurnRow.parent_id).join(path, TurnRow.id == path.c.parent_id)
    path = path.union(above)
    return session.scalars(select(TurnRow).join(path, TurnRow.id == path.c.id).order_by(TurnRow.position)).all()
