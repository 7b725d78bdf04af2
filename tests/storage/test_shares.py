"""Links: what was shown when they were made, to whoever holds the token, until they end."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest

from moa.chat.values import TurnRecord
from moa.core.domain import Status
from moa.core.errors import InputRefused, NotFound
from storage import SqlStore
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, BOB, FIRST, LAST, RECIPE, call, proposal, question, result
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
