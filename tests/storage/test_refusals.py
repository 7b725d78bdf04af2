"""Databases that can't be used: said in one sentence, never written over, and used again once they can."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from moa.core.errors import ConfigError, StoreBusy, StoreError, StoreReadOnly
from storage import SqlStore, open_store
from tests.storage.conftest import Place
from tests.storage.samples import ADA, FIRST, call, proposal, question

TINY_S = 0.02


async def test_F27_a_lock_that_stays_is_busy_and_a_lock_that_goes_is_nothing(file: Place) -> None:
    store = file.open(busy_timeout_s=TINY_S)
    turn, _ = await store.begin_turn(ADA, question())
    with closing(sqlite3.connect(file.file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy):
            await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
        assert await store.load_turn(ADA, turn.id) == turn
        other.execute("ROLLBACK")
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    assert (await store.load_turn(ADA, turn.id)).shown.outcomes == (proposal(FIRST),)
    await store.aclose()


async def test_F27_a_lock_is_waited_for(file: Place) -> None:
    store = file.open()
    with closing(sqlite3.connect(file.file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        waiting = asyncio.ensure_future(store.begin_turn(ADA, question()))
        await store.list_conversations(ADA)
        assert not waiting.done()
        other.execute("COMMIT")
        assert (await waiting)[1]
    await store.aclose()


async def test_F27_a_database_that_is_locked_at_start(file: Place) -> None:
    await file.open().aclose()
    with closing(sqlite3.connect(file.file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy, match="busy"):
            file.open(busy_timeout_s=TINY_S)
    await file.open().aclose()


@pytest.mark.postgres
async def test_F27_a_lock_in_postgresql(schema: str, tmp_path: Path) -> None:
    store = open_store(schema, tmp_path, busy_timeout_s=TINY_S)
    engine = create_engine(schema, poolclass=NullPool)
    with engine.connect() as other:
        other.execute(text("LOCK TABLE run IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(StoreBusy):
            await store.begin_turn(ADA, question(key="locked"))
        other.rollback()
    assert (await store.begin_turn(ADA, question(key="locked")))[1]
    await store.aclose()


@pytest.mark.postgres
async def test_F27_connections_that_the_server_ends_are_made_again(schema: str, tmp_path: Path) -> None:
    store = open_store(schema, tmp_path)
    await store.list_conversations(ADA)
    pid = await store.database.read(lambda s: s.scalar(text("SELECT pg_backend_pid()")))
    with create_engine(schema, poolclass=NullPool).connect() as other:
        assert other.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    await store.list_conversations(ADA)
    await store.aclose()


@pytest.mark.postgres
async def test_F28_postgresql_that_takes_nothing_is_read_only(schema: str, tmp_path: Path) -> None:
    options = f"{make_url(schema).query['options']} -c default_transaction_read_only=on"
    url = make_url(schema).update_query_dict({"options": options}).render_as_string(hide_password=False)
    store = open_store(url, tmp_path)
    with pytest.raises(StoreReadOnly):
        await store.begin_turn(ADA, question(key="read-only"))
    await store.list_conversations(ADA)
    await store.aclose()


async def limit_pages(store: SqlStore, pages: int) -> None:
    await store.database.write(lambda s: s.execute(text(f"PRAGMA max_page_count = {pages}")).close())


async def test_F28_a_full_database_stays_readable_and_takes_more_once_there_is_room(file: Place) -> None:
    store = file.open()
    turn, _ = await store.begin_turn(ADA, question())
    await limit_pages(store, 1)  # SQLite takes it as "no more than there are now"
    for refused in (
        store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST, "long " * 20_000))),
        store.begin_turn(ADA, question("long " * 20_000, "more")),
    ):
        with pytest.raises(StoreReadOnly, match="disk is full"):
            await refused
    assert await store.load_turn(ADA, turn.id) == turn
    assert [hit.conversation_id for hit in await store.search(ADA, "is the sky")] == [turn.conversation_id]
    assert len(await store.list_conversations(ADA)) == 1
    await limit_pages(store, 1_000_000)
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    assert (await store.load_turn(ADA, turn.id)).shown.outcomes == (proposal(FIRST),)
    assert (await store.begin_turn(ADA, question("long " * 20_000, "more")))[1]
    await store.aclose()


FULL_DISK = """
import asyncio, pathlib, resource, sys
from moa.core.errors import StoreReadOnly
from storage import open_store
from tests.storage.samples import ADA, question

