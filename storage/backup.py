"""Copies of a SQLite database: made while the app runs, and put back while it doesn't. Nothing is written over."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from moa.core.errors import ConfigError, StoreBusy, StoreError, StoreReadOnly
from moa.core.times import utc_now
from storage.faults import DAMAGED, translated
from storage.migrations import check_known
from storage.opening import MAGIC, locate

_POSTGRES = (
    "PostgreSQL brings its own tools for this: pg_dump --format=custom --file=FILE DATABASE_URL makes a backup, "
    "pg_restore --clean --dbname=DATABASE_URL FILE puts it back."
)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def backup(url: str, data: Path, target: Path) -> None:
    """Copy the database at ``url`` (empty: the one in ``data``) to a new file, as it is at one moment, also while the
    app writes. Whoever may read the file may read every chat: it is made for its owner alone.

    Raises ConfigError for PostgreSQL, StoreError when there is nothing to copy or ``target`` can't be made.
    """
    file = _file(url, data)
    if not file.exists():
        raise StoreError(f"There is no database at {file} to back up.")
    if target.exists():
        raise StoreError(f"{target} already exists; name a new file for the backup.")
    with translated(), closing(_connect(file, "ro")) as source:
        _copy(source, target)


def restore(url: str, data: Path, source: Path, *, now: Callable[[], dt.datetime] = utc_now) -> Path | None:
    """Put a backup in the place of the database at ``url`` (empty: the one in ``data``).

    The old database is kept beside it; returns its new name, None if there was none. Raises ConfigError for
    PostgreSQL, StoreError for a file that is no sound backup of this app, StoreBusy while the app runs.
    Then nothing has been changed.
    """
    file = _file(url, data)
    _check(source)
    if not file.exists():
        _made(file.parent)
        with translated(), closing(_connect(source, "ro")) as copy:
            _copy(copy, file)
        return None
    aside = file.with_name(f"{file.name}.before-{now():%Y%m%dT%H%M%S%f}")
    try:
        _exchange(file, source, aside)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
            with translated():
                raise
        _replace_damaged(file, source, aside)
    return aside


def _file(url: str, data: Path) -> Path:
    where = locate(url, data)
    if where.get_backend_name() != "sqlite":
        raise ConfigError(_POSTGRES)
    return Path(where.database or "")


def _connect(file: Path, mode: str, *, busy_timeout_s: float = 5.0) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=busy_timeout_s)


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """Write a whole copy, or nothing, under the name ``target``."""
    part = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        with closing(_connect(part, "rw")) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").close()  # one file, which can be read from a read-only disk
        part.replace(target)
    except OSError as error:
        raise StoreReadOnly(f"{target} can't be written: {error.strerror}.", detail=str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def _made(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreReadOnly(
            f"The folder {folder} can't be made; choose another MOA_DATA.", detail=str(error)
        ) from error


def _check(source: Path) -> None:
    """Raises StoreError unless the file is a sound database of this app, no newer than the app."""
    try:
        with source.open("rb") as opened:
            head = opened.read(len(MAGIC))
    except OSError as error:
        raise StoreError(f"{source} can't be read: {error.strerror}.", detail=str(error)) from error
    if head != MAGIC:
        raise StoreError(f"{source} is not a backup of this app.")
    try:
        with translated(), closing(_connect(source, "ro")) as opened_db:
            verdict = opened_db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = {name for (name,) in opened_db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            ours = {"alembic_version", "conversation", "turn", "run"} <= tables
            versions = [v for (v,) in opened_db.execute("SELECT version_num FROM alembic_version")] if ours else []
    except StoreError as error:
        raise type(error)(f"{source}: {error.public}", detail=error.detail) from error
    if verdict != "ok":
        raise StoreError(f"{source}: {DAMAGED}", detail=str(verdict))
    if not ours:
        raise StoreError(f"{source} is not a backup of this app.")
    check_known(versions)


def _exchange(file: Path, source: Path, aside: Path) -> None:
    """Under a lock that no running app leaves room for: keep the old content aside, then write the new in one go."""
    with closing(_connect(file, "rw", busy_timeout_s=0)) as target, closing(_connect(source, "ro")) as copy:
        _lock(target, file)
        try:
            shutil.copy2(file, aside)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise StoreReadOnly(f"{aside} can't be written: {error.strerror}.", detail=str(error)) from error
        copy.backup(target)


def _lock(target: sqlite3.Connection, file: Path) -> None:
    """Leaving WAL needs that no other connection is open, not even an idle one; then nobody else may come in."""
    try:
        target.execute("PRAGMA locking_mode = EXCLUSIVE").close()
        target.execute("PRAGMA journal_mode = DELETE").close()
        target.execute("BEGIN EXCLUSIVE").close()
        target.execute("COMMIT").close()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreBusy(f"The app is running on {file}; stop it first, then restore.", detail=str(error)) from error
        raise


def _replace_damaged(file: Path, source: Path, aside: Path) -> None:
    """A file that is no database can't be locked or kept open by SQLite: it is renamed, with what belongs to it."""
    for suffix in ("-wal", "-shm", "-journal"):
        rest = file.with_name(file.name + suffix)
        if rest.exists():
            rest.replace(aside.with_name(aside.name + suffix))
    file.replace(aside)
    with translated(), closing(_connect(source, "ro")) as copy:
        _copy(copy, file)
