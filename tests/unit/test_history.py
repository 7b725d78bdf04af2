from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest

from moa.chat.values import ConversationEntry, SearchHit
from moa.ui import history

NOON = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def entry(id_: str, when: dt.datetime = NOON, *, pinned: bool = False, running: bool = False) -> ConversationEntry:
    return ConversationEntry(id_, id_.upper(), when, when, running=running, pinned=pinned)


def test_a_page_tells_which_one_is_shown_which_run_and_which_are_pinned() -> None:
    shown = history.page([entry("a", pinned=True), entry("b", running=True)], limit=50, current="b")
    assert shown["current"] == "b"
    assert [(e["id"], e["title"], e["running"], e["pinned"]) for e in shown["entries"]] == [
        ("a", "A", False, True), ("b", "B", True, False),
    ]  # fmt: skip


def test_there_is_a_next_page_when_as_many_came_as_were_asked_for_pinned_ones_aside() -> None:
    earlier = NOON - dt.timedelta(hours=1)
    pinned = [entry("p1", pinned=True), entry("p2", pinned=True)]
    assert history.page([*pinned, entry("a")], limit=2, current=None)["next"] is None
    assert history.page(pinned, limit=2, current=None)["next"] is None
    assert history.page([], limit=2, current=None)["next"] is None
    full = history.page([*pinned, entry("a"), entry("b", earlier)], limit=2, current=None)
    assert full["next"] == "2026-11-24T11:00:00.000000+00:00"


def test_a_page_that_came_with_entries_of_the_same_moment_goes_on_after_all_of_them() -> None:
    page = history.page([entry("a"), entry("b"), entry("c")], limit=2, current=None)
    assert page["next"] == page["entries"][-1]["at"]


def test_moments_compare_as_texts() -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    moments = [
        NOON - dt.timedelta(microseconds=1), NOON, (NOON + dt.timedelta(microseconds=1)).astimezone(tokyo),
        NOON + dt.timedelta(seconds=1),
    ]  # fmt: skip
    told = [e["at"] for e in history.page([entry("a", when) for when in moments], limit=9, current=None)["entries"]]
    assert told == sorted(told)
    assert len(set(told)) == 4


@pytest.mark.parametrize(
    ("snippet", "marks", "pieces"),
    [
        ("blue sky", ((0, 4),), ["[blue]", " sky"]),
        ("the sky", ((4, 7),), ["the ", "[sky]"]),
        ("sky", ((0, 3),), ["[sky]"]),
        ("none", (), ["none"]),
        ("", (), []),
        ("👨‍👩‍👧 하늘이 푸르다", ((6, 8), (10, 12)), ["👨‍👩‍👧 ", "[하늘]", "이 ", "[푸르]", "다"]),
        ("aabb", ((0, 2), (2, 4)), ["[aa]", "[bb]"]),
    ],
)
def test_a_snippet_is_cut_where_it_matched(snippet: str, marks: Sequence[tuple[int, int]], pieces: list[str]) -> None:
    hit = SearchHit("c", "Title", "t", "answer", snippet, tuple(marks), NOON)
    (found,) = history.hits([hit], offset=0, limit=1)["hits"]
    assert [f"[{piece['text']}]" if piece["hit"] else piece["text"] for piece in found["snippet"]] == pieces
    assert "".join(piece["text"] for piece in found["snippet"]) == snippet


def test_one_more_than_asked_for_means_there_is_another_page() -> None:
    hit = SearchHit("c", "Title", None, "title", "Title", (), NOON)
    several = [replace(hit, conversation_id=str(number)) for number in range(3)]
    more = history.hits(several, offset=4, limit=2)
    assert ([found["conversation"] for found in more["hits"]], more["next"]) == (["0", "1"], 6)
    assert history.hits(several, offset=4, limit=3)["next"] is None
