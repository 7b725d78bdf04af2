"""Links: what was shown when they were made, to whoever holds the token, until they end."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from moa.chat.values import TIE, Comparison, TurnRecord
from moa.core.domain import Status
from moa.core.errors import InputRefused, NotFound
from storage import SqlStore
from tests.storage import test_columns as columns
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, BOB, FIRST, LAST, RECIPE, call, failure, proposal, question, result
from tests.storage.test_listing import NEW_YEAR, Calendar

LATER = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
WRONG: list[Any] = ["", "x", "x" * 43, "x" * 42 + "\x00", "x" * 44, "х" * 43, "' OR 1=1 --", None, 7]


async def answered(store: SqlStore, key: str = "key", **where: Any) -> TurnRecord:
    """A turn whose run is over."""
    turn, _ = await store.begin_turn(ADA, question(key=key, **where))
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    await store.end_run(ADA, turn.shown_run_id, result(proposal(FIRST), proposal(LAST, f"Answer {key}.")))
    return await store.load_turn(ADA, turn.id)


def answers(turns: tuple[TurnRecord, ...]) -> list[str]:
    return [turn.shown.result.answer if turn.shown.result else "" for turn in turns]


async def test_a_link_shows_the_path_as_it_stood(store: SqlStore) -> None:
    first = await answered(store, "1")
    where = {"conversation_id": first.conversation_id}
    second = await answered(store, "2", expected_head=first.id, **where)
    share, token = await store.create_share(ADA, first.conversation_id, expires_at=LATER)
    assert len(token) == 43
    await store.rename_conversation(ADA, first.conversation_id, "Secret")
    again, _ = await store.begin_run(ADA, second.id, RECIPE, seed=1, request_key="again")
    await store.end_run(ADA, again.id, result(proposal(LAST, "Another.")))
    await answered(store, "3", branch=True, parent_id=None, **where)
    shown = await store.open_share(token)
    assert (shown.title, shown.head) == ("Why is the sky blue?", second.id)
    assert answers(shown.turns) == ["Answer 1.", "Answer 2."]
    assert [len(turn.runs) for turn in shown.turns] == [1, 1]
    assert [turn.siblings for turn in shown.turns] == [(first.id,), (second.id,)]
    assert shown.turns[0].shown.outcomes == first.shown.outcomes
    assert await store.list_shares(ADA, first.conversation_id) == (share,)


async def test_what_is_not_finished_is_not_shared(store: SqlStore) -> None:
    first = await answered(store, "1")
    more = question("On?", "2", conversation_id=first.conversation_id, expected_head=first.id)
    await store.begin_run(ADA, first.id, RECIPE, seed=1, request_key="again")
    await store.begin_turn(ADA, more)
    _, token = await store.create_share(ADA, first.conversation_id, expires_at=LATER)
    shown = await store.open_share(token)
    assert answers(shown.turns) == ["Answer 1."]
    assert shown.turns[0].shown.status is Status.COMPLETE
    turn, _ = await store.begin_turn(ADA, question(key="3"))
    with pytest.raises(InputRefused, match="no finished answer"):
        await store.create_share(ADA, turn.conversation_id, expires_at=LATER)


async def test_the_token_is_not_stored(store: SqlStore) -> None:
    turn = await answered(store)
    _, token = await store.create_share(ADA, turn.conversation_id, expires_at=LATER)
    rows = await everything(store)
    assert token not in repr(rows)
    assert hashlib.sha256(token.encode()).hexdigest() in repr(rows["share"])


async def test_every_end_of_a_link_looks_the_same(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turn = await answered(store)
    made = [
        await store.create_share(ADA, turn.conversation_id, expires_at=NEW_YEAR + dt.timedelta(days=n)) for n in (1, 9)
    ]
    (short, expired), (long, revoked) = made
    assert (await store.open_share(expired)) == (await store.open_share(revoked))
    calendar.later(days=2)
    await store.revoke_share(ADA, long.id)
    await store.revoke_share(ADA, long.id)
    assert {(s.id, s.revoked) for s in await store.list_shares(ADA, turn.conversation_id)} == {
        (short.id, False), (long.id, True),
    }  # fmt: skip
    said = set()
    for token in (expired, revoked, *WRONG):
        for refused in (store.open_share(token), store.copy_share(BOB, token)):
            with pytest.raises(NotFound) as error:
                await refused
            said.add((error.value.public, error.value.detail))
    assert len(said) == 1
    assert (await everything(store))["user"] == [("ada", NEW_YEAR)]
    with pytest.raises(InputRefused):
        await store.create_share(ADA, turn.conversation_id, expires_at=NEW_YEAR)
    await store.aclose()


async def test_a_link_rests_while_its_conversation_is_deleted(store: SqlStore) -> None:
    turn = await answered(store)
    _, token = await store.create_share(ADA, turn.conversation_id, expires_at=LATER)
    await store.delete_conversation(ADA, turn.conversation_id)
    with pytest.raises(NotFound):
        await store.open_share(token)
    await store.restore_conversation(ADA, turn.conversation_id)
    assert await store.open_share(token)


async def test_a_copy_is_the_visitors_own_and_goes_on_by_itself(store: SqlStore) -> None:
    turn = await answered(store)
    _, token = await store.create_share(ADA, turn.conversation_id, expires_at=LATER)
    copy = await store.load_conversation(BOB, await store.copy_share(BOB, token))
    assert answers(copy.turns) == ["Answer key."]
    assert copy.turns[0].shown.outcomes == turn.shown.outcomes
    assert not {copy.id, copy.head} & {turn.conversation_id, turn.id}
    more = question("And then?", "b", conversation_id=copy.id, expected_head=copy.head)
    assert (await store.begin_turn(BOB, more))[1]
    with pytest.raises(NotFound):
        await store.load_conversation(ADA, copy.id)
    await store.delete_everything(ADA)
    assert answers((await store.load_conversation(BOB, copy.id)).turns[:1]) == ["Answer key."]
    assert [hit.conversation_id for hit in await store.search(BOB, "Rayleigh")] == [copy.id]


# -- comparisons


def sides(turn: TurnRecord) -> list[str]:
    """The answers of all columns, by column."""
    return [run.result.answer if run.result else "" for run in (turn.shown, *turn.columns)]


async def test_a_link_shows_every_column_as_it_stood(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turn = await columns.answered(store)
    await store.vote(ADA, turn.id, TIE)
    again, _ = await store.begin_run(ADA, turn.id, columns.SINGLE, seed=1, request_key="2b", column=2)
    await store.end_run(ADA, again.id, result(proposal(LAST, "Better.")))
    calendar.later(seconds=1)
    bad, _ = await store.begin_run(ADA, turn.id, columns.OTHER, seed=1, request_key="3b", column=3)
    await store.end_run(ADA, bad.id, result(failure(LAST), status=Status.FAILED))
    under_way, _ = await store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="1b")
    calendar.later(seconds=1)
    _, token = await store.create_share(ADA, turn.conversation_id, expires_at=LATER)
    before = await store.open_share(token)
    [shown] = before.turns
    assert sides(shown) == ["Answer 1.", "Better.", "Answer 3."]
    assert (len(shown.runs), len(shown.further)) == (1, 2)
    assert (shown.comparison, shown.vote) == (Comparison(columns.ORDER.order, blind=False), None)
    calendar.later(seconds=1)
    await store.end_run(ADA, under_way.id, result(proposal(LAST, "Later 1.")))
    for column, recipe in ((2, columns.SINGLE), (3, columns.OTHER)):
        later, _ = await store.begin_run(ADA, turn.id, recipe, seed=1, request_key=f"{column}c", column=column)
        await store.end_run(ADA, later.id, result(proposal(LAST, f"Later {column}.")))
    assert sides(await store.load_turn(ADA, turn.id)) == ["Later 1.", "Later 2.", "Later 3."]
    assert await store.open_share(token) == before
    await store.aclose()


async def test_a_copy_has_every_column_and_none_is_blind(store: SqlStore) -> None:
    turn = await columns.answered(store)
    await store.vote(ADA, turn.id, TIE)
    _, token = await store.create_share(ADA, turn.conversation_id, expires_at=LATER)
    [copied] = (await store.load_conversation(BOB, await store.copy_share(BOB, token))).turns
    assert sides(copied) == sides(turn)
    assert [run.outcomes for run in copied.further] == [run.outcomes for run in turn.further]
    assert (copied.comparison, copied.vote) == (Comparison(columns.ORDER.order, blind=False), None)


async def test_what_is_hidden_is_not_shared_before_the_vote(store: SqlStore) -> None:
    turn = await columns.answered(store)
    await answered(store, "next", conversation_id=turn.conversation_id, expected_head=turn.id)
    with pytest.raises(InputRefused, match="Vote first: "):
        await store.create_share(ADA, turn.conversation_id, expires_at=LATER)
    assert await store.list_shares(ADA, turn.conversation_id) == ()
    await store.vote(ADA, turn.id, TIE)
    assert await store.create_share(ADA, turn.conversation_id, expires_at=LATER)


async def test_what_is_hidden_on_another_branch_stands_in_no_way(store: SqlStore) -> None:
    turn = await columns.answered(store)
    await answered(store, "beside", conversation_id=turn.conversation_id, branch=True)
    assert await store.create_share(ADA, turn.conversation_id, expires_at=LATER)


async def test_a_link_ends_before_a_turn_of_which_any_column_is_unfinished(store: SqlStore) -> None:
    first = await columns.answered(store)
    await store.vote(ADA, first.id, TIE)
    named = Comparison(columns.ORDER.order, blind=False)
    where = {"conversation_id": first.conversation_id, "expected_head": first.id}
    turn, _ = await store.begin_turn(ADA, columns.compared("second", comparison=named, **where))
    for run in (turn.shown, turn.columns[0]):
        await store.end_run(ADA, run.id, result(proposal(LAST)))
    _, token = await store.create_share(ADA, first.conversation_id, expires_at=LATER)
    assert [turn.id for turn in (await store.open_share(token)).turns] == [first.id]


async def test_an_import_from_the_future_can_be_shared(store: SqlStore) -> None:
    turn = await columns.answered(store)
    tree = await store.load_tree(ADA, turn.conversation_id)
    runs = [replace(run, started_at=LATER, heartbeat_at=LATER) for run in (*tree.turns[0].runs, *tree.turns[0].further)]
    ahead = replace(tree, turns=(replace(tree.turns[0], runs=tuple(runs[:1]), further=tuple(runs[1:])),))
    _, token = await store.create_share(ADA, await store.import_tree(ADA, ahead), expires_at=LATER)
    assert sides((await store.open_share(token)).turns[0]) == sides(turn)
