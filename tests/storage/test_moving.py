"""From SQLite to PostgreSQL: every row, every byte, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from moa.core.errors import ConfigError, StoreBusy, StoreError
from storage import SqlStore, open_store
from storage.models import Base
from storage.moving import Report, move
from tests.storage.conftest import Place, Server, everything
from tests.storage.samples import ADA, BOB, question
from tests.storage.test_columns import answered
from tests.storage.test_judgements import judgement
from tests.storage.test_listing import Calendar
from tests.storage.test_refusals import TINY_S
from tests.storage.test_trees import grown

pytestmark = pytest.mark.postgres


@pytest.fixture
def target(server: Server) -> Iterator[str]:
    """An empty schema."""
    url = server.make()
    yield url
    server.drop(url)


async def lived_in(file: Place) -> SqlStore:
    """Two users' conversations with everything that there can be."""
    calendar = Calendar()
    store = file.open(now=calendar)
    await grown(store, calendar)
    id_ = await grown(store, calendar)
    await store.create_share(ADA, id_, expires_at=dt.datetime(9000, 1, 1, tzinfo=dt.UTC))
    compared = await answered(store, "compared")
    await store.vote(ADA, compared.id, "tie")
    await store.tag(ADA, compared.id, ["code"])
    await store.save_judgement(ADA, judgement(compared))
    await store.import_tree(BOB, await store.load_tree(ADA, id_))
    await store.begin_turn(BOB, question("Running \U0001f600 ' \\ % \t 하늘", "running"))
    await store.delete_conversation(ADA, id_)
    return store


async def test_everything_is_moved_and_checked(file: Place, target: str) -> None:
    source = await lived_in(file)
    before = await everything(source)
    tree = await source.load_tree(ADA, (await source.list_ids(ADA))[0])
    await source.aclose()
    report = move(f"sqlite:///{file.file}", target)
    assert {name: moved.rows for name, moved in report.tables.items()} == {n: len(rows) for n, rows in before.items()}
    assert all(len(moved.sha256) == 64 for moved in report.tables.values())
    store = open_store(target, Path())
    assert await everything(store) == before
    assert await store.load_tree(ADA, tree.id) == tree
    assert [hit.where for hit in await store.search(BOB, "하늘")] == ["title"]
    assert await store.recover(stale_s=0) == 1
    await store.aclose()
    source = file.open()
    assert await everything(source) == before
    await source.aclose()


async def test_only_an_empty_database_is_moved_into(file: Place, target: str) -> None:
    await (await lived_in(file)).aclose()
    store = open_store(target, Path())
    await store.begin_turn(ADA, question())
    before = await everything(store)
    with pytest.raises(StoreError, match="already holds chats"):
        move(f"sqlite:///{file.file}", target)
    assert await everything(store) == before
    await store.aclose()


async def test_what_arrives_changed_is_not_kept(file: Place, target: str) -> None:
    await (await lived_in(file)).aclose()
    store = open_store(target, Path())
    for statement in (
        "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.question := ''x''; RETURN NEW; END'",
        "CREATE TRIGGER change BEFORE INSERT ON turn FOR EACH ROW EXECUTE FUNCTION change()",
    ):
        await store.database.write(lambda s, statement=statement: s.execute(text(statement)).close())  # type: ignore[misc]
    with pytest.raises(StoreError, match="not what was sent") as refused:
        move(f"sqlite:///{file.file}", target)
    assert refused.value.detail == "turn"
    assert not any((await everything(store)).values())
    await store.aclose()


async def test_nothing_is_written_to_the_source_meanwhile(file: Place, target: str) -> None:
    store = await lived_in(file)

    def writing(session: Session) -> None:
        session.execute(text("DELETE FROM share"))
        with pytest.raises(StoreBusy, match="busy"):
            move(f"sqlite:///{file.file}", target, busy_timeout_s=TINY_S)

    await store.database.write(writing)
    await store.aclose()


def test_an_empty_database_moves_too(file: Place, target: str) -> None:
    file.open().database.close()
    report = move(f"sqlite:///{file.file}", target)
    assert isinstance(report, Report)
    assert set(report.tables) == set(Base.metadata.tables)
    assert not any(moved.rows for moved in report.tables.values())


def test_other_ways_are_refused(file: Place, tmp_path: Path) -> None:
    server = "postgresql://me:hunter2@127.0.0.1:1/x"
    for source, to in ((server, server), ("", f"sqlite:///{tmp_path}/x.db"), (server, "")):
        with pytest.raises(ConfigError, match="Moving goes from"):
            move(source, to)
    with pytest.raises(StoreError, match="no database at"):
        move(f"sqlite:///{tmp_path}/none.db", server)
    assert not (tmp_path / "none.db").exists()
