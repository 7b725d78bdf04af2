"""Queries. Each has the owner in its WHERE, so that a foreign id and a missing one are the same empty result.

A load takes a fixed number of queries, however long the conversation is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import false, select
from sqlalchemy.orm import Session, undefer

from moa.chat.values import ConversationRecord, RunRecord, TurnRecord
from moa.core.errors import NotFound
from storage.models import ConversationRow, ResponseRow, RunRow, TurnRow, VoteRow
from storage.rows import run_of, turn_of


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
    turns = load_turns(session, owner, path(session, row))
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


def load_turns(session: Session, owner: str, rows: Sequence[TurnRow], *, calls: bool = False) -> tuple[TurnRecord, ...]:
    """The turns of rows that were found as the owner's; with ``calls``, also what their runs sent."""
    runs = session.scalars(
        select(RunRow)
        .where(RunRow.turn_id.in_([row.id for row in rows]), RunRow.owner_id == owner)
        .order_by(RunRow.column_no, RunRow.attempt)
    ).all()
    by_turn = defaultdict(list)
    for record in load_runs(session, owner, runs, calls=calls):
        by_turn[record.turn_id].append(record)
    beside, votes = _siblings(session, rows), _votes(session, owner, rows)
    return tuple(
        turn_of(row, by_turn[row.id], beside[row.conversation_id, row.parent_id], votes.get(row.id)) for row in rows
    )


def _votes(session: Session, owner: str, rows: Sequence[TurnRow]) -> dict[str, VoteRow]:
    """The owner's votes on those of ``rows`` that are comparisons, by turn."""
    compared = [row.id for row in rows if row.comparison is not None]
    if not compared:
        return {}
    found = session.scalars(select(VoteRow).where(VoteRow.turn_id.in_(compared), VoteRow.owner_id == owner))
    return {vote.turn_id: vote for vote in found}


def load_runs(session: Session, owner: str, rows: Sequence[RunRow], *, calls: bool = False) -> list[RunRecord]:
    """The runs of rows that were found as the owner's; with ``calls``, also what they sent."""
    query = (
        select(ResponseRow)
        .join(RunRow, RunRow.id == ResponseRow.run_id)
        .where(ResponseRow.run_id.in_([row.id for row in rows]), RunRow.owner_id == owner)
    )
    responses = session.scalars(query.options(undefer(ResponseRow.messages)) if calls else query)
    by_run = defaultdict(list)
    for response in responses:
        by_run[response.run_id].append(response)
    return [run_of(row, by_run[row.id], calls=calls) for row in rows]


def _siblings(session: Session, rows: Sequence[TurnRow]) -> dict[tuple[str, str | None], list[str]]:
    """The turns at each place where one of ``rows`` is, in the order in which they were made."""
    found = session.execute(
        select(TurnRow.id, TurnRow.conversation_id, TurnRow.parent_id)
        .where(
            TurnRow.conversation_id.in_({row.conversation_id for row in rows}),
            TurnRow.parent_id.in_({row.parent_id for row in rows if row.parent_id})
            | (TurnRow.parent_id.is_(None) if any(row.parent_id is None for row in rows) else false()),
        )
        .order_by(TurnRow.sibling)
    )
    beside = defaultdict(list)
    for turn_id, conversation_id, parent_id in found:
        beside[conversation_id, parent_id].append(turn_id)
    return beside


def path(session: Session, conversation: ConversationRow) -> Sequence[TurnRow]:
    """The turns from the root to the head, by one recursive query up the parents."""
    head = select(TurnRow.id, TurnRow.parent_id).where(
        TurnRow.id == conversation.head_turn_id, TurnRow.conversation_id == conversation.id
    )
    way = head.cte("path", recursive=True)
    above = select(TurnRow.id, TurnRow.parent_id).join(way, TurnRow.id == way.c.parent_id)
    way = way.union(above)
    return session.scalars(select(TurnRow).join(way, TurnRow.id == way.c.id).order_by(TurnRow.position)).all()
