"""Keys to the HTTP API: told once, kept as a hash, ended at once."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from moa.core.errors import InputRefused
from storage import SqlStore
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, BOB, FIRST, LAST, call, proposal, question, result

NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Calendar:
    """A clock that is set by hand."""

    now = NEW_YEAR

    def __call__(self) -> dt.datetime:
        return self.now


async def test_only_its_hash_is_stored(store: SqlStore) -> None:
    made, told = await store.create_token(ADA, " My\nlaptop ")
    assert (made.name, made.last_used_at, made.revoked) == ("My laptop", None, False)
    assert told.startswith("moa_")
    rows = str(await everything(store))
    assert told not in rows
    assert told[4:] not in rows
    assert hashlib.sha256(told.encode()).hexdigest() in rows


async def test_it_tells_its_owner_until_it_is_revoked(store: SqlStore) -> None:
    made, told = await store.create_token(ADA, "laptop")
    other, others = await store.create_token(BOB, "laptop")
    assert [await store.token_owner(one) for one in (told, others)] == [ADA, BOB]
    await store.revoke_token(ADA, made.id)
    await store.revoke_token(ADA, made.id)
    assert [await store.token_owner(one) for one in (told, others)] == [None, BOB]
    assert [(t.id, t.revoked) for t in await store.list_tokens(ADA)] == [(made.id, True)]
    assert [(t.id, t.revoked) for t in await store.list_tokens(BOB)] == [(other.id, False)]


@pytest.mark.parametrize(
    "told", ["", "moa_", "moa_" + "x" * 43, "x" * 47, "moa_" + "x" * 42 + "\x00", "moa_" + "х" * 43]
)
async def test_what_is_none_is_nobodys(store: SqlStore, told: str) -> None:
    await store.create_token(ADA, "laptop")
    assert await store.token_owner(told) is None


@pytest.mark.parametrize("name", ["", " \n", "\x00", "x" * 81])
async def test_a_token_needs_a_name(store: SqlStore, name: str) -> None:
    with pytest.raises(InputRefused, match="1 to 80 characters"):
        await store.create_token(ADA, name)
    assert await store.list_tokens(ADA) == ()


async def test_its_use_is_noted_once_a_minute(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    _, told = await store.create_token(ADA, "laptop")
    noted = []
    for seconds in (0, 59, 1):
        calendar.now += dt.timedelta(seconds=seconds)
        await store.token_owner(told)
        noted.append((await store.list_tokens(ADA))[0].last_used_at)
    minute = NEW_YEAR + dt.timedelta(minutes=1)
    assert noted == [NEW_YEAR, NEW_YEAR, minute]
    await store.aclose()


async def test_tokens_go_with_their_owner(store: SqlStore) -> None:
    _, told = await store.create_token(ADA, "laptop")
    await store.delete_everything(ADA)
    assert await store.token_owner(told) is None


async def test_conversations_of_the_api_are_kept_and_neither_listed_nor_found(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question("A gnu", source="api"))
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST, "It is a gnu.")))
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST, "A gnu indeed.")))
    shown, _ = await store.begin_turn(ADA, question("A gnu, too", "key-2", source="cli"))
    assert [entry.id for entry in await store.list_conversations(ADA)] == [shown.conversation_id]
    assert list(await store.list_ids(ADA)) == [shown.conversation_id]
    for query in ("gnu", "gn", "g"):
        assert [hit.conversation_id for hit in await store.search(ADA, query)] == [shown.conversation_id]
    await store.rename_conversation(ADA, turn.conversation_id, "A gnu of the API")
    assert [hit.conversation_id for hit in await store.search(ADA, "gnu")] == [shown.conversation_id]
    assert (await store.load_conversation(ADA, turn.conversation_id)).title == "A gnu of the API"
    await store.delete_everything(ADA)
