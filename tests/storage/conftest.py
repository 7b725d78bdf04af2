"""Each test runs on SQLite and, where a server answers, on PostgreSQL, in a schema of the worker's own."""

from __future__ import annotations

import getpass
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from storage import SqlStore, open_store
from storage.models import Base

HOW = "set TEST_POSTGRES_URL=postgresql+psycopg://USER:PASSWORD@HOST/NAME to an empty database"


@dataclass(frozen=True)
class Place:
    """Where a test's database is."""

    url: str
    data: Path

    def open(self, **more: Any) -> SqlStore:
        return open_store(self.url, self.data, **more)

    @property
    def file(self) -> Path:
        return self.data / "moa.db"


class Server:
    """A PostgreSQL server that lends schemas."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine = create_engine(self._url, poolclass=NullPool, connect_args={"connect_timeout": 3})
        self.run("SELECT 1")

    def run(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement))

    def make(self) -> str:
        """A new schema; returns the URL that leads into it."""
        name = f"moa_test_{os.getpid()}_{secrets.token_hex(4)}"
        self.run(f"CREATE SCHEMA {name}")
        inside = self._url.update_query_dict({"options": f"-csearch_path={name}"})
        return inside.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        self.run(f"DROP SCHEMA {str(make_url(url).query['options']).rpartition('=')[2]} CASCADE")


@pytest.fixture(scope="session")
def server() -> Server:
    """The server for tests, else a skip that says how to give one."""
    given = os.environ.get("TEST_POSTGRES_URL")
    url = given or f"postgresql+psycopg://{getpass.getuser()}@127.0.0.1/test"
    try:
        return Server(url)
    except (OperationalError, ModuleNotFoundError) as error:
        reason = f"no PostgreSQL at {make_url(url).render_as_string()}: {HOW} ({type(error).__name__})"
    if given or os.environ.get("MOA_TESTS_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def schema(server: Server) -> Iterator[str]:
    """A schema that this worker's tests share; each begins with empty tables."""
    url = server.make()
    open_store(url, Path()).database.close()
    yield url
    server.drop(url)


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A database without rows."""
    if request.param == "sqlite":
        return Place("", tmp_path)
    url = request.getfixturevalue("schema")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text('TRUNCATE "user" CASCADE'))
    return Place(url, tmp_path)


@pytest.fixture(params=BOTH)
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A database without even tables."""
    if request.param == "sqlite":
        yield Place("", tmp_path)
        return
    server = request.getfixturevalue("server")
    url = server.make()
    yield Place(url, tmp_path)
    server.drop(url)


@pytest.fixture
def file(tmp_path: Path) -> Place:
    """A database in a file, for what only files can suffer."""
    return Place("", tmp_path)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[SqlStore]:
    """An open store."""
    opened = place.open()
    yield opened
    await opened.aclose()


async def everything(store: SqlStore) -> dict[str, list[Any]]:
    """Every row of every table, to see that nothing was written."""
    tables = Base.metadata.sorted_tables
    return await store.database.read(
        lambda s: {t.name: [tuple(row) for row in s.execute(select(t).order_by(*t.primary_key))] for t in tables}
    )
