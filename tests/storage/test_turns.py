"""Questions: stored before anything is called, once for each submit, never lost to another tab."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import Engine, event, select

from moa.chat.ports import Conversations, Journal, Shares
from moa.chat.values import ColumnRun, Comparison
from moa.core.domain import Status
from moa.core.errors import Conflict, InputRefused, NotFound
from storage import SqlStore
from storage.models import ConversationRow, TitleSource
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, BOB, FIRST, LAST, RECIPE, call, proposal, question, result


def test_implements_the_ports(store: SqlStore) -> None:
    def needs(conversations: Conversations, shares: Shares, journal: Journal) -> bool:
        return bool(conversations and shares and journal)

    assert needs(store, store, store)


async def test_a_question_is_stored_with_its_run(store: SqlStore) -> None:
    turn, fresh = await store.begin_turn(ADA, question())
    assert fresh
    assert (turn.question, turn.position, turn.parent_id) == ("Why is the sky blue?", 1, None)
    assert (turn.shown.status, turn.shown.attempt, turn.shown.recipe, turn.shown.seed) == (
        Status.RUNNING, 1, RECIPE, 7,
    )  # fmt: skip
    assert turn.shown.result is None
    assert turn.created_at.tzinfo is dt.UTC
    assert await store.load_turn(ADA, turn.id) == turn
    assert await store.load_turn_of_run(ADA, turn.shown_run_id) == turn
    loaded = await store.load_conversation(ADA, turn.conversation_id)
    assert (loaded.head, loaded.turns, loaded.title) == (turn.id, (turn,), "Why is the sky blue?")


async def test_turns_follow_each_other(store: SqlStore) -> None:
    first, _ = await store.begin_turn(ADA, question(key="1"))
    more = question("And at night?", "2", conversation_id=first.conversation_id, expected_head=first.id)
    second, _ = await store.begin_turn(ADA, more)
    assert (second.parent_id, second.position) == (first.id, 2)
    assert (await store.load_conversation(ADA, first.conversation_id)).turns == (first, second)


async def test_everything_is_there_after_a_restart(place: Place) -> None:
    store = place.open()
    turn, _ = await store.begin_turn(ADA, question())
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
    await store.end_run(ADA, turn.shown_run_id, result(proposal(FIRST)))
    before = await store.load_conversation(ADA, turn.conversation_id)
    await store.aclose()
    again = place.open()
    assert await again.load_conversation(ADA, turn.conversation_id) == before
    await again.aclose()


async def test_F24_the_same_submit_again_is_the_same_turn(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    before = await everything(store)
    assert await store.begin_turn(ADA, question()) == (turn, False)
    assert await everything(store) == before


async def test_F24_a_double_click_makes_one_run(store: SqlStore) -> None:
    made = await asyncio.gather(*(store.begin_turn(ADA, question()) for _ in range(8)))
    assert len({turn.id for turn, _ in made}) == 1
    assert [fresh for _, fresh in made].count(True) == 1
    rows = await everything(store)
    assert [len(rows[name]) for name in ("conversation", "turn", "run")] == [1, 1, 1]


async def test_F24_also_when_two_processes_get_one_click_each(store: SqlStore, place: Place) -> None:
    other = place.open()
    made = await asyncio.gather(*(s.begin_turn(ADA, question()) for s in (store, other, store, other)))
    assert len({turn.id for turn, _ in made}) == 1
    assert [fresh for _, fresh in made].count(True) == 1
    await other.aclose()


async def test_F24_one_key_of_two_users_is_two_turns(store: SqlStore) -> None:
    (ada, _), (bob, fresh) = await store.begin_turn(ADA, question()), await store.begin_turn(BOB, question())
    assert fresh
    assert ada.id != bob.id


async def test_F24_a_double_click_on_regenerate_makes_one_attempt(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    made = await asyncio.gather(*(store.begin_run(ADA, turn.id, RECIPE, seed=8, request_key="again") for _ in range(8)))
    assert len({run.id for run, _ in made}) == 1
    assert [fresh for _, fresh in made].count(True) == 1
    assert [run.attempt for run in (await store.load_turn(ADA, turn.id)).runs] == [1, 2]


async def test_F23_of_two_tabs_one_wins_and_the_other_is_told(store: SqlStore) -> None:
    first, _ = await store.begin_turn(ADA, question(key="1"))
    tabs = [
        store.begin_turn(ADA, question(text, key, conversation_id=first.conversation_id, expected_head=first.id))
        for text, key in (("From the left", "2"), ("From the right", "3"))
    ]
    left, right = await asyncio.gather(*tabs, return_exceptions=True)
    refused = right if isinstance(right, Exception) else left
    assert isinstance(refused, Conflict)
    assert "your question was not sent" in refused.public
    turns = (await store.load_conversation(ADA, first.conversation_id)).turns
    assert len(turns) == 2
    assert len((await everything(store))["turn"]) == 2


async def test_F23_a_head_that_was_never_seen_is_a_conflict(store: SqlStore) -> None:
    first, _ = await store.begin_turn(ADA, question(key="1"))
    with pytest.raises(Conflict):
        await store.begin_turn(ADA, question(key="2", conversation_id=first.conversation_id, expected_head=None))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Short", "Short"),
        ("  two\n lines ", "two lines"),
        ("word " * 30, "word " * 11 + "word…"),
        ("天空为什么是蓝色的" * 10, ("天空为什么是蓝色的" * 10)[:60] + "…"),
        ("\u202e \x00", "New chat"),
    ],
)
async def test_the_title_is_the_first_words(store: SqlStore, text: str, title: str) -> None:
    turn, _ = await store.begin_turn(ADA, question(text))
    assert (await store.load_conversation(ADA, turn.conversation_id)).title == title


async def test_the_list_is_newest_first_paged_and_tells_what_runs(place: Place) -> None:
    minutes = count()
    store = place.open(now=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=next(minutes)))
    turns = [(await store.begin_turn(ADA, question(str(n), str(n))))[0] for n in range(5)]
    await store.begin_turn(BOB, question())
    await store.end_run(ADA, turns[4].shown_run_id, result(proposal(FIRST)))
    await store.begin_turn(
        ADA, question("more", "more", conversation_id=turns[1].conversation_id, expected_head=turns[1].id)
    )
    page = await store.list_conversations(ADA, limit=3)
    rest = await store.list_conversations(ADA, limit=3, before=page[-1].updated_at)
    assert [entry.title for entry in (*page, *rest)] == ["1", "4", "3", "2", "0"]
    assert [entry.running for entry in page] == [True, False, True]
    await store.aclose()


async def test_a_title_of_the_users_own(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.rename_conversation(ADA, turn.conversation_id, "  My\x00 \n sky ")
    assert (await store.list_conversations(ADA))[0].title == "My sky"
    source = await store.database.read(lambda s: s.scalar(select(ConversationRow.title_source)))
    assert source is TitleSource.USER
    with pytest.raises(InputRefused):
        await store.rename_conversation(ADA, turn.conversation_id, " \u202e\n")


async def test_a_deleted_conversation_is_gone_but_its_run_still_ends(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.delete_conversation(ADA, turn.conversation_id)
    assert await store.list_conversations(ADA) == ()
    for attempt in (
        store.load_conversation(ADA, turn.conversation_id),
        store.load_turn(ADA, turn.id),
        store.load_turn_of_run(ADA, turn.shown_run_id),
        store.begin_turn(ADA, question()),
        store.begin_turn(ADA, question(key="2", conversation_id=turn.conversation_id, expected_head=turn.id)),
        store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="3"),
        store.delete_conversation(ADA, turn.conversation_id),
    ):
        with pytest.raises(NotFound):
            await attempt
    await store.end_run(ADA, turn.shown_run_id, result(proposal(FIRST)))


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that any engine executes meanwhile."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_loading_takes_as_many_queries_for_a_long_path_as_for_a_short_one(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question(key="0"))
    costs = []
    for number in range(1, 13):
        await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST)))
        with counted() as seen:
            loaded = await store.load_conversation(ADA, turn.conversation_id)
        assert len(loaded.turns) == number
        costs.append(len(seen))
        more = question(key=str(number), conversation_id=turn.conversation_id, expected_head=turn.id)
        turn, _ = await store.begin_turn(ADA, more)
    assert costs == [5] * 12


async def test_a_list_takes_as_many_queries_for_many_lines_as_for_few(store: SqlStore) -> None:
    costs = []
    for number in range(6):
        await store.begin_turn(ADA, question(key=str(number)))
        with counted() as seen:
            assert len(await store.list_conversations(ADA)) == number + 1
        costs.append(len(seen))
    assert costs == [2] * 6


async def test_a_first_turn_is_given_as_it_is_then_read(store: SqlStore) -> None:
    """It is put together by hand, so that nothing has to be read back while a model waits."""
    beside = ColumnRun(replace(RECIPE, title="Be\x00side \ud800"), 9)
    plain = question("Why\x00 now? \ud83d", "alone", source="cli")
    several = question(key="several", columns=(beside,), comparison=Comparison((2, 1), blind=True))
    for asked in (plain, several):
        turn, fresh = await store.begin_turn(ADA, asked)
        assert fresh
        assert await store.load_turn(ADA, turn.id) == turn
        assert await store.begin_turn(ADA, asked) == (turn, False)
        talk = await store.load_conversation(ADA, turn.conversation_id)
        assert (talk.turns, talk.head) == ((turn,), turn.id)
