"""Moves a SQLite database into an empty PostgreSQL one, whole or not at all, and checks that all has arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    Enum,
    Table,
    TableClause,
    Text,
    bindparam,
    collate,
    column,
    func,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.orm import Session

from moa.core.errors import ConfigError, StoreError
from storage.columns import CleanText, Json
from storage.models import Base
from storage.opening import locate, open_store

_CODED = (CleanText, Json, Enum)
NOT_EMPTY = "The database to move to already holds chats; name an empty one."
DIFFERS = "What arrived is not what was sent; nothing was kept. Try again, and report it if it happens again."
_ROWS = 200
# Columns that point to rows which come later: filled in once these are there.
_FORWARD = {"conversation": ("head_turn_id",), "turn": ("parent_id", "shown_run_id")}


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved of one table: how many rows, and the SHA-256 over them in order of their keys."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was moved, by table. Source and target agreed on all of it."""

    tables: Mapping[str, Moved]


def move(source_url: str, target_url: str, *, busy_timeout_s: float = 5.0) -> Report:
    """Copy every row from a SQLite database to a PostgreSQL one that has none, in one transaction each.

    The source stays as it is, and is locked against writing meanwhile: stop the app first, or its later chats stay
    behind. Both get the newest schema. A lock is waited for ``busy_timeout_s``. Raises ConfigError for other databases,
    StoreError when the target has rows, when either can't be opened, or when counts or hashes differ: then the target
    is as it was.
    """
    here, there = locate(source_url, Path()), locate(target_url, Path())
    if (here.get_backend_name(), there.get_backend_name()) != ("sqlite", "postgresql"):
        raise ConfigError("Moving goes from sqlite:///FILE to postgresql+psycopg://USER:PASSWORD@HOST/NAME.")
    if not Path(here.database or "").exists():
        raise StoreError(f"There is no database at {here.database} to move.")
    with (
        closing(open_store(source_url, Path(), busy_timeout_s=busy_timeout_s).database) as source,
        closing(open_store(target_url, Path(), busy_timeout_s=busy_timeout_s).database) as target,
    ):
        return source.write_now(lambda old: target.write_now(lambda new: _move(old, new)))


def _move(old: Session, new: Session) -> Report:
    tables = Base.metadata.sorted_tables
    if any(new.scalar(select(func.count()).select_from(of)) for of in tables):
        raise StoreError(NOT_EMPTY)
    for of in tables:
        _send(old, new, of)
    for name, columns in _FORWARD.items():
        _point(old, new, Base.metadata.tables[name], columns)
    sent, arrived = ({of.name: _moved(session, of) for of in tables} for session in (old, new))
    if sent != arrived:
        raise StoreError(DIFFERS, detail=", ".join(name for name in sent if sent[name] != arrived[name]))
    return Report(sent)


def _send(old: Session, new: Session, of: Table) -> None:
    bare = _bare(of)
    later = dict.fromkeys(_FORWARD.get(of.name, ()))
    for batch in old.execute(select(*bare.c)).mappings().partitions(_ROWS):
        new.execute(insert(bare), [{**row, **later} for row in batch])


def _point(old: Session, new: Session, of: Table, columns: Sequence[str]) -> None:
    bare = _bare(of)
    change = update(bare).where(bare.c.id == bindparam("row_id")).values({name: bindparam(name) for name in columns})
    wanted = select(bare.c.id.label("row_id"), *(bare.c[name] for name in columns))
    for batch in old.execute(wanted).mappings().partitions(_ROWS):
        new.connection().execute(change, [dict(row) for row in batch])


def _moved(session: Session, of: Table) -> Moved:
    """Rows are counted and hashed in the order of their keys' bytes, which is the same in both databases."""
    bare = _bare(of)
    keys: list[Any] = [bare.c[key.name] for key in of.primary_key]
    if session.get_bind().dialect.name == "postgresql":
        keys = [collate(key, "C") for key in keys]
    count, digest = 0, hashlib.sha256()
    for row in session.execute(select(*bare.c).order_by(*keys), execution_options={"yield_per": _ROWS}):
        count += 1
        digest.update(orjson.dumps(list(row)) + b"\n")
    return Moved(count, digest.hexdigest())


def _bare(of: Table) -> TableClause:
    """The table with its texts as they stand there: nothing is decoded, so that nothing can be changed by it."""
    return table(of.name, *(column(c.name, Text() if isinstance(c.type, _CODED) else c.type) for c in of.columns))
