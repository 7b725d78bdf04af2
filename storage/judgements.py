"""Judgements of comparisons: one for each user, turn and judge."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from moa.chat.opinions import Judgement, JudgementRecord
from moa.core.domain import Recipe
from moa.core.errors import NotFound
from storage.beginning import hold_user
from storage.ids import new_id
from storage.models import ConversationRow, JudgementRow, RunRow, TurnRow, VoteRow
from storage.reading import turn_row
from storage.rows import vote_of


def save_judgement(session: Session, owner: str, judgement: Judgement, now: dt.datetime) -> None:
    """Write a judgement, in place of that judge's earlier one."""
    turn = turn_row(session, owner, judgement.turn_id)
    runs = set(session.scalars(select(RunRow.id).where(RunRow.turn_id == turn.id)))
    if not runs.issuperset(judgement.sides):
        raise NotFound("answer")
    hold_user(session, owner, now)
    row = session.scalar(
        select(JudgementRow).where(
            JudgementRow.turn_id == turn.id, JudgementRow.owner_id == owner, JudgementRow.judge == judgement.judge
        )
    )
    if row is None:
        row = JudgementRow(id=new_id(), turn_id=turn.id, owner_id=owner, judge=judgement.judge)
        session.add(row)
    row.sides, row.verdicts, row.created_at = judgement.sides, judgement.verdicts, judgement.at
    row.usage, row.cost_microusd = judgement.usage, judgement.cost_microusd
    row.duration_ms, row.cut_chars = judgement.duration_ms, judgement.cut_chars


def of_turn(session: Session, owner: str, turn_id: str) -> tuple[Judgement, ...]:
    """All judgements of a turn, oldest first."""
    turn = turn_row(session, owner, turn_id)
    rows = session.scalars(
        select(JudgementRow)
        .where(JudgementRow.turn_id == turn.id, JudgementRow.owner_id == owner)
        .order_by(JudgementRow.created_at, JudgementRow.id)
    )
    return tuple(map(_judgement, rows))


def list_judgements(session: Session, owner: str) -> tuple[JudgementRecord, ...]:
    """All judgements with what they were about, oldest first, in one query."""
    found = session.execute(
        select(JudgementRow, VoteRow, RunRow.id, RunRow.recipe)
        .join(TurnRow, TurnRow.id == JudgementRow.turn_id)
        .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
        .join(RunRow, RunRow.turn_id == TurnRow.id)
        .outerjoin(VoteRow, and_(VoteRow.turn_id == TurnRow.id, VoteRow.owner_id == owner))
        .where(JudgementRow.owner_id == owner, ConversationRow.owner_id == owner, ConversationRow.deleted_at.is_(None))
        .order_by(JudgementRow.created_at, JudgementRow.id)
    )
    rows: dict[str, tuple[JudgementRow, VoteRow | None]] = {}
    recipes: dict[str, dict[str, Recipe]] = defaultdict(dict)
    for row, vote, run_id, recipe in found:
        rows[row.id] = row, vote
        recipes[row.id][run_id] = recipe
    return tuple(
        JudgementRecord(
            _judgement(row), tuple(recipes[id_][side] for side in row.sides), vote_of(vote) if vote else None
        )
        for id_, (row, vote) in rows.items()
    )


def _judgement(row: JudgementRow) -> Judgement:
    return Judgement(
        row.turn_id, row.judge, row.sides, row.verdicts, row.usage, row.cost_microusd, row.duration_ms,
        row.cut_chars, row.created_at,
    )  # fmt: skip
