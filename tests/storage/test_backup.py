"""Backups are made while the app writes, and put back only while it doesn't run; nothing is ever written over."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from moa.core.errors import ConfigError, StoreBusy, StoreError, StoreReadOnly
from storage import SqlStore
from storage.backup import backup, restore
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, FIRST, call, proposal, question
from tests.storage.test_refusals import cut, garbage, scribbled


async def written(place: Place, text: str = "Why?") -> SqlStore:
    """An open store with a question and a long text."""
    store = place.open()
    turn, _ = await store.begin_turn(ADA, question(text))
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST, "long " * 5000)))
    return store


async def rows_of(folder: Path) -> object:
    """Everything in the database of a folder."""
    store = Place("", folder).open()
    found = await everything(store)
    await store.aclose()
    return found


async def test_a_backup_of_a_running_app_is_put_back_elsewhere(file: Place, tmp_path: Path) -> None:
    store = await written(file)
    before = await everything(store)
    backup("", file.data, tmp_path / "kept.db")
    await store.begin_turn(ADA, question("Later", "later"))
    await store.aclose()
    assert restore("", tmp_path / "new" / "home", tmp_path / "kept.db") is None
    assert await rows_of(tmp_path / "new" / "home") == before
    if sys.platform != "win32":
        for made in (tmp_path / "kept.db", tmp_path / "new" / "home" / "moa.db"):
            assert stat.S_IMODE(made.stat().st_mode) & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.db", "moa.db", "new"]


async def test_a_backup_in_the_middle_of_a_write_is_of_one_moment(file: Place, tmp_path: Path) -> None:
    store = await written(file)
    before = await everything(store)
    with closing(sqlite3.connect(file.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE turn SET question = 'half done'")
        backup("", file.data, tmp_path / "kept.db")
        other.execute("ROLLBACK")
    await store.aclose()
    restore("", tmp_path / "new", tmp_path / "kept.db")
    assert await rows_of(tmp_path / "new") == before


async def test_restoring_keeps_the_old_database_aside(file: Place, tmp_path: Path) -> None:
    store = await written(file, "Old")
    old = await everything(store)
    backup("", file.data, tmp_path / "kept.db")
    await store.begin_turn(ADA, question("Newer", "newer"))
    newer = await everything(store)
    await store.aclose()
    aside = restore("", file.data, tmp_path / "kept.db")
    assert aside is not None
    assert await rows_of(file.data) == old
    (tmp_path / "aside").mkdir()
    aside.rename(tmp_path / "aside" / "moa.db")
    assert await rows_of(tmp_path / "aside") == newer


async def test_restoring_over_a_running_app_is_refused(file: Place, tmp_path: Path) -> None:
    store = await written(file)
    backup("", file.data, tmp_path / "kept.db")
    before = await everything(store)
    with pytest.raises(StoreBusy, match="stop it first"):
        restore("", file.data, tmp_path / "kept.db")
    assert await everything(store) == before
    assert (await store.begin_turn(ADA, question("Still", "still")))[1]
    await store.aclose()
    assert restore("", file.data, tmp_path / "kept.db") is not None


@pytest.mark.parametrize("spoil", [garbage, cut, scribbled])
async def test_a_damaged_database_is_replaced_and_kept_aside(
    file: Place, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    store = await written(file)
    before = await everything(store)
    await store.aclose()
    backup("", file.data, tmp_path / "kept.db")
    spoil(file.file)
    damaged = file.file.read_bytes()
    aside = restore("", file.data, tmp_path / "kept.db")
    assert aside is not None
    assert aside.read_bytes()[:1] == damaged[:1]
    assert len(aside.read_bytes()) == len(damaged)
    assert await rows_of(file.data) == before


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE conversation (id TEXT)")


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (garbage, "is not a backup of this app"),
        (cut, "damaged or is not a database"),
        (scribbled, "damaged or is not a database"),
        (foreign, "is not a backup of this app"),
        (newer, "newer version of this app"),
        (Path.unlink, "can't be read"),
        (lambda file: file.write_bytes(b""), "is not a backup of this app"),
    ],
)
async def test_what_is_no_sound_backup_is_refused_and_nothing_changes(
    file: Place, tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    store = await written(file)
    before = await everything(store)
    await store.aclose()
    kept = tmp_path / "kept.db"
    backup("", file.data, kept)
    spoil(kept)
    with pytest.raises(StoreError, match=words) as refused:
        restore("", file.data, kept)
    assert "\n" not in refused.value.public
    assert await rows_of(file.data) == before
    assert not [path for path in file.data.iterdir() if "before" in path.name or "part" in path.name]


async def test_a_backup_that_cannot_be_made_is_refused(file: Place, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database at"):
        backup("", file.data, tmp_path / "kept.db")
    await (await written(file)).aclose()
    (tmp_path / "note").write_text("mine")
    with pytest.raises(StoreError, match="already exists"):
        backup("", file.data, tmp_path / "note")
    with pytest.raises(StoreReadOnly, match="can't be written"):
        backup("", file.data, tmp_path / "missing" / "kept.db")
    backup("", file.data, tmp_path / "kept.db")
    with pytest.raises(StoreReadOnly, match="can't be made"):
        restore("", tmp_path / "note" / "data", tmp_path / "kept.db")
    assert (tmp_path / "note").read_text() == "mine"


def test_postgresql_has_its_own_tools(tmp_path: Path) -> None:
    for act in (backup, restore):
        with pytest.raises(ConfigError, match="pg_dump") as refused:
            act("postgresql://me:hunter2@127.0.0.1/x", tmp_path, tmp_path / "kept.db")
        assert "hunter2" not in refused.value.public
