"""kill -9 at any moment: what was acknowledged is there, what ran is interrupted, the database is sound."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from moa.core.domain import Failure, FailureKind, Outcome, Proposal, Slot, Status
from storage import SqlStore
from tests.storage.conftest import Place
from tests.storage.samples import ADA

KILLS = int(os.environ.get("MOA_TEST_KILLS", "10"))
ROOT = Path(__file__).parents[2]


async def killed_writer(place: Place, seed: int, after: int) -> list[dict[str, Any]]:
    """Let a process write until it has acknowledged ``after`` saves, kill it, and return all it acknowledged."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.storage.writer", place.url, place.data, str(seed),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, limit=2**20,
    )  # fmt: skip
    assert child.stdout is not None
    lines = [await child.stdout.readline() for _ in range(after)]
    child.kill()
    lines += (await child.stdout.read()).splitlines(keepends=True)
    await child.wait()
    return [orjson.loads(line) for line in lines if line.endswith(b"\n")]


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


async def test_F26_nothing_acknowledged_is_lost_by_kill_9(place: Place) -> None:
    chance = random.Random(26)
    everything: list[dict[str, Any]] = []
    for seed in range(KILLS if not place.url else max(2, KILLS // 4)):
        said = await killed_writer(place, seed, chance.randrange(1, 40))
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
    store = place.open()
    await assert_kept(store, everything)
    await store.aclose()
