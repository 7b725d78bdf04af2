"""Search: every language, every place, only one's own, and a query is never a language of its own."""

from __future__ import annotations

import datetime as dt
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings

from moa.chat.values import Comparison, SearchHit
from storage import SqlStore
from storage.search import snippet_of, words_of
from tests.storage.conftest import Place
from tests.storage.samples import ADA, FIRST, LAST, RECIPE, SECOND, TEXT, call, failure, proposal, question, result
from tests.storage.test_columns import compared
from tests.storage.test_listing import Calendar

KEYS = count()


async def told(store: SqlStore, asked: str, answer: str = "", proposed: str = "", title: str = "") -> str:
    """A conversation with these texts; its id."""
    turn, _ = await store.begin_turn(ADA, question(asked, f"k{next(KEYS)}"))
    await store.rename_conversation(ADA, turn.conversation_id, title or "Untitled")
    if proposed:
        await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST, proposed)))
    if answer:
        await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST, answer)))
    return turn.conversation_id


def marked(hit: SearchHit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.marks]


async def found(store: SqlStore, query: str) -> set[str]:
    return {hit.conversation_id for hit in await store.search(ADA, query)}


async def test_it_finds_titles_questions_answers_and_proposals(store: SqlStore) -> None:
    wanted = {
        "title": await told(store, "one", title="Zebra crossing"),
        "question": await told(store, "Which zebra?"),
        "answer": await told(store, "three", answer="The Zebra."),
        "proposal": await told(store, "four", proposed="zebras, all of them"),
    }
    await told(store, "horse", answer="horse", proposed="horse", title="horse")
    hits = {hit.where: hit for hit in await store.search(ADA, "zebra")}
    assert {where: hit.conversation_id for where, hit in hits.items()} == wanted
    assert {where: marked(hit) for where, hit in hits.items()} == {
        "title": ["Zebra"], "question": ["zebra"], "answer": ["Zebra"], "proposal": ["zebra"],
    }  # fmt: skip
    assert hits["title"].turn_id is None
    for where in ("question", "answer", "proposal"):
        turn_id = hits[where].turn_id
        assert turn_id is not None
        assert (await store.load_turn(ADA, turn_id)).conversation_id == wanted[where]


async def test_a_partial_text_is_found_once_its_slot_has_ended(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.checkpoint(ADA, turn.shown_run_id, {SECOND: "half a giraffe"})
    assert await found(store, "giraffe") == set()
    await store.save_call(ADA, turn.shown_run_id, call(failure(SECOND, partial="half a giraffe")))
    await store.checkpoint(ADA, turn.shown_run_id, {LAST: "An okapi is"})
    await store.recover(stale_s=0)
    for animal in ("giraffe", "okapi"):
        assert await found(store, animal) == {turn.conversation_id}
    await store.save_call(ADA, turn.shown_run_id, call(proposal(SECOND, "none")))
    assert await found(store, "giraffe") == set()


@pytest.mark.parametrize(
    ("asked", "queries"),
    [
        ("하늘은 왜 파란가요? 강아지가 뛰어요", ["하늘은", "파란가", "하늘", "왜", "늘은 왜", "강아지 하늘"]),
        ("天空为什么是蓝色的？光的散射", ["为什么", "天空", "蓝", "光的散射", "散射 蓝色"]),
        ("空はなぜ青いのですか。レイリー散乱です", ["なぜ青い", "レイリー", "青い", "空"]),
        ("Почему небо ГОЛУБОЕ?", ["небо", "голубое", "ПОЧЕМУ", "ЕБ"]),
        ("Ça été l'ÉTÉ à la mer", ["été", "ça", "à la", "ÉT"]),
        ("السماء زرقاء", ["زرقاء", "سماء"]),
        ("C++ is 100% f_un \\o/ \"quoted\" it's -- (a OR b) NEAR *", [
            "C++", "100%", "f_un", "\\o/", '"quoted"', "it's", "--", "(a OR", "NEAR *", "OR", "*", "un \\o", "%",
        ]),
        ("emoji 👩‍👩‍👧 family", ["👩‍👩‍👧", "emoji 👩‍👩‍👧"]),
    ],
)  # fmt: skip
async def test_words_of_any_language_and_any_length(store: SqlStore, asked: str, queries: list[str]) -> None:
    others = [await told(store, "nothing of it"), await told(store, "x", proposed="zzz")]
    wanted = await told(store, asked)
    for query in queries:
        assert wanted in await found(store, query), query
        assert not await found(store, query) & set(others), query
    await store.rename_conversation(ADA, wanted, f"T {asked}")
    for query in queries:
        assert next(h.where for h in await store.search(ADA, query) if h.conversation_id == wanted) == "title"


@pytest.mark.parametrize(
    "nowhere", ["%", "_", "____", "%%%", "a%c", "ab_", '"', '""', "\\", "*", "^abc", "text:abc", "-"]
)
async def test_a_query_is_no_pattern(store: SqlStore, nowhere: str) -> None:
    await told(store, "abcd", "abcd")
    assert await found(store, nowhere) == set()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=TEXT, query=TEXT)
async def test_any_query_is_answered(store: SqlStore, asked: str, query: str) -> None:
    await told(store, asked, answer=query)
    for hit in await store.search(ADA, query, limit=3):
        assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.marks)


