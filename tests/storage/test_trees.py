"""Taking a conversation along: out, in and out again is the same, but for the ids."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moa.core.domain import Failure, FailureKind, LeftOut, Status
from moa.core.errors import InputRefused, NotFound
from storage import SqlStore
from tests.storage.conftest import Place, everything
from tests.storage.samples import (
    ADA,
    BOB,
    FIRST,
    LAST,
    RECIPE,
    RESULTS,
    SECOND,
    TEXT,
    call,
    failure,
    proposal,
    question,
    result,
)
from tests.storage.test_listing import Calendar
from tests.support.trees import without_ids

KEYS = count()


async def grown(store: SqlStore, calendar: Calendar) -> str:
    """A conversation with branches, attempts, failures, a clock that went backwards, and texts of any kind."""
    root, _ = await store.begin_turn(ADA, question("Root \U0001f600", f"k{next(KEYS)}"))
    where = {"conversation_id": root.conversation_id}
    await store.save_call(ADA, root.shown_run_id, call(proposal(FIRST), LeftOut(1, 20)))
    await store.save_call(ADA, root.shown_run_id, call(failure(SECOND, partial="Half")))
    await store.end_run(ADA, root.shown_run_id, result(failure(SECOND), proposal(FIRST), proposal(LAST)))
    calendar.later(minutes=5)
    again, _ = await store.begin_run(
        ADA, root.id, RECIPE, seed=2**60, request_key=f"k{next(KEYS)}", reuse={FIRST: proposal(FIRST)}
    )
    await store.end_run(ADA, again.id, result(proposal(FIRST, reused=True), proposal(LAST, "Better.")))
    calendar.later(minutes=-9)
    one, _ = await store.begin_turn(ADA, question("One", f"k{next(KEYS)}", expected_head=root.id, **where))
    await store.end_run(ADA, one.shown_run_id, result(failure(LAST), status=Status.FAILED))
    calendar.later(minutes=-9)
    for parent in (root.id, None, one.id):
        turn, _ = await store.begin_turn(
            ADA, question("Branch", f"k{next(KEYS)}", branch=True, parent_id=parent, **where)
        )
        await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    await store.show_run(ADA, root.id, root.shown_run_id)
    return root.conversation_id


async def test_export_import_export_is_the_same(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    tree = await store.load_tree(ADA, await grown(store, calendar))
    assert len(tree.turns) == 5
    assert [len(turn.runs) for turn in tree.turns] == [2, 1, 1, 1, 1]
    calendar.later(days=9)
    copy = await store.load_tree(BOB, await store.import_tree(BOB, tree))
    assert without_ids(copy) == without_ids(tree)
    assert not {t.id for t in copy.turns} & {t.id for t in tree.turns}
    calls = tree.turns[0].runs[0].calls
    assert [c.messages for c in calls] == [call(proposal(FIRST)).messages, call(failure(SECOND)).messages, ()]
    assert calls[0].left_out == LeftOut(1, 20)
    await store.suggest_title(BOB, copy.id, "Not a chance")
    assert (await store.load_tree(BOB, copy.id)).title == tree.title
    await store.aclose()


async def test_a_parent_comes_before_its_children_whatever_the_clock_said(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    tree = await store.load_tree(ADA, await grown(store, calendar))
    seen: set[str | None] = {None}
    for turn in tree.turns:
        assert turn.parent_id in seen
        seen.add(turn.id)
    await store.aclose()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(results=st.lists(RESULTS, min_size=1, max_size=3), text=TEXT)
async def test_any_result_can_be_taken_along(store: SqlStore, results: list[Any], text: str) -> None:
    turn, _ = await store.begin_turn(ADA, question(text, f"k{next(KEYS)}"))
    run_id = turn.shown_run_id
    for number, ended in enumerate(results):
        if number:
            run, _ = await store.begin_run(ADA, turn.id, RECIPE, seed=number, request_key=f"k{next(KEYS)}")
            run_id = run.id
        await store.end_run(ADA, run_id, ended)
    tree = await store.load_tree(ADA, turn.conversation_id)
    copy = await store.load_tree(BOB, await store.import_tree(BOB, tree))
    assert without_ids(copy) == without_ids(tree)


async def test_a_run_without_a_result_arrives_as_interrupted(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    await store.checkpoint(ADA, turn.shown_run_id, {LAST: "The sky"})
    tree = await store.load_tree(ADA, turn.conversation_id)
    assert tree.turns[0].shown.growing == {LAST: "The sky"}
    copy = await store.load_tree(ADA, await store.import_tree(ADA, tree))
    run = copy.turns[0].shown
    assert (run.status, run.growing) == (Status.INTERRUPTED, {})
    assert run.result is not None
    assert run.result.answer == "The sky"
    cut = run.outcomes[1]
    assert isinstance(cut, Failure)
    assert cut.kind is FailureKind.INTERRUPTED
    assert not any(e.running for e in await store.list_conversations(ADA) if e.id == copy.id)


async def test_texts_from_outside_are_cleaned(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    tree = await store.load_tree(ADA, turn.conversation_id)
    nasty = replace(tree, title="a\x00\nb\ud800" + "c" * 300, turns=(replace(tree.turns[0], question="\x00?\ud800"),))
    copy = await store.load_tree(ADA, await store.import_tree(ADA, nasty))
    assert copy.title == ("a b\ufffd" + "c" * 300)[:200]
    assert copy.turns[0].question == "?\ufffd"


async def test_what_is_no_tree_is_refused_and_nothing_is_written(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    tree = await store.load_tree(ADA, turn.conversation_id)
    one = tree.turns[0]
    before = await everything(store)
    for broken in (
        replace(tree, turns=()),
        replace(tree, head=None),
        replace(tree, head="x"),
        replace(tree, turns=(replace(one, parent_id="x"),)),
        replace(tree, turns=(replace(one, parent_id=one.id),)),
        replace(tree, turns=(one, one)),
        replace(tree, turns=(replace(one, runs=()),)),
        replace(tree, turns=(replace(one, shown_run_id="x"),)),
        replace(tree, turns=(replace(one, runs=(replace(one.runs[0], seed=2**63),)),)),
    ):
        with pytest.raises(InputRefused, match="import is broken"):
            await store.import_tree(BOB, broken)
    assert await everything(store) == before


async def test_the_tree_of_a_deleted_conversation_is_not_given(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.delete_conversation(ADA, turn.conversation_id)
    with pytest.raises(NotFound):
        await store.load_tree(ADA, turn.conversation_id)
    assert list(await store.list_ids(ADA)) == []
