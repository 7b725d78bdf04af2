"""Opening a database: find it, refuse what can't be trusted with chats, migrate. Nothing is written over."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from moa.core.errors import ConfigError, StoreError, StoreReadOnly
from moa.core.times import utc_now
from storage.database import Database
from storage.faults import DAMAGED
from storage.migrations import migrate
from storage.store import SqlStore

FILE_NAME = "moa.db"
MAGIC = b"SQLite format 3\x00"
_FORMS = "use sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}  # as hosts hand them out
# Reading every page of a larger file would keep the app from starting for longer than a start may take.
_CHECK_BYTES = 256 * 1024 * 1024


def open_store(
    url: str, data: Path, *, busy_timeout_s: float = 5.0, now: Callable[[], dt.datetime] = utc_now,
    process: str | None = None,
) -> SqlStore:  # fmt: skip
    """Open the database at ``url`` (empty: ``moa.db`` in the directory ``data``) with its schema up to date.

    Waits; call it before the event loop runs, or in a thread. Raises ConfigError when the URL can't be used,
    and StoreError (StoreBusy, StoreReadOnly) with one sentence that says what to do, when the file is
    read-only, damaged, not ours or from a newer version. Then no row has been changed.
    """
    where = locate(url, data)
    file = Path(where.database or "") if where.get_backend_name() == "sqlite" else None
    if file is not None:
        _check_file(file)
    try:
        database = Database(where, busy_timeout_s=busy_timeout_s)
    except ModuleNotFoundError as error:
        raise ConfigError(f"DATABASE_URL needs a package that is missing: pip install {error.name}.") from error
    try:
        database.write_now(lambda session: _prepare(session, file))
    except StoreError as error:
        database.close()
        shown = file or where.render_as_string(hide_password=True)
        raise type(error)(f"{shown}: {error.public}", detail=error.detail) from error
    return SqlStore(database, now, process)


def locate(url: str, data: Path) -> URL:
    """Where the database is. Raises ConfigError when the URL can't be used."""
    if not url.strip():
        return URL.create("sqlite", database=str(data / FILE_NAME))
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f"DATABASE_URL is not a database's URL; {_FORMS}.") from error
    parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ConfigError(f"DATABASE_URL names a database that is not supported; {_FORMS}.")
    if parsed.get_backend_name() == "sqlite" and (parsed.database or ":memory:").startswith((":", "file:")):
        raise ConfigError(f"DATABASE_URL needs a file, so that chats outlast a restart; {_FORMS}.")
    return parsed


def _check_file(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        head = _head(file)
    except OSError as error:
        raise StoreReadOnly(
            f"The folder {file.parent} can't be made or read; choose another MOA_DATA.", detail=str(error)
        ) from error
    if head and head != MAGIC:
        raise StoreError(f"{file}: {DAMAGED}")
    if not _writable(file if file.exists() else file.parent) or not _writable(file.parent):
        raise StoreReadOnly(f"The database {file} or its folder is read-only; make it writable.")


def _head(file: Path) -> bytes:
    if not file.exists():
        return b""
    with file.open("rb") as opened:
        return opened.read(len(MAGIC))


def _writable(path: Path) -> bool:
    """Also false for what is marked read-only: an administrator could write, but was told not to."""
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & 0o222)


def _prepare(session: Session, file: Path | None) -> None:
    connection = session.connection()
    if file is not None and file.stat().st_size <= _CHECK_BYTES:
        verdict = session.scalar(text("PRAGMA quick_check(1)"))
        if verdict != "ok":
            raise StoreError(DAMAGED, detail=str(verdict))
    migrate(connection)
