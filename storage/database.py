"""One way in for writes, several for reads, all in threads, so that the event loop never waits for a disk.

SQLite: one writer thread with one connection whose transactions begin IMMEDIATE (a deferred one that turns
to writing loses to "database is locked"), WAL with synchronous FULL (a commit survives a power cut), readers
that can't write. PostgreSQL: the same paths over one pool.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from moa.core.errors import StoreError
from storage.faults import translated

T = TypeVar("T")

_READERS = 4
_POSTGRES_WRITERS = 4


class Database:
    """Runs units of work, each in one transaction. Raises StoreError and its kinds; opens nothing before use.

    ``busy_timeout_s`` is how long a lock that another process holds is waited for.
    """

    def __init__(self, url: URL, *, busy_timeout_s: float = 5.0) -> None:
        self._sqlite = url.get_backend_name() == "sqlite"
        busy_ms = round(busy_timeout_s * 1000)
        if self._sqlite:
            self._writer = _sqlite_engine(url, busy_ms, size=1, begin="BEGIN IMMEDIATE")
            self._reader = _sqlite_engine(url, busy_ms, size=_READERS, begin="BEGIN")
        else:
            self._writer = _postgres_engine(url, busy_ms)
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writers = ThreadPoolExecutor(1 if self._sqlite else _POSTGRES_WRITERS, "store-write")
        self._readers = ThreadPoolExecutor(_READERS, "store-read")
        self._closed = False

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on one snapshot of the data."""
        return await self._hand_over(self._readers, self._reader, work)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction, committed when this returns, rolled back when it raises.

        A caller that is cancelled meanwhile does not undo it.
        """
        return await self._hand_over(self._writers, self._writer, work)

    def write_now(self, work: Callable[[Session], T]) -> T:
        """``write`` in the calling thread: for the start, before there is a loop."""
        return _transact(self._writer, work)

    async def aclose(self) -> None:
        """Finish what was begun and let go of every connection. Later calls raise StoreError."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def close(self) -> None:
        """``aclose`` for where there is no loop; waits."""
        self._closed = True
        self._readers.shutdown()
        self._writers.shutdown()
        self._reader.dispose()
        self._writer.dispose()

    async def _hand_over(self, threads: ThreadPoolExecutor, engine: Engine, work: Callable[[Session], T]) -> T:
        if self._closed:
            raise StoreError("The app is shutting down; nothing more is saved.")
        return await asyncio.get_running_loop().run_in_executor(threads, _transact, engine, work)


def _transact(engine: Engine, work: Callable[[Session], T]) -> T:
    with translated(), Session(engine) as session, session.begin():
        return work(session)


def _sqlite_engine(url: URL, busy_ms: int, *, size: int, begin: str) -> Engine:
    engine = create_engine(
        url, pool_size=size, max_overflow=0, hide_parameters=True,
        connect_args={"timeout": busy_ms / 1000, "check_same_thread": False},
    )  # fmt: skip
    reading = begin == "BEGIN"

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; ``start`` does
        # secure_delete: what a user has removed for good is not left in a free page
        writing = ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON")
        mode = ("query_only = ON",) if reading else writing
        try:
            for pragma in (f"busy_timeout = {busy_ms}", "foreign_keys = ON", *mode):
                connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.Error:
            connection.close()  # the pool forgets a connection that fails here
            raise

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: URL, busy_ms: int) -> Engine:
    given = url.query.get("options", "")
    options = f"{given if isinstance(given, str) else ' '.join(given)} -c lock_timeout={busy_ms}"
    connect: dict[str, Any] = {"options": options.strip(), "connect_timeout": 10}
    return create_engine(
        url.difference_update_query(["options"]), pool_size=_READERS + _POSTGRES_WRITERS, max_overflow=0,
        pool_pre_ping=True, hide_parameters=True, connect_args=connect,
    )  # fmt: skip
