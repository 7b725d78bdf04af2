"""The drivers' errors as ours: by what the caller does next, and without the values of the statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from moa.core.errors import StoreBusy, StoreError, StoreReadOnly

BUSY = "The database is busy or does not answer right now."
READ_ONLY = "Nothing can be saved right now: the disk is full or the database is read-only."
DAMAGED = "The database file is damaged or is not a database; restore a backup."
UNKNOWN = "The database reported an error."

_SQLITE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_BUSY: StoreBusy,
    sqlite3.SQLITE_LOCKED: StoreBusy,
    sqlite3.SQLITE_PERM: StoreReadOnly,
    sqlite3.SQLITE_READONLY: StoreReadOnly,
    sqlite3.SQLITE_IOERR: StoreReadOnly,
    sqlite3.SQLITE_FULL: StoreReadOnly,
    sqlite3.SQLITE_CANTOPEN: StoreReadOnly,
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# Classes and codes of SQLSTATE (PostgreSQL's appendix A): 08 connection, 53300 too many connections, 55P03 lock,
# 57 operator intervention, 40 rollback; 53100 disk full, 25006 read-only transaction, 42501 no privilege.
_POSTGRES_READ_ONLY = ("53100", "25006", "42501")
_POSTGRES_BUSY = ("08", "53300", "55P03", "57", "40")
_WORDS: dict[type[StoreError], str] = {StoreBusy: BUSY, StoreReadOnly: READ_ONLY, StoreError: UNKNOWN}


@contextmanager
def translated() -> Iterator[None]:
    """StoreBusy, StoreReadOnly or StoreError for whatever SQLAlchemy or SQLite's driver raises inside."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise as_store_error(error) from error


def as_store_error(error: Exception) -> StoreError:
    """What a driver's error means. The driver's own words go to ``detail``."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    detail = f"{type(cause).__name__}: {cause}"
    if isinstance(error, PoolTimeout):
        return StoreBusy(BUSY, detail=detail)
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGED:
            return StoreError(DAMAGED, detail=detail)
        kind = _SQLITE.get(code, StoreError)
    else:
        kind = _postgres(error, getattr(cause, "sqlstate", None))
    return kind(_WORDS[kind], detail=detail)


def _postgres(error: Exception, state: str | None) -> type[StoreError]:
    if state is None:  # psycopg gives none when the connection itself failed: worth trying again
        return StoreBusy if isinstance(error, OperationalError) else StoreError
    if state in _POSTGRES_READ_ONLY:
        return StoreReadOnly
    return StoreBusy if state.startswith(_POSTGRES_BUSY) else StoreError