async def test_all_words_must_be_in_one_place(store: SqlStore) -> None:
    both = await told(store, "red and green, by turns")
    await told(store, "red", answer="green")
    assert await found(store, "green red") == {both}
    assert await found(store, '"red and"') == {both}
    assert await found(store, '"red green"') == set()
    assert await found(store, "green by") == {both}
    assert await found(store, "green xy") == set()
    assert await store.search(ADA, " \x00\n") == ()


async def test_a_conversation_is_one_hit_titles_first_then_newest(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    ids = []
    for number in range(6):
        ids.append(await told(store, f"sky {number}", "sky", "sky", title="The sky" if number in (1, 2) else ""))
        calendar.later(minutes=1)
    hits = await store.search(ADA, "sky")
    assert [hit.conversation_id for hit in hits[2:]] == [ids[n] for n in (5, 4, 3, 0)]
    assert {hit.conversation_id for hit in hits[:2]} == {ids[1], ids[2]}
    pages = [await store.search(ADA, "sky", limit=4, offset=offset) for offset in (0, 4, 8)]
    assert (*pages[0], *pages[1], *pages[2]) == tuple(hits)
    assert hits[2].updated_at == calendar.now - dt.timedelta(minutes=1)
    await store.aclose()


async def test_what_is_deleted_is_not_found_until_it_is_back(store: SqlStore) -> None:
    id_ = await told(store, "ibex question", "ibex answer", "ibex proposal", "ibex title")
    await store.delete_conversation(ADA, id_)
    for query in ("ibex", "ib", "ibex title"):
        assert await found(store, query) == set()
    await store.restore_conversation(ADA, id_)
    assert await found(store, "ibex") == await found(store, "ib") == {id_}
    await store.delete_conversation(ADA, id_)
    await store.purge_deleted(dt.timedelta(seconds=-1))
    assert await found(store, "ibex") == set()


async def test_reused_and_copied_texts_are_found_where_they_are(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.save_call(ADA, turn.shown_run_id, call(proposal(FIRST, "a lone lynx")))
    reuse = {FIRST: proposal(FIRST, "a lone lynx")}
    await store.end_run(ADA, turn.shown_run_id, result(proposal(FIRST, "a lone lynx")))
    await store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="again", reuse=reuse)
    assert await found(store, "lynx") == {turn.conversation_id}
    copy = await store.import_tree(ADA, await store.load_tree(ADA, turn.conversation_id))
    assert await found(store, "lynx") == {turn.conversation_id, copy}


async def test_an_old_conversation_is_found_behind_many_newer_ones(store: SqlStore) -> None:
    old = await told(store, "a gnu at last", proposed="gnus in 零七", answer="a gnu and a yak")
    for number in range(120):
        await store.begin_turn(ADA, question(f"only a yak {number}", f"k{next(KEYS)}"))
    for query in ("a gnu", "gnu last", "gnus", "gn", "零七", "gnu 零", "零"):
        assert await found(store, query) == {old}, query
    hits = await store.search(ADA, "yak", limit=200)
    assert len(hits) == 121
    assert hits[-1].conversation_id == old
    assert [h.conversation_id for h in await store.search(ADA, "ya", limit=200)] == [h.conversation_id for h in hits]


@pytest.mark.parametrize("query", ["lynx", "ly", "x"])
async def test_what_a_blind_comparison_hides_is_found_after_the_vote(store: SqlStore, query: str) -> None:
    shown, _ = await store.begin_turn(ADA, compared("shown", comparison=Comparison((1, 2, 3), blind=False)))
    turn, _ = await store.begin_turn(ADA, compared())
    for each in (shown, turn):
        for run in (each.shown, *each.columns):
            texts = [proposal(FIRST, "A lynx."), proposal(LAST, "A gnu.")]
            await store.end_run(ADA, run.id, result(*texts))
    assert await found(store, query) == {shown.conversation_id}
    assert await found(store, "gnu") == await found(store, "gn") == {shown.conversation_id, turn.conversation_id}
    await store.vote(ADA, turn.id, "tie")
    assert await found(store, query) == {shown.conversation_id, turn.conversation_id}


async def test_beside_what_is_hidden_all_else_of_a_conversation_is_found(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, compared())
    for run in (turn.shown, *turn.columns):
        await store.end_run(ADA, run.id, result(proposal(FIRST, "A lynx."), proposal(LAST, "A gnu.")))
    more = question("And a lynx?", "more", conversation_id=turn.conversation_id, branch=True)
    await store.begin_turn(ADA, more)
    [hit] = await store.search(ADA, "lynx")
    assert (hit.conversation_id, hit.where) == (turn.conversation_id, "question")


def test_a_snippet_is_one_line_around_the_first_word() -> None:
    long = "a\n" * 200 + "Needle\tin hay, needle" + " b" * 200
    snippet, marks = snippet_of(long, ["needle", "hay"])
    assert "\n" not in snippet
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert [snippet[a:b] for a, b in marks] == ["Needle", "hay", "needle"]
    assert snippet_of("short", ["none"]) == ("short", ())
    assert snippet_of("a.b", ["."]) == ("a.b", ((1, 2),))


def test_a_query_is_cut_into_words() -> None:
    assert words_of('  red "two  words" Red "  \x00') == ("Red", "two words")
    assert words_of('"open') == ("open",)
    assert len(words_of(" ".join(map(str, range(99))))) == 8
    assert words_of('""" "" "') == ()
