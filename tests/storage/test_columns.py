"""A question asked in several columns at once: stored together, each with its own attempts; the path has the first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from moa.chat.values import ColumnRun, Comparison, NewTurn, TurnRecord
from moa.core.domain import Recipe, Status
from moa.core.errors import Busy, NotFound
from storage import SqlStore
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, BOB, FIRST, LAST, RECIPE, WRITER, call, proposal, question, result
from tests.storage.test_listing import Calendar
from tests.support.trees import without_ids

SINGLE = Recipe("single", "The writer alone", (), WRITER)
OTHER = Recipe("other", "Another mixture", RECIPE.layers, WRITER, system="Be brief.")
THREE = (ColumnRun(SINGLE, 8), ColumnRun(OTHER, 9))
ORDER = Comparison((3, 1, 2), blind=True)


def compared(key: str = "key", **more: Any) -> NewTurn:
    return question(key=key, **{"columns": THREE, "comparison": ORDER, **more})


async def answered(store: SqlStore, key: str = "key", **more: Any) -> TurnRecord:
    """A comparison whose three columns have ended."""
    turn, _ = await store.begin_turn(ADA, compared(key, **more))
    for run in (turn.shown, *turn.columns):
        await store.end_run(ADA, run.id, result(proposal(LAST, f"Answer {run.column}.")))
    return await store.load_turn(ADA, turn.id)


async def test_all_columns_are_stored_at_once_and_the_same_request_stores_no_more(store: SqlStore) -> None:
    turn, fresh = await store.begin_turn(ADA, compared())
    assert fresh
    assert [run.recipe for run in turn.runs] == [RECIPE]
    assert [(run.column, run.attempt, run.recipe, run.seed) for run in turn.columns] == [
        (2, 1, SINGLE, 8),
        (3, 1, OTHER, 9),
    ]
    assert {run.status for run in (*turn.runs, *turn.further)} == {Status.RUNNING}
    assert turn.comparison == ORDER
    before = await everything(store)
    assert await store.begin_turn(ADA, compared()) == (turn, False)
    assert await everything(store) == before
    for run in (*turn.runs, *turn.further):
        assert await store.load_turn_of_run(ADA, run.id) == turn


async def test_another_attempt_at_a_column_is_shown_there_and_nowhere_else(store: SqlStore) -> None:
    turn = await answered(store)
    again, fresh = await store.begin_run(ADA, turn.id, SINGLE, seed=1, request_key="again", column=2)
    assert (fresh, again.column, again.attempt) == (True, 2, 2)
    now = await store.load_turn(ADA, turn.id)
    assert [run.id for run in now.attempts(2)] == [turn.columns[0].id, again.id]
    assert [run.id for run in now.columns] == [again.id, turn.columns[1].id]
    assert (now.shown_run_id, now.runs) == (turn.shown_run_id, turn.runs)
    await store.end_run(ADA, again.id, result(proposal(LAST)))
    first, _ = await store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="first")
    assert (first.column, first.attempt) == (1, 2)
    assert (await store.load_turn(ADA, turn.id)).shown_run_id == first.id


async def test_a_column_that_is_not_there_takes_no_attempt(store: SqlStore) -> None:
    turn = await answered(store)
    before = await everything(store)
    for column in (0, 4, -1):
        with pytest.raises(NotFound):
            await store.begin_run(ADA, turn.id, SINGLE, seed=1, request_key="again", column=column)
    assert await everything(store) == before


async def test_no_attempt_begins_while_any_column_is_written(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, compared())
    for run in (turn.shown, turn.columns[0]):
        await store.end_run(ADA, run.id, result(proposal(LAST)))
    with pytest.raises(Busy):
        await store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="again")
    [entry] = await store.list_conversations(ADA)
    assert entry.running


async def test_the_path_never_goes_through_a_further_column(store: SqlStore) -> None:
    turn = await answered(store)
    with pytest.raises(NotFound):
        await store.show_run(ADA, turn.id, turn.columns[0].id)


async def test_F26_each_column_of_a_dead_process_is_interrupted_with_what_it_had(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, compared())
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    await store.checkpoint(ADA, turn.columns[1].id, {LAST: "Half"})
    assert await store.recover(stale_s=0) == 2
    now = await store.load_turn(ADA, turn.id)
    assert now.shown.status is Status.COMPLETE
    assert [(run.status, run.result and run.result.answer) for run in now.columns] == [
        (Status.INTERRUPTED, ""),
        (Status.INTERRUPTED, "Half"),
    ]


async def test_a_column_taken_for_dead_goes_on_though_another_column_has_a_later_attempt(place: Place) -> None:
    store = place.open()
    turn = await answered(store)
    again, _ = await store.begin_run(ADA, turn.id, SINGLE, seed=1, request_key="a", column=2)
    await store.end_run(ADA, again.id, result(proposal(LAST)))
    third, _ = await store.begin_run(ADA, turn.id, OTHER, seed=1, request_key="b", column=3)
    assert await store.recover(stale_s=0) == 1
    assert await store.checkpoint(ADA, third.id, {LAST: "on"}) is False
    assert (await store.load_turn(ADA, turn.id)).columns[1].status is Status.RUNNING
    await store.aclose()


async def test_taken_along_all_columns_and_attempts_come_with_it_but_neither_vote_nor_blindness(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turn = await answered(store)
    await store.save_call(ADA, turn.columns[1].id, call(proposal(FIRST)))
    again, _ = await store.begin_run(ADA, turn.id, SINGLE, seed=1, request_key="again", column=2)
    await store.end_run(ADA, again.id, result(proposal(LAST, "Better."), status=Status.CANCELLED))
    tree = await store.load_tree(ADA, turn.conversation_id)
    await store.vote(ADA, turn.id, "bad")
    copy = await store.load_tree(BOB, await store.import_tree(BOB, await store.load_tree(ADA, turn.conversation_id)))
    named = replace(tree.turns[0], comparison=Comparison(ORDER.order, blind=False))
    assert without_ids(copy) == without_ids(replace(tree, turns=(named,)))
    assert [run.column for run in copy.turns[0].further] == [2, 2, 3]
    assert await store.list_votes(BOB) == ()
    await store.vote(BOB, copy.turns[0].id, "tie")
    assert [record.vote.blind for record in await store.list_votes(BOB)] == [False]
    await store.aclose()


async def test_words_of_a_further_column_are_found(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, compared())
    await store.end_run(ADA, turn.columns[1].id, result(proposal(LAST, "A cassowary.")))
    [hit] = await store.search(ADA, "cassowary")
    assert (hit.turn_id, hit.where) == (turn.id, "answer")


async def test_deleting_asks_every_column_to_stop(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, compared())
    await store.delete_conversation(ADA, turn.conversation_id)
    for run in (turn.shown, *turn.columns):
        assert await store.checkpoint(ADA, run.id, {}) is True
