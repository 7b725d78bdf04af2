"""How long a history may get: fills a database in a temporary folder and times listing, opening and searching.

    python -m tests.bench.conversations [--conversations 100000] [--url postgresql+psycopg://…/EMPTY]

Written past the store, in bulk, since only reading is timed. Prints the median and the slowest of some repetitions.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from moa.chat.values import Actor
from moa.core.domain import Agent, Finish, Layer, LeftOut, Message, Part, Recipe, Role, Status
from storage import SqlStore, open_store
from storage.ids import new_id
from storage.migrations.search_sqlite import FILL, TRIGGERS
from storage.models import ConversationRow, ResponseRow, RunRow, Stage, TitleSource, TurnRow, UserRow

ME = Actor("me")
GOAL_MS = 100.0
TIMES = 7
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
PROPOSERS = tuple(Agent(f"p/{name}") for name in ("one", "two", "three"))
WRITER = Agent("p/writer", Part.AGGREGATOR)
RECIPE = Recipe("bench", "Bench", (Layer(PROPOSERS),), WRITER)
SENT = (Message(Role.USER, "…"),)
LATIN = [a + b + c for a in ("ba", "du", "ki", "lo", "ren", "sta") for b in ("mi", "no", "rra", "se", "tu", "ving", "x")
         for c in ("l", "n", "ra", "s", "to", "ward", "y", "zen", "")]  # fmt: skip
ASIAN = [
    "하늘은 왜 파란가요",
    "강아지가 뛰어요",
    "天空为什么是蓝色的",
    "光的散射很重要",
    "空はなぜ青いのですか",
    "東京の天気を教えて",
]


GIN_INDEXES = """
    SELECT indexdef FROM pg_indexes WHERE starts_with(indexname, 'search_') AND schemaname = current_schema()
"""
DROPS_POSTGRES = [f"DROP INDEX IF EXISTS search_{what}" for what in ("title", "question", "text")]
DROPS_SQLITE = [f"DROP TRIGGER {trigger.split()[2]}" for trigger in TRIGGERS]
POINTERS = (
    "UPDATE turn SET shown_run_id = (SELECT id FROM run WHERE run.turn_id = turn.id)",
    """
    UPDATE conversation SET head_turn_id = (
        SELECT id FROM turn WHERE turn.conversation_id = conversation.id ORDER BY position DESC LIMIT 1
    )
    """,
)


@dataclass(frozen=True)
class Written:
    """Rows of one conversation, by table."""

    conversation: dict[str, Any]
    turns: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    responses: list[dict[str, Any]]


def words(chance: random.Random, count: int) -> str:
    """Some words, common ones more often; one text in ten is Korean, Chinese or Japanese."""
    if chance.random() < 0.1:
        return "。".join(chance.choice(ASIAN) for _ in range(1 + count // 8))
    return " ".join(LATIN[int(len(LATIN) * chance.random() ** 2)] for _ in range(count))


def write(chance: random.Random, number: int, owner: str) -> Written:
    """A conversation of one question, or of a few."""
    at = START + dt.timedelta(minutes=5 * number)
    made = Written(
        {"id": new_id(), "owner_id": owner, "title": words(chance, 5), "title_source": TitleSource.WRITTEN,
         "created_at": at, "updated_at": at, "pinned": number % 20_000 == 0, "archived": number % 10 == 0,
         "deleted_at": at if number % 50 == 0 else None},
        [], [], [],
    )  # fmt: skip
    parent = None
    for position in range(1, chance.choice((2, 2, 2, 3, 5))):
        turn, run, question = new_id(), new_id(), words(chance, 9)
        if number == 777:
            question += " needle in a haystack"
        made.turns.append({"id": turn, "conversation_id": made.conversation["id"], "parent_id": parent,
                           "position": position, "sibling": 1, "question": question, "created_at": at})  # fmt: skip
        made.runs.append({"id": run, "turn_id": turn, "owner_id": owner, "request_key": run.strip("_-") + "0",
                          "column_no": 1, "attempt": 1, "status": Status.COMPLETE, "recipe": RECIPE, "digest": "0" * 16,
                          "seed": 1, "started_at": at, "heartbeat_at": at, "answer": "", "answer_layer": 2,
                          "answer_position": 1, "calls": 4, "duration_ms": 1})  # fmt: skip
        for ordinal, agent in enumerate((*PROPOSERS, WRITER)):
            made.responses.append({
                "id": new_id(), "run_id": run, "layer": 1 + (agent is WRITER), "attempt": 1, "stage": Stage.DONE,
                "position": 1 if agent is WRITER else ordinal + 1, "ordinal": ordinal, "agent": agent,
                "messages": SENT, "left_out": LeftOut(), "text": words(chance, 40), "reasoning": "",
                "finish": Finish.STOP, "attempts": 1, "duration_ms": 1, "reused": False,
            })  # fmt: skip
        parent = turn
    return made


def batches(count: int) -> Iterator[list[Written]]:
    """All of mine, with some of others between them."""
    chance = random.Random(100)
    for start in range(0, count, 2000):
        yield [
            write(chance, n, ME.user_id if n % 20 else f"other{n % 700}")
            for n in range(start, min(count, start + 2000))
        ]


def fill(session: Session, count: int) -> None:
    """Write all rows, and then what search looks in, which is quicker than with each row."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    made_again = (*FILL, *TRIGGERS) if is_sqlite else session.scalars(text(GIN_INDEXES)).all()
    for statement in DROPS_SQLITE if is_sqlite else DROPS_POSTGRES:
        session.execute(text(statement))
    session.execute(insert(UserRow), [{"id": f"other{n}", "created_at": START} for n in range(0, 700, 20)])
    session.execute(insert(UserRow), [{"id": ME.user_id, "created_at": START}])
    for batch in batches(count):
        session.execute(insert(ConversationRow), [made.conversation for made in batch])
        session.execute(insert(TurnRow), [row for made in batch for row in made.turns])
        session.execute(insert(RunRow), [row for made in batch for row in made.runs])
        session.execute(insert(ResponseRow), [row for made in batch for row in made.responses])
    for statement in (*POINTERS, *made_again):
        session.execute(text(statement))


