"""Out of a store as JSON, into one, and out again: the same bytes."""

from __future__ import annotations

import datetime as dt
import json

from hypothesis import HealthCheck, given, settings

from moa.chat.archive import archive_json, conversation_json
from moa.chat.imports import read
from moa.chat.values import ConversationTree
from moa.core.domain import Status
from storage import SqlStore
from tests.storage.conftest import Place
from tests.storage.samples import ADA, BOB, FIRST, LAST, SECOND, call, failure, proposal, question, result
from tests.storage.test_listing import Calendar
from tests.storage.test_trees import grown
from tests.support.trees import trees
from tests.unit.test_chatgpt_import import BRANCHED, conversations

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


async def exported(store: SqlStore, conversation_id: str) -> bytes:
    return conversation_json(await store.load_tree(ADA, conversation_id))


async def taken_in(store: SqlStore, data: bytes) -> bytes:
    """The export of a file's import; what is imported is another conversation."""
    [tree] = read(data, now=NOW)
    return await exported(store, await store.import_tree(ADA, tree))


async def test_export_import_export_import_export_is_the_same(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    first = await exported(store, await grown(store, calendar))
    calendar.later(days=3)
    second = await taken_in(store, first)
    assert second == first
    assert await taken_in(store, second) == first
    await store.aclose()


async def test_everything_but_ids_comes_with_it(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST, reasoning="Hm.")))
    await store.save_call(ADA, turn.shown_run_id, call(failure(SECOND, partial="Half")))
    await store.end_run(ADA, turn.shown_run_id, result(failure(SECOND), proposal(LAST), status=Status.DEGRADED))
    first = await exported(store, turn.conversation_id)
    slots = json.loads(first)["turns"][0]["runs"][0]["slots"]
    assert [slot["slot"] for slot in slots] == ["1.1", "1.2", "2.1"]
    assert await taken_in(store, first) == first


async def test_a_run_under_way_arrives_as_interrupted_and_stays_so(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    await store.checkpoint(ADA, turn.shown_run_id, {LAST: "The sky"})
    first = await exported(store, turn.conversation_id)
    assert b'"running"' in first
    second = await taken_in(store, first)
    assert json.loads(second)["turns"][0]["runs"][0]["status"] == "interrupted"
    assert json.loads(second)["turns"][0]["runs"][0]["result"]["answer"] == "The sky"
    assert await taken_in(store, second) == second


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees())
async def test_B18_any_conversation_gives_the_same_bytes_again(store: SqlStore, tree: ConversationTree) -> None:
    first = await exported(store, await store.import_tree(ADA, tree))
    second = await taken_in(store, first)
    assert second == first
    assert await taken_in(store, second) == first


async def test_chatgpts_conversations_give_the_same_bytes_from_the_first_export_on(store: SqlStore) -> None:
    first = await taken_in(store, conversations(BRANCHED))
    second = await taken_in(store, first)
    assert second == first


async def test_an_archive_brings_every_conversation_back(store: SqlStore) -> None:
    for number in range(3):
        turn, _ = await store.begin_turn(ADA, question(f"Question {number}", f"key{number}"))
        await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    ids = await store.list_ids(ADA)
    archive = b"".join(archive_json([await store.load_tree(ADA, each) for each in ids]))
    copies = [await store.import_tree(BOB, tree) for tree in read(archive, now=NOW)]
    again = b"".join(archive_json([await store.load_tree(BOB, each) for each in copies]))
    assert again == archive
