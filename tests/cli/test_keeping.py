"""``app.py backup``, ``restore`` and ``move``, as a user types them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage import open_store
from tests.storage.conftest import Server
from tests.storage.samples import ADA, question
from tests.support.app import ROOT


def run(folder: Path, *command: str, **environ: str) -> tuple[int, str, str]:
    """Exit code and what was said on standard output and error."""
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    clean.pop("DATABASE_URL", None)
    ended = subprocess.run(
        [sys.executable, str(ROOT / "app.py"), *command],
        cwd=folder, env={**clean, "MOA_DATA": str(folder / "data"), **environ}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout, ended.stderr


async def asked(folder: Path, words: str) -> None:
    store = open_store("", folder / "data")
    await store.begin_turn(ADA, question(words, words))
    await store.aclose()


async def titles(folder: Path, url: str = "") -> list[str]:
    store = open_store(url, folder / "data")
    found = await store.list_conversations(ADA)
    await store.aclose()
    return [entry.title for entry in found]


async def test_a_backup_brings_back_what_was_there_and_keeps_what_came_after(tmp_path: Path) -> None:
    await asked(tmp_path, "kept")
    code, said, _ = await asyncio.to_thread(run, tmp_path, "backup", "saved.db")
    assert (code, said.startswith("Backed up to saved.db.")) == (0, True)
    await asked(tmp_path, "later")
    code, said, _ = await asyncio.to_thread(run, tmp_path, "restore", "saved.db")
    assert (code, "is kept as" in said) == (0, True)
    assert await titles(tmp_path) == ["kept"]
    aside = next((tmp_path / "data").glob("moa.db.before-*"))
    assert set(await titles(tmp_path, f"sqlite:///{aside}")) == {"kept", "later"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("backup", "saved.db"), "There is no database"),
        (("restore", "missing.db"), "missing.db can't be read"),
        (("restore", "notes.txt"), "notes.txt is not a backup"),
        (("move", "sqlite:///other.db"), "Moving goes from sqlite"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    tmp_path: Path, command: tuple[str, ...], words: str
) -> None:
    (tmp_path / "notes.txt").write_text("Not a database.", "utf-8")
    code, said, error = run(tmp_path, *command)
    assert (code, said) == (2, "")
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "data" / "moa.db").exists()


@pytest.mark.postgres
async def test_a_database_is_moved_and_every_table_is_named_with_its_hash(tmp_path: Path, server: Server) -> None:
    await asked(tmp_path, "moved")
    url = server.make()
    try:
        code, said, _ = await asyncio.to_thread(run, tmp_path, "move", url)
        assert code == 0
        assert "turn: 1 rows, SHA-256 " in said
        assert await titles(tmp_path, url) == ["moved"]
    finally:
        server.drop(url)
