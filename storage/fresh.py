"""A conversation's first turn, written in as few statements as there are rows: a model waits behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, insert, update
from sqlalchemy.orm import Session

from moa.chat.values import NewTurn, RunRecord, TurnRecord
from moa.core.codec import cleaned
from moa.core.domain import Recipe, Status
from moa.core.text import clean, first_words
from storage.ids import new_id
from storage.models import ConversationRow, RunRow, TitleSource, TurnRow

UNTITLED = "New chat"


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run starts from, and the process that carries it out."""

    recipe: Recipe
    seed: int
    request_key: str | None
    process: str
    column: int = 1


def begin_conversation(session: Session, owner: str, new: NewTurn, process: str, now: dt.datetime) -> TurnRecord:
    """Store a conversation with its first question and the runs of all columns, and give what is stored.

    Nothing is read back: all of it is known. ``tests/storage/test_turns.py`` compares it with what is read.
    """
    question, conversation, turn = clean(new.question), new_id(), new_id()
    _insert(
        session, ConversationRow, id=conversation, owner_id=owner, title=first_words(new.question) or UNTITLED,
        title_source=TitleSource.FIRST_WORDS, created_at=now, updated_at=now, source=new.source,
    )  # fmt: skip
    _insert(
        session, TurnRow, id=turn, conversation_id=conversation, position=1, question=question, created_at=now,
        comparison=new.comparison,
    )  # fmt: skip
    asked = [NewRun(new.recipe, new.seed, new.request_key, process)]
    asked += [NewRun(run.recipe, run.seed, None, process, column) for column, run in enumerate(new.columns, 2)]
    first, *further = [_add_run(session, owner, turn, run, now) for run in asked]
    _point(session, TurnRow, turn, shown_run_id=first.id)
    _point(session, ConversationRow, conversation, head_turn_id=turn)
    return _record(new, conversation, turn, question, now, (first, *further))


def run_values(owner: str, turn: str, new: NewRun, attempt: int, now: dt.datetime) -> dict[str, Any]:
    """The columns of a run that begins now."""
    recipe = cleaned(Recipe, new.recipe)
    return {
        "id": new_id(), "turn_id": turn, "owner_id": owner, "request_key": new.request_key, "column_no": new.column,
        "attempt": attempt, "status": Status.RUNNING, "recipe": recipe, "digest": recipe.digest, "seed": new.seed,
        "started_at": now, "heartbeat_at": now, "process": new.process,
    }  # fmt: skip


def _add_run(session: Session, owner: str, turn: str, new: NewRun, now: dt.datetime) -> RunRecord:
    row = run_values(owner, turn, new, 1, now)
    _insert(session, RunRow, **row)
    return RunRecord(
        row["id"], turn, 1, row["recipe"], new.seed, Status.RUNNING, now, heartbeat_at=now, column=new.column
    )  # fmt: skip


def _record(
    new: NewTurn, conversation: str, turn: str, question: str, now: dt.datetime, runs: Sequence[RunRecord]
) -> TurnRecord:
    first, *further = runs
    return TurnRecord(
        turn, conversation, None, 1, question, now, (first,), first.id, (turn,), tuple(further), new.comparison
    )  # fmt: skip


def _insert(session: Session, kind: Any, **values: Any) -> None:
    session.connection().execute(insert(_table(kind)), values)


def _point(session: Session, kind: Any, id_: str, **values: str) -> None:
    table = _table(kind)
    session.connection().execute(update(table).where(table.c.id == id_).values(values))


def _table(kind: Any) -> Table:
    table = kind.__table__
    assert isinstance(table, Table)  # noqa: S101 - the mapping says so to nobody else
    return table
