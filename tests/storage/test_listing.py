"""The history's lines: order, pages, pins, titles, and deletions that can be undone for a day."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from moa.core.errors import NotFound
from storage import SqlStore
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, BOB, FIRST, LAST, call, proposal, question, result

NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Calendar:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NEW_YEAR

    def __call__(self) -> dt.datetime:
        return self.now

    def later(self, **much: float) -> None:
        self.now += dt.timedelta(**much)


async def begun(store: SqlStore, name: str) -> str:
    return (await store.begin_turn(ADA, question(name, name.replace(" ", "-"))))[0].conversation_id


async def test_pinned_ones_come_first_and_only_on_the_first_page(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    ids = []
    for number in range(7):
        ids.append(await begun(store, str(number)))
        calendar.later(minutes=1)
    for number in (0, 3):
        await store.set_flags(ADA, ids[number], pinned=True)
    first = await store.list_conversations(ADA, limit=3)
    second = await store.list_conversations(ADA, limit=3, before=first[-1].updated_at)
    assert [e.title for e in first] == ["3", "0", "6", "5", "4"]
    assert [e.pinned for e in first] == [True, True, False, False, False]
    assert [e.title for e in second] == ["2", "1"]
    await store.set_flags(ADA, ids[3], pinned=False)
    assert [e.title for e in await store.list_conversations(ADA)] == ["0", "6", "5", "4", "3", "2", "1"]
    await store.aclose()


async def test_archived_ones_have_a_list_of_their_own(store: SqlStore) -> None:
    kept, put_away = await begun(store, "kept"), await begun(store, "put away")
    await store.set_flags(ADA, put_away, pinned=True)
    await store.set_flags(ADA, put_away, archived=True)
    assert [e.id for e in await store.list_conversations(ADA)] == [kept]
    (entry,) = await store.list_conversations(ADA, archived=True)
    assert (entry.id, entry.pinned, entry.archived) == (put_away, True, True)
    assert set(await store.list_ids(ADA)) == {kept, put_away}
    await store.set_flags(ADA, put_away, archived=False)
    assert await store.list_conversations(ADA, archived=True) == ()


async def test_no_line_is_lost_between_pages_when_many_changed_at_one_moment(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    ids = set()
    for number in range(9):
        ids.add(await begun(store, str(number)))
        if number in (1, 6):
            calendar.later(minutes=1)
    seen: list[str] = []
    before = None
    while page := await store.list_conversations(ADA, limit=2, before=before):
        seen += [entry.id for entry in page]
        before = page[-1].updated_at
    assert len(seen) == 9
    assert set(seen) == ids
    await store.aclose()


async def test_a_written_title_replaces_first_words_but_never_a_users_own(store: SqlStore) -> None:
    id_ = await begun(store, "why is the sky blue")
    await store.suggest_title(ADA, id_, "The colour\n of\x00 the sky")
    assert (await store.load_conversation(ADA, id_)).title == "The colour of the sky"
    await store.suggest_title(ADA, id_, "x" * 500)
    assert (await store.load_conversation(ADA, id_)).title == "x" * 200
    await store.suggest_title(ADA, id_, " \u202e ")
    assert (await store.load_conversation(ADA, id_)).title == "x" * 200
    await store.rename_conversation(ADA, id_, "Mine")
    await store.suggest_title(ADA, id_, "Yours")
    assert (await store.load_conversation(ADA, id_)).title == "Mine"


async def test_a_deletion_can_be_undone_for_a_day(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turn, _ = await store.begin_turn(ADA, question())
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    before = await store.load_conversation(ADA, turn.conversation_id)
    await store.delete_conversation(ADA, turn.conversation_id)
    calendar.later(hours=23)
    with pytest.raises(NotFound):
        await store.restore_conversation(BOB, turn.conversation_id)
    await store.restore_conversation(ADA, turn.conversation_id)
    assert await store.load_conversation(ADA, turn.conversation_id) == before
    await store.restore_conversation(ADA, turn.conversation_id)
    await store.delete_conversation(ADA, turn.conversation_id)
    calendar.later(hours=25)
    with pytest.raises(NotFound):
        await store.restore_conversation(ADA, turn.conversation_id)
    await store.aclose()


async def test_what_was_deleted_long_ago_is_removed_for_good(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    kept = await begun(store, "kept")
    for number in range(45):
        id_ = await begun(store, str(number))
        run = (await store.load_conversation(ADA, id_)).turns[0].shown_run_id
        await store.save_call(ADA, run, call(proposal(FIRST)))
        await store.delete_conversation(ADA, id_)
    late = await begun(store, "late")
    calendar.later(days=3)
    await store.delete_conversation(ADA, late)
    assert await store.purge_deleted(dt.timedelta(days=2)) == 45
    assert await store.purge_deleted(dt.timedelta(days=2)) == 0
    rows = await everything(store)
    assert {row[0] for row in rows["conversation"]} == {kept, late}
    assert [len(rows[name]) for name in ("turn", "run", "response")] == [2, 2, 0]
    await store.aclose()


async def test_B25_everything_of_one_user_goes_and_nothing_of_another(store: SqlStore) -> None:
    await store.begin_turn(BOB, question("Bob's sky"))
    bobs = await everything(store)
    turn, _ = await store.begin_turn(ADA, question())
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    await store.end_run(ADA, turn.shown_run_id, result(proposal(FIRST), proposal(LAST)))
    await store.begin_turn(ADA, question(key="2", conversation_id=turn.conversation_id, branch=True, parent_id=turn.id))
    _, token = await store.create_share(ADA, turn.conversation_id, expires_at=dt.datetime(9000, 1, 1, tzinfo=dt.UTC))
    gone = await begun(store, "gone")
    await store.delete_conversation(ADA, gone)
    await store.delete_everything(ADA)
    assert await everything(store) == bobs
    assert await store.search(ADA, "sky") == ()
    assert len(await store.search(BOB, "sky")) == 1
    with pytest.raises(NotFound):
        await store.open_share(token)
    await store.delete_everything(ADA)
    assert (await store.begin_turn(ADA, question()))[1]


async def test_B25_the_index_for_search_keeps_nothing_of_what_is_gone(file: Place) -> None:
    store = file.open()
    turn, _ = await store.begin_turn(ADA, question())
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    await store.delete_everything(ADA)
    left = text("""
        SELECT (SELECT count(*) FROM search_owner) + (SELECT count(*) FROM search_entry)
            + (SELECT count(*) FROM search_text WHERE search_text MATCH 'Rayleigh OR sky')
    """)
    assert await store.database.read(lambda s: s.scalar(left)) == 0
    await store.aclose()
