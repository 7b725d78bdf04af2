"""SQLite reads by the index that the query is about, however many rows an owner has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from storage import SqlStore
from tests.storage.conftest import Place
from tests.storage.samples import ADA, FIRST, LAST, call, proposal, question, result

Ask = Callable[[SqlStore, str, str], Awaitable[Any]]
ASKED: dict[str, Ask] = {
    "list": lambda s, chat, turn: s.list_conversations(ADA),
    "open": lambda s, chat, turn: s.load_conversation(ADA, chat),
    "tree": lambda s, chat, turn: s.load_tree(ADA, chat),
    "turn": lambda s, chat, turn: s.load_turn(ADA, turn),
    "search": lambda s, chat, turn: s.search(ADA, "sky"),
    "search two": lambda s, chat, turn: s.search(ADA, "sk"),
    "search one": lambda s, chat, turn: s.search(ADA, "q"),
    "show": lambda s, chat, turn: s.show_turn(ADA, turn),
    "go on": lambda s, chat, turn: s.begin_turn(
        ADA, question(key="2", conversation_id=chat, branch=True, parent_id=turn)
    ),
}


@pytest.mark.parametrize("name", ASKED)
async def test_no_query_reads_all_of_a_table_or_all_of_an_owner(file: Place, name: str) -> None:
    store = file.open()
    turn, _ = await store.begin_turn(ADA, question())
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    said: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, statement: str, parameters: Any, *rest: object) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            said.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await ASKED[name](store, turn.conversation_id, turn.id)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert said
    for statement, parameters in said:
        for step in await plan(store, statement, parameters):
            assert not step.startswith(("SCAN user", "SCAN conversation", "SCAN turn", "SCAN run", "SCAN response")), (
                step
            )
            assert "(owner_id=?)" not in step or "search_owner" in step, f"{step}: {statement}"
    await store.aclose()


async def plan(store: SqlStore, statement: str, parameters: Any) -> list[str]:
    """What SQLite is going to do."""

    def explain(session: Any) -> list[str]:
        found = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [row[3] for row in found]

    return await store.database.read(explain)


async def test_the_statistics_name_every_index_of_the_large_tables(file: Place) -> None:
    store = file.open()
    indexes = text("""
        SELECT name FROM sqlite_master WHERE type = 'index'
        AND tbl_name IN ('conversation', 'turn', 'run', 'response', 'search_entry')
    """)
    told = text("SELECT idx FROM sqlite_stat1")
    there = await store.database.read(lambda s: set(s.scalars(indexes)))
    assert await store.database.read(lambda s: set(s.scalars(told))) == there
    await store.aclose()
