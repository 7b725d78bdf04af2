"""kill -9 at any moment: what was acknowledged is there, what ran is interrupted, the database is sound."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from moa.core.domain import Failure, FailureKind, Outcome, Proposal, Slot, Status
from storage import SqlStore
from storage.models import ResponseRow
from tests.storage.conftest import Place
from tests.storage.samples import ADA

KILLS = int(os.environ.get("MOA_TEST_KILLS", "20"))
ROOT = Path(__file__).parents[2]


class Writers:
    """Processes that write, one after the other. See ``tests.storage.writer``."""

    def __init__(self, parent: asyncio.subprocess.Process) -> None:
        assert parent.stdin is not None
        assert parent.stdout is not None
        self._asks, self._says = parent.stdin, parent.stdout

    async def killed(self, place: Place, seed: int, after: int) -> list[dict[str, Any]]:
        """Let one write until it has acknowledged ``after`` saves, kill it, and return all it acknowledged."""
        self._asks.write(orjson.dumps({"url": place.url, "data": str(place.data), "seed": seed}) + b"\n")
        pid = (await self._next())["pid"]
        said = [await self._next() for _ in range(after)]
        os.kill(pid, signal.SIGKILL)
        while (last := await self._next())["kind"] != "over":
            said.append(last)
        return said

    async def _next(self) -> dict[str, Any]:
        while True:
            try:
                found: dict[str, Any] = orjson.loads(await self._says.readline())
            except orjson.JSONDecodeError:  # a line that the kill cut off, or the end of one
                assert not self._says.at_eof()
            else:
                return found


@pytest.fixture
async def writers() -> AsyncIterator[Writers]:
    """The process that starts others."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.storage.writer", cwd=ROOT, limit=2**20,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    yield Writers(parent)
    assert parent.stdin is not None
    parent.stdin.close()
    await parent.wait()


def text_of(outcome: Outcome) -> str:
    return outcome.text if isinstance(outcome, Proposal) else outcome.partial


async def assert_kept(store: SqlStore, said: list[dict[str, Any]]) -> None:
    """Every acknowledged question and text is there, and only the last turn of a writer was cut off."""
    for ack in said:
        turn = await store.load_turn(ADA, ack["turn"])
        found = {outcome.slot: outcome for outcome in turn.shown.outcomes}
        match ack["kind"]:
            case "turn":
                assert turn.question == ack["text"]
            case "asked":
                query = select(ResponseRow.messages).where(
                    ResponseRow.run_id == turn.shown_run_id,
                    ResponseRow.layer == Slot.parse(ack["slot"]).layer,
                    ResponseRow.position == Slot.parse(ack["slot"]).position,
                )
                (message,) = await store.database.read(lambda s, query=query: s.scalars(query).one())  # type: ignore[misc]
                assert message.text == ack["text"]
            case "growing":
                for slot, text in ack["texts"].items():
                    assert text_of(found[Slot.parse(slot)]).startswith(text)
            case "call":
                done = found[Slot.parse(ack["slot"])]
                assert isinstance(done, Proposal)
                assert done.text == ack["text"]
            case "end":
                assert turn.shown.result is not None
                assert (turn.shown.status, turn.shown.result.answer) == (Status.COMPLETE, ack["text"])


async def assert_ended(store: SqlStore, said: list[dict[str, Any]]) -> None:
    """Runs that were not acknowledged as ended are interrupted (or ended unheard), with what they had."""
    for turn_id in {ack["turn"] for ack in said} - {ack["turn"] for ack in said if ack["kind"] == "end"}:
        run = (await store.load_turn(ADA, turn_id)).shown
        assert run.status in (Status.INTERRUPTED, Status.COMPLETE)
        assert run.result is not None
        cut = [o for o in run.outcomes if isinstance(o, Failure)]
        kind = FailureKind.INTERRUPTED if run.status is Status.INTERRUPTED else FailureKind.STOPPED
        assert {o.kind for o in cut} <= {kind}


@pytest.mark.timeout(1_200)  # 200 kills on two busy cores
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs kill -9 and fork")
async def test_F26_nothing_acknowledged_is_lost_by_kill_9(place: Place, writers: Writers) -> None:
    chance = random.Random(26)
    everything: list[dict[str, Any]] = []
    for seed in range(KILLS if not place.url else max(2, KILLS // 4)):
        said = await writers.killed(place, seed, chance.randrange(1, 40))
        store = place.open()
        assert await store.recover() <= 1
        await assert_kept(store, said)
        await assert_ended(store, said)
        assert not any(entry.running for entry in await store.list_conversations(ADA, limit=200))
        everything += said
        await store.aclose()
        if not place.url:
            with closing(sqlite3.connect(place.file)) as check:
                assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert check.execute("PRAGMA foreign_key_check").fetchall() == []
                check.execute("INSERT INTO search_text (search_text) VALUES ('integrity-check')")
    store = place.open()
    await assert_kept(store, everything)
    await store.aclose()
