"""``app.py token``, as a user types it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from moa.chat.values import LOCAL
from storage import open_store
from tests.cli.test_keeping import run


async def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    code, told, aside = await asyncio.to_thread(run, tmp_path, "token", "create", "--name", "[red]laptop")
    assert code == 0
    assert re.fullmatch(r"moa_[A-Za-z0-9_-]{43}\n", told)
    (found,) = re.findall(r"Token (\S{22})\. This is shown once\.", aside)
    assert told.strip() not in aside
    assert told.strip().encode() not in (tmp_path / "data" / "moa.db").read_bytes()
    store = open_store("", tmp_path / "data")
    assert await store.token_owner(told.strip()) == LOCAL
    await store.aclose()
    code, listed, _ = await asyncio.to_thread(run, tmp_path, "token", "list", COLUMNS="200")
    assert (code, found in listed, "[red]laptop" in listed, "good" in listed, told.strip() in listed) == (
        0, True, True, True, False,
    )  # fmt: skip
    code, said, _ = await asyncio.to_thread(run, tmp_path, "token", "revoke", found)
    assert (code, said) == (0, f"Token {found} is revoked.\n")
    assert "revoked" in (await asyncio.to_thread(run, tmp_path, "token", "list", COLUMNS="200"))[1]


def test_what_is_no_token_is_one_line(tmp_path: Path) -> None:
    code, said, error = run(tmp_path, "token", "revoke", "x" * 22)
    assert (code, said, error) == (2, "", "This token doesn't exist any more.\n")
    code, said, error = run(tmp_path, "token", "create", "--name", " ")
    assert (code, said, error.count("\n")) == (2, "", 1)