async def main(data):
    store = open_store("", data)
    turn, _ = await store.begin_turn(ADA, question())
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((data / "moa.db-wal").stat().st_size, most))
    try:
        await store.begin_turn(ADA, question("long " * 5000, "2"))
    except StoreReadOnly:
        print("refused")
    print("readable" if await store.load_turn(ADA, turn.id) == turn else "lost")
    print("found" if await store.search(ADA, "sky") and await store.list_conversations(ADA) else "lost")
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    _, fresh = await store.begin_turn(ADA, question(key="2"))
    print("taken" if fresh else "doubled")
    await store.aclose()

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the POSIX limit on the size of files")
async def test_F28_a_disk_that_takes_no_more_bytes(file: Place) -> None:
    root = Path(__file__).parents[2]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FULL_DISK, file.data, cwd=root, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    assert said.decode().split() == ["refused", "readable", "found", "taken"]


def garbage(file: Path) -> None:
    file.write_bytes(b"Dear diary, this is no database.\n" * 500)


def cut(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def scribbled(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[4096:12288] = b"\xa5" * 8192
    file.write_bytes(bytes(whole))


def read_only(file: Path) -> None:
    file.chmod(0o444)


def locked_folder(file: Path) -> None:
    file.parent.chmod(0o555)


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (garbage, StoreError, "damaged or is not a database; restore a backup"),
        (cut, StoreError, "damaged or is not a database; restore a backup"),
        (scribbled, StoreError, "damaged or is not a database; restore a backup"),
        (read_only, StoreReadOnly, "read-only; make it writable"),
        (locked_folder, StoreReadOnly, "read-only; make it writable"),
    ],
)
async def test_F29_a_bad_file_is_refused_and_not_touched(
    file: Place, spoil: Callable[[Path], None], kind: type[StoreError], words: str
) -> None:
    store = file.open()
    await store.begin_turn(ADA, question("long " * 5000))
    await store.aclose()
    spoil(file.file)
    before = file.file.read_bytes()
    with pytest.raises(kind, match=words) as refused:
        file.open()
    file.data.chmod(0o700)
    assert str(file.file) in refused.value.public
    assert "\n" not in refused.value.public
    assert file.file.read_bytes() == before


async def test_F29_a_missing_folder_is_made_or_refused(tmp_path: Path) -> None:
    await Place("", tmp_path / "new" / "data").open().aclose()
    (tmp_path / "note").write_text("not a folder")
    with pytest.raises(StoreReadOnly, match="can't be made or read; choose another MOA_DATA"):
        Place("", tmp_path / "note" / "data").open()
    assert (tmp_path / "note").read_text() == "not a folder"


async def test_F29_an_empty_file_is_a_new_database(file: Place) -> None:
    file.file.touch()
    await file.open().aclose()


@pytest.mark.parametrize(
    "url",
    [
        "moa.db",
        "mysql://localhost/x",
        "postgresql+asyncpg://h/x",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://h:x/y",
    ],
)
def test_a_url_that_leads_nowhere_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        open_store(url, tmp_path)


def test_a_server_that_is_not_there_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreBusy, match="does not answer") as refused:
        open_store("postgresql://me:hunter2@127.0.0.1:1/none", tmp_path)
    assert "hunter2" not in refused.value.public + refused.value.detail


async def test_a_url_may_name_the_file(tmp_path: Path) -> None:
    await open_store(f"sqlite:///{tmp_path}/own.db", tmp_path / "unused").aclose()
    assert (tmp_path / "own.db").exists()
    assert not (tmp_path / "unused").exists()


async def test_nothing_is_taken_after_the_end(store: SqlStore) -> None:
    await store.aclose()
    with pytest.raises(StoreError, match="shutting down"):
        await store.list_conversations(ADA)
    await store.aclose()
