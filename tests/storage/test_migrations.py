"""Migrations lead to exactly the tables that the code uses, on either database, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, insert, inspect, text, update
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from moa.core.errors import StoreError
from storage.migrations import config, modelled
from storage.models import Base
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, FIRST, LAST, call, proposal, question


def difference(session: Session) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True, "include_name": modelled}
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


async def test_a_database_of_the_first_version_is_brought_up_to_date_and_searched(blank: Place, tmp_path: Path) -> None:
    store = Place("", tmp_path / "new").open()
    turn, _ = await store.begin_turn(ADA, question("An old yak"))
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST, "A gnu 하늘")))
    await store.checkpoint(ADA, turn.shown_run_id, {LAST: "growing"})
    rows = await everything(store)
    found = await store.load_turn(ADA, turn.id)
    await store.aclose()
    old(blank, rows)
    store = blank.open()
    assert await store.load_turn(ADA, turn.id) == found
    for query in ("yak", "gnu", "하늘", "old yak"):
        assert [hit.conversation_id for hit in await store.search(ADA, query)] == [turn.conversation_id]
    assert await store.search(ADA, "growing") == ()
    await store.rename_conversation(ADA, turn.conversation_id, "An emu")
    assert [hit.where for hit in await store.search(ADA, "old yak")] == ["question"]
    assert await store.database.write(difference) == []
    await store.aclose()


def old(place: Place, rows: dict[str, list[Any]]) -> None:
    """Make a database as the first version made it, with these rows."""
    engine = create_engine(place.url or f"sqlite:///{place.file}", poolclass=NullPool)
    pointers = []
    with engine.begin() as connection:
        command.upgrade(config(connection), "0001")
        for table in (Base.metadata.tables[name] for name in ("user", "conversation", "turn", "run", "response")):
            there = {column["name"] for column in inspect(connection).get_columns(table.name)}
            for row in rows[table.name]:
                values = {name: value for name, value in zip(table.c.keys(), row, strict=True) if name in there}
                later = {name: values.pop(name) for name in ("head_turn_id", "shown_run_id") if name in values}
                connection.execute(insert(table), values)
                if later:
                    pointers.append(update(table).where(table.c.id == values["id"]).values(later))
        for pointer in pointers:
            connection.execute(pointer)


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