async def timed(what: Callable[[], Awaitable[Any]], times: int) -> tuple[float, float, Any]:
    """Median and slowest in milliseconds, and what the last one gave."""
    took: list[float] = []
    found = None
    for _ in range(times):
        begun = time.perf_counter()
        found = await what()
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took), max(took), found


def questions(store: SqlStore, entry: Any) -> dict[str, Callable[[], Awaitable[Any]]]:
    """What is timed."""
    queries = {
        "a common word": LATIN[0], "a rare word": LATIN[-1], "one that is there once": "needle in a haystack".title(),
        "one that is nowhere": "qqqzzz", "parts that are common, the whole nowhere": LATIN[0] + LATIN[2] + LATIN[3],
        "two words": f"{LATIN[40]} {LATIN[90]}", "Korean": "하늘은", "Chinese": "散射很", "Japanese": "なぜ青い",
        "two characters, Korean": "하늘", "two characters, nowhere": "零七", "one character": "x",
        "a long and a short word": f"{LATIN[0]} 零",
    }  # fmt: skip
    asked: dict[str, Callable[[], Awaitable[Any]]] = {
        "list, first page": lambda: store.list_conversations(ME),
        "list, far back": lambda: store.list_conversations(ME, before=START + dt.timedelta(minutes=200)),
        "list, archived": lambda: store.list_conversations(ME, archived=True),
        "open": lambda: store.load_conversation(ME, entry.id),
    }
    for name, query in queries.items():
        asked[f"search, {name}"] = partial(store.search, ME, query)
    return asked


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def run(count: int, url: str) -> None:
    """Fill and time."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(url, Path(folder))
        begun = time.perf_counter()
        await store.database.write(lambda s: fill(s, count))
        if url:
            await store.database.write(lambda s: s.execute(text("ANALYZE")).close())
        size_mib = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
        say(f"{count:,} conversations written in {time.perf_counter() - begun:.0f} s ({size_mib:,.0f} MiB of files)")
        entry = (await store.list_conversations(ME))[-1]
        say(f"{'':52}{'median ms':>10}{'slowest':>9}{'found':>7}")
        for name, what in questions(store, entry).items():
            median, slowest, found = await timed(what, TIMES)
            late = f"  over {GOAL_MS:.0f} ms" if median > GOAL_MS else ""
            say(f"{name:52}{median:10.1f}{slowest:9.1f}{len(getattr(found, 'turns', found)):7}{late}")
        await store.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--url", default="")
    chosen = parser.parse_args()
    asyncio.run(run(chosen.conversations, chosen.url))
