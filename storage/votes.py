"""Votes on comparisons: one for each user and turn, by its owner alone."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, exists, select, true
from sqlalchemy.orm import Session, aliased

from moa.chat.opinions import VotedProposal, VotedRun, VoteRecord
from moa.chat.values import BAD, TIE, TurnRecord
from moa.core.domain import Status
from moa.core.errors import InputRefused, NotFound
from storage.beginning import hold_user
from storage.ids import new_id
from storage.models import ConversationRow, ResponseRow, RunRow, Stage, TurnRow, VoteRow
from storage.reading import load_turn, turn_row
from storage.rows import answer_slot_of, usage_of, vote_of

UNTOLD = "Vote first, then tag."
NOTHING = "There is nothing to vote on: this question was asked in one column."
UNFINISHED = "An answer is still being written: vote when all have ended."


def vote(session: Session, owner: str, turn_id: str, choice: str, now: dt.datetime) -> None:
    """Write a vote or change it. Once it is given names are shown: only a first vote of a blind comparison is blind."""
    turn = load_turn(session, owner, turn_id)
    sides = _sides(turn)
    if choice not in (*sides, TIE, BAD):
        raise NotFound("answer")
    hold_user(session, owner, now)
    row = session.scalar(select(VoteRow).where(VoteRow.turn_id == turn.id, VoteRow.owner_id == owner))
    if row is None:
        blind = turn.comparison is not None and turn.comparison.blind
        session.add(
            VoteRow(
                id=new_id(),
                turn_id=turn.id,
                owner_id=owner,
                sides=sides,
                choice=choice,
                blind=blind,
                created_at=now,
                updated_at=now,
            )
        )
    elif (row.choice, row.sides) != (choice, sides):
        row.choice, row.sides, row.blind, row.updated_at = choice, sides, False, now


def tag(session: Session, owner: str, turn_id: str, tags: tuple[str, ...]) -> None:
    """Give a vote other tags. It stays as blind and as old as it was."""
    turn = turn_row(session, owner, turn_id)
    row = session.scalar(select(VoteRow).where(VoteRow.turn_id == turn.id, VoteRow.owner_id == owner))
    if row is None:
        raise InputRefused(UNTOLD)
    row.tags = tags


def _sides(turn: TurnRecord) -> tuple[str, ...]:
    """The runs shown, from left to right. Raises InputRefused."""
    shown = {run.column: run for run in (turn.shown, *turn.columns)}
    if turn.comparison is None or len(shown) < 2:
        raise InputRefused(NOTHING)
    if any(run.status is Status.RUNNING for run in shown.values()):
        raise InputRefused(UNFINISHED)
    return tuple(shown[column].id for column in turn.comparison.order)


# The answer of a single model that another column's call gave: in the first layer only one of those writes answers.
_BORROWED = (
    ResponseRow.reused == true(), ResponseRow.layer == 1, RunRow.answer_layer == 1, ResponseRow.attempt == 1,
    ResponseRow.position == RunRow.answer_position,
)  # fmt: skip
_TAKEN = aliased(ResponseRow)
_TAKES_OVER = exists().where(_TAKEN.run_id == RunRow.id, _TAKEN.reused == true())


def list_votes(session: Session, owner: str) -> tuple[VoteRecord, ...]:
    """All votes with the runs of their sides, oldest first, in one query."""
    found = session.execute(
        select(VoteRow, TurnRow.conversation_id, TurnRow.question, RunRow, ResponseRow, _TAKES_OVER)
        .join(TurnRow, TurnRow.id == VoteRow.turn_id)
        .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
        .join(RunRow, RunRow.turn_id == TurnRow.id)
        .outerjoin(ResponseRow, and_(ResponseRow.run_id == RunRow.id, *_BORROWED))
        .where(VoteRow.owner_id == owner, ConversationRow.owner_id == owner, ConversationRow.deleted_at.is_(None))
        .order_by(VoteRow.created_at, VoteRow.id)
    )
    about: dict[str, tuple[VoteRow, str, str]] = {}
    runs: dict[str, dict[str, VotedRun]] = defaultdict(dict)
    for row, conversation_id, question, run, borrowed, takes_over in found:
        about[row.id] = row, conversation_id, question
        if run.id in row.sides:
            runs[row.id][run.id] = _voted(run, borrowed, takes_over=takes_over)
    return tuple(
        VoteRecord(row.turn_id, conversation_id, question, vote_of(row), tuple(runs[id_][side] for side in row.sides))
        for id_, (row, conversation_id, question) in about.items()
    )


def _voted(run: RunRow, borrowed: ResponseRow | None, *, takes_over: bool) -> VotedRun:
    spent: RunRow | ResponseRow = run
    calls, first_answer_ms, mixture = run.calls or 0, run.first_answer_ms, bool(run.recipe.layers)
    if borrowed is not None and not mixture:
        spent, calls, first_answer_ms = borrowed, 1, borrowed.first_token_ms
    return VotedRun(
        run.id, run.column_no, run.recipe, run.status, run.answer or "", usage_of(spent), spent.cost_microusd,
        calls, first_answer_ms, spent.duration_ms or 0, answer_slot_of(run), mixture and takes_over,
    )  # fmt: skip


def voted_proposals(session: Session, owner: str, run_ids: Sequence[str]) -> dict[str, tuple[VotedProposal, ...]]:
    """The texts of the last layer below each run's answer that has any, by position."""
    found = session.execute(
        select(ResponseRow.run_id, ResponseRow.layer, ResponseRow.position, ResponseRow.agent, ResponseRow.text)
        .join(RunRow, RunRow.id == ResponseRow.run_id)
        .where(
            RunRow.owner_id == owner,
            RunRow.id.in_(run_ids),
            ResponseRow.stage == Stage.DONE,
            ResponseRow.layer < RunRow.answer_layer,
        )
        .order_by(ResponseRow.run_id, ResponseRow.layer, ResponseRow.position, ResponseRow.attempt)
    )
    layers: dict[str, dict[int, dict[int, VotedProposal]]] = defaultdict(lambda: defaultdict(dict))
    for run_id, layer, position, agent, text in found:
        if agent is not None and text.strip():
            layers[run_id][layer][position] = VotedProposal(agent, text)
    return {run_id: tuple(texts[max(texts)].values()) for run_id, texts in layers.items()}
