"""Edits and attempts: every path stays reachable, and the history is always the path shown."""

from __future__ import annotations

from moa.chat.values import TurnRecord
from storage import SqlStore
from tests.storage.samples import ADA, LAST, RECIPE, proposal, question, result


async def first(store: SqlStore, key: str) -> TurnRecord:
    """The first turn of a conversation."""
    return await answered(store, (await store.begin_turn(ADA, question(key, key)))[0])


async def answered(store: SqlStore, turn: TurnRecord) -> TurnRecord:
    """The turn, once its run is over, so that others may begin beside it."""
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    return turn


async def after(store: SqlStore, turn: TurnRecord, key: str) -> TurnRecord:
    """A turn that follows another one."""
    new = question(key, key, conversation_id=turn.conversation_id, expected_head=turn.id)
    return await answered(store, (await store.begin_turn(ADA, new))[0])


async def beside(store: SqlStore, turn: TurnRecord, key: str) -> TurnRecord:
    """A turn in another one's place, as an edit makes it, from a page that saw an old head."""
    where = {"conversation_id": turn.conversation_id, "expected_head": "x" * 22}
    new = question(key, key, branch=True, parent_id=turn.parent_id, **where)
    return await answered(store, (await store.begin_turn(ADA, new))[0])


async def path(store: SqlStore, turn: TurnRecord) -> list[str]:
    """The questions of the path shown."""
    return [t.question for t in (await store.load_conversation(ADA, turn.conversation_id)).turns]


async def test_an_edit_makes_a_branch_and_the_old_path_stays(store: SqlStore) -> None:
    root = await first(store, "root")
    one = await after(store, root, "one")
    last = await after(store, one, "last")
    two = await beside(store, one, "two")
    assert await path(store, root) == ["root", "two"]
    assert (two.parent_id, two.position) == (root.id, 2)
    assert two.siblings == (one.id, two.id)
    assert (await store.load_turn(ADA, one.id)).siblings == (one.id, two.id)
    assert (await store.load_turn(ADA, last.id)).siblings == (last.id,)
    await store.show_turn(ADA, one.id)
    assert await path(store, root) == ["root", "one", "last"]
    await store.show_turn(ADA, two.id)
    assert await path(store, root) == ["root", "two"]


async def test_the_first_question_can_be_edited_too(store: SqlStore) -> None:
    old = await first(store, "old")
    new = await beside(store, old, "new")
    assert (new.parent_id, new.position, new.siblings) == (None, 1, (old.id, new.id))
    assert await path(store, old) == ["new"]
    other = await first(store, "other")
    assert other.siblings == (other.id,)


async def test_a_fork_from_an_earlier_answer_follows_it(store: SqlStore) -> None:
    root = await first(store, "root")
    await after(store, root, "on")
    where = {"conversation_id": root.conversation_id, "branch": True, "parent_id": root.id}
    fork, _ = await store.begin_turn(ADA, question("fork", "fork", **where))
    assert await path(store, root) == ["root", "fork"]
    assert await store.begin_turn(ADA, question("fork", "fork", **where)) == (fork, False)


async def test_showing_a_turn_goes_on_to_its_newest_leaf(store: SqlStore) -> None:
    root = await first(store, "root")
    one = await after(store, root, "one")
    old = await after(store, one, "old")
    await beside(store, old, "newer")
    await beside(store, one, "two")
    await store.show_turn(ADA, root.id)
    assert await path(store, root) == ["root", "two"]
    await store.show_turn(ADA, one.id)
    assert await path(store, root) == ["root", "one", "newer"]


async def test_a_step_to_another_attempt(store: SqlStore) -> None:
    turn = await first(store, "key")
    second, _ = await store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="again")
    assert (await store.load_turn(ADA, turn.id)).shown_run_id == second.id
    before = (await store.list_conversations(ADA))[0].updated_at
    await store.show_run(ADA, turn.id, turn.shown_run_id)
    assert (await store.load_turn(ADA, turn.id)).shown_run_id == turn.shown_run_id
    assert (await store.list_conversations(ADA))[0].updated_at == before  # looking is no change
