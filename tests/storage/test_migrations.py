"""Migrations lead to exactly the tables that the code uses, on either database, and only there."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from moa.core.errors import StoreError
from storage.models import Base
from tests.storage.conftest import Place
from tests.storage.samples import ADA, question


def difference(session: Session) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(session.connection(), opts=options), Base.metadata))


async def test_an_empty_database_gets_the_tables_of_the_models(blank: Place) -> None:
    store = blank.open()
    assert await store.database.write(difference) == []
    await store.aclose()


async def test_opening_again_migrates_nothing(blank: Place) -> None:
    store = blank.open()
    turn, _ = await store.begin_turn(ADA, question())
    await store.aclose()
    again = blank.open()
    assert await again.load_turn(ADA, turn.id) == turn
    await again.aclose()


async def test_F29_a_newer_schema_is_refused_and_left_alone(blank: Place) -> None:
    store = blank.open()
    await store.begin_turn(ADA, question())
    await store.database.write(lambda s: s.execute(text("UPDATE alembic_version SET version_num = '9999'")).close())
    await store.aclose()
    with pytest.raises(StoreError, match="newer version of this app"):
        blank.open()


async def test_F29_tables_of_another_program_are_refused(blank: Place) -> None:
    store = blank.open()
    await store.database.write(lambda s: s.execute(text("DROP TABLE alembic_version")).close())
    await store.aclose()
    with pytest.raises(StoreError, match="another program"):
        blank.open()


def test_a_migration_that_fails_leaves_nothing_behind(blank: Place) -> None:
    engine = create_engine(blank.url or f"sqlite:///{blank.file}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE ix_turn_parent_id (id INTEGER)"))  # in the way of an index
    with pytest.raises(StoreError, match="reported an error"):
        blank.open()
    assert inspect(engine).get_table_names() == ["ix_turn_parent_id"]
