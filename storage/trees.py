"""Whole conversations out of the database and into it, all branches and attempts with what was sent."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from moa.chat.values import ConversationTree, RunRecord, TurnRecord
from moa.core.codec import cleaned
from moa.core.domain import Recipe, Slot
from moa.core.errors import InputRefused
from moa.core.text import clean
from storage.beginning import add_turn, hold_user
from storage.fresh import UNTITLED
from storage.ids import new_id
from storage.journal import interrupt
from storage.models import ConversationRow, ResponseRow, RunRow, Stage, TitleSource, TurnRow
from storage.reading import conversation_row, load_turns
from storage.rows import write_outcome, write_result

NOT_A_TREE = "The import is broken: its questions don't follow from each other. Export the conversation again."
NO_RUN = "The import is broken: a question has no answer, not even a failed one. Export the conversation again."
TOO_LARGE = "The import is broken: it holds a number that is far too large."
TITLE_CHARS = 200


def title_line(title: str) -> str:
    """A title as it is stored: clean, one line, at most 200 characters."""
    return " ".join(clean(title).split())[:TITLE_CHARS].rstrip()


def load_tree(session: Session, owner: str, conversation_id: str) -> ConversationTree:
    """All turns with all runs, oldest first."""
    row = conversation_row(session, owner, conversation_id)
    turns = session.scalars(select(TurnRow).where(TurnRow.conversation_id == row.id)).all()
    records = {turn.id: turn for turn in load_turns(session, owner, turns, calls=True)}
    ordered = tuple(records[turn.id] for turn in _oldest_first(turns))
    return ConversationTree(row.id, row.title, row.created_at, row.updated_at, row.head_turn_id, ordered)


def _oldest_first(turns: Sequence[TurnRow]) -> list[TurnRow]:
    """By time, but a parent before its children and siblings in their order, whatever the clock did meanwhile."""
    places: dict[str | None, list[TurnRow]] = defaultdict(list)
    for turn in sorted(turns, key=lambda turn: turn.sibling):
        places[turn.parent_id].append(turn)
    ordered: list[tuple[dt.datetime, tuple[int, ...], TurnRow]] = []
    open_places: list[tuple[str | None, dt.datetime, tuple[int, ...]]] = [
        (None, dt.datetime.min.replace(tzinfo=dt.UTC), ())
    ]
    while open_places:
        parent_id, at, way = open_places.pop()
        for turn in places[parent_id]:
            at = max(at, turn.created_at)
            ordered.append((at, (*way, turn.sibling), turn))
            open_places.append((turn.id, at, (*way, turn.sibling)))
    ordered.sort(key=lambda entry: entry[:2])
    return [turn for _, _, turn in ordered]


def import_tree(session: Session, owner: str, tree: ConversationTree, now: dt.datetime) -> str:
    """Write a tree under new ids, its comparisons with names; the id of its conversation."""
    try:
        return _import(session, owner, tree, now)
    except (OverflowError, DataError) as error:  # SQLite's driver and PostgreSQL, of a number beyond 64 bits
        raise InputRefused(TOO_LARGE) from error


def _import(session: Session, owner: str, tree: ConversationTree, now: dt.datetime) -> str:
    hold_user(session, owner, now)
    conversation = ConversationRow(
        id=new_id(), owner_id=owner, title=title_line(tree.title) or UNTITLED, title_source=TitleSource.USER,
        created_at=tree.created_at, updated_at=tree.updated_at,
    )  # fmt: skip
    session.add(conversation)
    session.flush()
    rows: dict[str | None, TurnRow | None] = {None: None}
    for turn in tree.turns:
        if turn.parent_id not in rows or turn.id in rows:
            raise InputRefused(NOT_A_TREE)
        rows[turn.id] = row = add_turn(session, conversation, rows[turn.parent_id], turn.question, turn.created_at)
        row.shown_run_id = _add_runs(session, owner, row, turn)
        row.comparison = replace(turn.comparison, blind=False) if turn.comparison else None
    head = rows.get(tree.head)
    if head is None:
        raise InputRefused(NOT_A_TREE)
    conversation.head_turn_id = head.id
    return conversation.id


def _add_runs(session: Session, owner: str, row: TurnRow, turn: TurnRecord) -> str:
    """Write a turn's runs; the new id of the one shown."""
    ids = [_add_run(session, _run_row(owner, row, 1, attempt), run) for attempt, run in enumerate(turn.runs, 1)]
    for column in sorted({run.column for run in turn.further}):
        for attempt, run in enumerate(turn.attempts(column), 1):
            _add_run(session, _run_row(owner, row, column, attempt), run)
    shown = [new for new, run in zip(ids, turn.runs, strict=True) if run.id == turn.shown_run_id]
    if len(shown) != 1:
        raise InputRefused(NO_RUN)
    return shown[0]


def _run_row(owner: str, turn: TurnRow, column: int, attempt: int) -> RunRow:
    return RunRow(id=new_id(), turn_id=turn.id, owner_id=owner, column_no=column, attempt=attempt)


def _add_run(session: Session, row: RunRow, run: RunRecord) -> str:
    row.recipe = cleaned(Recipe, run.recipe)
    row.digest, row.seed, row.status = row.recipe.digest, run.seed, run.status
    row.started_at, row.heartbeat_at = run.started_at, run.heartbeat_at or run.started_at
    responses = _responses(row.id, run)
    if run.result is None:
        interrupt(row, responses.values())
    else:
        for ordinal, outcome in enumerate(run.result.outcomes):
            responses[outcome.slot].ordinal = ordinal
        write_result(row, run.result)
    row.ended_at = row.heartbeat_at
    session.add(row)
    session.flush()
    session.add_all(responses.values())
    return row.id


def _responses(run_id: str, run: RunRecord) -> dict[Slot, ResponseRow]:
    """A row for each slot of a run that has an outcome or, in a run without a result, the beginning of a text."""
    outcomes = {o.slot: o for o in (*run.outcomes, *(run.result.outcomes if run.result else ()))}
    sent = {call.slot: call for call in run.calls}
    rows = {}
    growing = run.growing if run.result is None else {}
    for slot in {**outcomes, **growing}:
        row = ResponseRow(id=new_id(), run_id=run_id, layer=slot.layer, position=slot.position, stage=Stage.GROWING)
        row.text, row.reused = growing.get(slot, ""), False
        if slot in outcomes:
            write_outcome(row, outcomes[slot])
        if slot in sent:
            row.messages, row.left_out = sent[slot].messages, sent[slot].left_out
        elif slot in run.left_out:
            row.left_out = run.left_out[slot]
        rows[slot] = row
    return rows
