"""What is written before a model is called: users, conversations, turns and runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, undefer

from moa.chat.values import NewTurn, RunRecord, TurnRecord
from moa.core.domain import Outcome, Proposal, Slot
from moa.core.errors import Conflict, NotFound
from storage.fresh import NewRun, begin_conversation, run_values
from storage.ids import new_id
from storage.models import ConversationRow, ResponseRow, RunRow, Stage, TurnRow, UserRow
from storage.reading import conversation_row, load_runs, load_turn, turn_row
from storage.recovery import make_way
from storage.rows import outcome_of, write_outcome

MOVED = (
    "This conversation went on somewhere else. Reload to see the latest answer and continue from there; "
    "your question was not sent."
)

def begin_turn(session: Session, owner: str, new: NewTurn, process: str, now: dt.datetime) -> tuple[TurnRecord, bool]:
    """Store a question and its runs, or find the one that this request key stored before."""
    hold_user(session, owner, now)
    seen = _seen(session, owner, new.request_key)
    if seen is not None:
        return load_turn(session, owner, seen.turn_id), False
    if new.conversation_id is None:
        if new.parent_id is not None:  # a turn of no conversation of theirs
            raise NotFound("question")
        return begin_conversation(session, owner, new, process, now), True
    conversation = conversation_row(session, owner, new.conversation_id, lock=True)
    if not new.branch and conversation.head_turn_id != new.expected_head:
        raise Conflict(MOVED)
    parent = _parent(session, conversation, new)
    if new.branch:
        make_way(session, conversation.id, now)
    turn = add_turn(session, conversation, parent, new.question, now)
    turn.comparison = new.comparison
    _add_run(session, owner, turn, NewRun(new.recipe, new.seed, new.request_key, process), now)
    for column, beside in enumerate(new.columns, 2):
        _add_run(session, owner, turn, NewRun(beside.recipe, beside.seed, None, process, column), now)
    conversation.head_turn_id, conversation.updated_at = turn.id, now
    _settle(session)
    return load_turn(session, owner, turn.id), True


def begin_run(
    session: Session, owner: str, turn_id: str, new: NewRun, reuse: Mapping[Slot, Outcome], now: dt.datetime
) -> tuple[RunRecord, bool]:
    """Store another attempt at a turn, or find the one that this request key stored before."""
    turn = turn_row(session, owner, turn_id)
    if _last_attempt(session, turn, new.column) is None:
        raise NotFound("answer")
    hold_user(session, owner, now)
    run = _seen(session, owner, new.request_key)
    fresh = run is None
    if run is None:
        conversation = conversation_row(session, owner, turn.conversation_id, lock=True)
        make_way(session, conversation.id, now)
        run = _add_run(session, owner, turn, new, now)
        _copy_outcomes(session, run, reuse)
        conversation.updated_at = now
        _settle(session)
    else:
        turn_row(session, owner, run.turn_id)
    return load_runs(session, owner, [run])[0], fresh


def hold_user(session: Session, owner: str, now: dt.datetime) -> None:
    """Make the user known, and let one request of a user begin at a time: a double click finds the first's.

    SQLite's one writer does that by itself; PostgreSQL does it by this row's lock.
    """
    shared = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if shared else sqlite.insert
    session.execute(insert(UserRow).values(id=owner, created_at=now).on_conflict_do_nothing())
    if shared:
        session.execute(select(UserRow.id).where(UserRow.id == owner).with_for_update(key_share=True))


def _settle(session: Session) -> None:
    """Write, and forget what was given: what is returned is what the database holds, cleaned text and all."""
    session.flush()
    session.expire_all()


def _seen(session: Session, owner: str, request_key: str | None) -> RunRow | None:
    return session.scalar(select(RunRow).where(RunRow.owner_id == owner, RunRow.request_key == request_key))


def _parent(session: Session, conversation: ConversationRow, new: NewTurn) -> TurnRow | None:
    wanted = new.parent_id if new.branch else conversation.head_turn_id
    if wanted is None:
        return None
    found = session.scalar(select(TurnRow).where(TurnRow.id == wanted, TurnRow.conversation_id == conversation.id))
    if found is None:
        raise NotFound("question")
    return found


def add_turn(
    session: Session, conversation: ConversationRow, parent: TurnRow | None, question: str, now: dt.datetime
) -> TurnRow:
    """Write a turn under another one, or as a first one, as the newest of those there."""
    siblings = select(func.max(TurnRow.sibling)).where(
        TurnRow.conversation_id == conversation.id, TurnRow.parent_id == (parent.id if parent else None)
    )
    row = TurnRow(
        id=new_id(), conversation_id=conversation.id, parent_id=parent.id if parent else None,
        position=parent.position + 1 if parent else 1, sibling=1 + (session.scalar(siblings) or 0),
        question=question, created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _add_run(session: Session, owner: str, turn: TurnRow, new: NewRun, now: dt.datetime) -> RunRow:
    """The column's next attempt; it becomes the one shown there."""
    attempt = (_last_attempt(session, turn, new.column) or 0) + 1
    row = RunRow(**run_values(owner, turn.id, new, attempt, now))
    session.add(row)
    session.flush()
    if new.column == 1:
        turn.shown_run_id = row.id
    return row


def _last_attempt(session: Session, turn: TurnRow, column: int) -> int | None:
    """The number of a column's newest attempt; None when the turn has no such column."""
    query = select(func.max(RunRow.attempt)).where(RunRow.turn_id == turn.id, RunRow.column_no == column)
    return session.scalar(query)


def _copy_outcomes(session: Session, run: RunRow, reuse: Mapping[Slot, Outcome]) -> None:
    """Write reused outcomes into the run, with the messages of the earlier attempt that they came from."""
    sources = _sources(session, run) if reuse else {}
    for slot, outcome in reuse.items():
        source = next((row for row, was in sources.get(slot, ()) if was == _as_called(outcome)), None)
        row = ResponseRow(id=new_id(), run_id=run.id, layer=slot.layer, position=slot.position)
        write_outcome(row, outcome)
        row.reused = True
        if source is not None:
            row.messages, row.left_out = source.messages, source.left_out
        session.add(row)


def _sources(session: Session, run: RunRow) -> dict[Slot, list[tuple[ResponseRow, Outcome]]]:
    found: dict[Slot, list[tuple[ResponseRow, Outcome]]] = {}
    earlier = session.execute(
        select(ResponseRow, RunRow)
        .join(RunRow, RunRow.id == ResponseRow.run_id)
        .where(RunRow.turn_id == run.turn_id, ResponseRow.stage != Stage.GROWING)
        .options(undefer(ResponseRow.messages))
        .order_by(RunRow.attempt.desc())
    )
    for row, of in earlier:
        outcome = outcome_of(row, of.recipe)
        found.setdefault(outcome.slot, []).append((row, _as_called(outcome)))
    return found


def _as_called(outcome: Outcome) -> Outcome:
    return replace(outcome, reused=False) if isinstance(outcome, Proposal) else outcome
