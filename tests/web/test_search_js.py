"""Searching all conversations in a real browser: by keys, with answers that come late, in languages that compose."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import CDPSession, Locator, expect

from tests.web.harness import Harness
from tests.web.hostile import XSS
from tests.web.shelf import Shelf, entry, listing

pytestmark = pytest.mark.browser


def hit(number: int, *pieces: str, where: str = "answer", turn: str | None = "turn1", **changes: Any) -> dict[str, Any]:
    """Something that was found; pieces in brackets are what was searched for."""
    snippet = [{"text": piece.strip("[]"), "hit": piece.startswith("[")} for piece in pieces or ("the ", "[sky]")]
    return {
        "conversation": f"talk{number}", "title": f"Talk {number}", "turn": turn, "where": where, "snippet": snippet,
        "at": "2026-11-24T12:00:00.000000+00:00", **changes,
    }  # fmt: skip


def found(*hits: dict[str, Any], then: int | None = None) -> dict[str, Any]:
    """A page of what was found."""
    return {"hits": list(hits), "next": then}


def query(words: str, offset: int = 0) -> str:
    return f"search?q={quote_plus(words)}" + (f"&offset={offset}" if offset else "")


def box(harness: Harness) -> Locator:
    return harness.page.get_by_role("searchbox", name="Search", exact=True)


def results(harness: Harness) -> Locator:
    return harness.page.locator(".moa-hit")


def opened(harness: Harness) -> list[Any]:
    return [event["payload"] for event in harness.events() if event["event"] == "open"]


def test_search_from_the_keyboard_alone(harness: Harness, shelf: Shelf) -> None:
    harness.send("moa-history", listing(entry(7)))
    shelf.answer("GET", query("sky"), found(hit(1), hit(2, turn="turn5"), hit(3)))
    keyboard = harness.page.keyboard
    harness.page.locator("#moa-send").focus()
    keyboard.press("/")
    expect(box(harness)).to_be_focused()
    keyboard.type("sky")
    expect(results(harness)).to_have_count(3)
    expect(harness.page.locator(".moa-entry")).to_be_hidden()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        keyboard.press(key)
    assert opened(harness) == [{"id": "talk2", "turn": "turn5"}]
    expect(results(harness)).to_have_count(3)  # the next one may be the one that was looked for
    for _ in range(2):
        keyboard.press("ArrowUp")
    expect(box(harness)).to_be_focused()
    keyboard.press("Enter")
    assert opened(harness)[1] == {"id": "talk1", "turn": "turn1"}
    keyboard.press("ArrowDown")
    keyboard.press("Escape")
    expect(box(harness)).to_be_focused()
    expect(box(harness)).to_have_value("")
    expect(harness.page.locator(".moa-entry")).to_be_visible()
    expect(results(harness)).to_have_count(0)


@pytest.mark.parametrize("keys", ["Control+k", "Meta+k", "/"])
def test_shortcuts_lead_to_the_search_and_keep_out_of_fields(harness: Harness, keys: str) -> None:
    field = harness.page.locator("textarea")
    field.focus()
    harness.page.keyboard.press(keys)
    if keys == "/":
        expect(field).to_have_value("/")
        harness.page.locator("#moa-send").focus()
        harness.page.keyboard.press(keys)
    expect(box(harness)).to_be_focused()
    expect(box(harness)).to_have_value("")


def test_a_shortcut_opens_the_sidebar_first(harness: Harness) -> None:
    harness.page.evaluate(
        """() => {
            const bar = document.createElement("div");
            bar.id = "moa-sidebar";
            bar.innerHTML = "<button class='toggle-button'>Open</button>";
            bar.firstChild.onclick = () => bar.classList.toggle("open");
            document.body.append(bar);
        }"""
    )
    for _ in range(2):
        harness.page.locator("#moa-send").focus()
        harness.page.keyboard.press("Control+k")
        expect(box(harness)).to_be_focused()
        expect(harness.page.locator("#moa-sidebar")).to_have_class("open")
    harness.page.evaluate("document.getElementById('moa-sidebar').remove()")


def test_a_result_says_where_and_marks_what_was_found(harness: Harness, shelf: Shelf) -> None:
    shelf.answer(
        "GET", query("sky"),
        found(hit(1, "😀 the ", "[sky]", " is blue"), hit(2, "Blue ", "[sky]", where="title", turn=None),
              hit(3, where="proposal"), hit(4, where="question")),
    )  # fmt: skip
    box(harness).fill("sky")
    first, title, proposal, question = (results(harness).nth(number) for number in range(4))
    expect(first.locator(".moa-hit-snippet")).to_have_text("😀 the sky is blue")
    assert first.locator("mark").all_text_contents() == ["sky"]
    expect(first).to_contain_text("in the answer · ")
    expect(title.locator(".moa-hit-title")).to_have_text("Blue sky")
    expect(title.locator(".moa-hit-title mark")).to_have_text("sky")
    expect(title.locator(".moa-hit-snippet")).to_have_count(0)
    expect(proposal).to_contain_text("in a proposal · ")
    expect(question).to_contain_text("in a question · ")
    expect(harness.page.get_by_role("status").filter(has_text="4 found")).to_be_visible()
    title.click()
    assert opened(harness) == [{"id": "talk2", "turn": None}]


def test_nothing_found_is_said(harness: Harness, shelf: Shelf) -> None:
    harness.send("moa-history", listing(entry(1)))
    shelf.answer("GET", query("sky"), found())
    box(harness).fill("sky")
    expect(harness.page.get_by_role("status").filter(has_text="Nothing found")).to_be_visible()
    expect(harness.page.locator(".moa-entry")).to_be_hidden()
    harness.page.get_by_role("button", name="Clear search").click()
    expect(box(harness)).to_be_focused()
    expect(harness.page.locator(".moa-entry")).to_be_visible()


def test_an_answer_to_older_words_is_dropped(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", query("old"), found(hit(1)))
    shelf.answer("GET", query("new"), found(hit(2)))
    shelf.held.add(query("old"))
    box(harness).fill("old")
    shelf.wait("GET", query("old"))
    box(harness).fill("new")
    expect(results(harness)).to_contain_text(["Talk 2"])
    box(harness).fill("older")
    box(harness).fill("")
    expect(results(harness)).to_have_count(0)
    assert [asked.path for asked in shelf.asked("GET", "search")] == [query("old"), query("new")]


def test_typing_on_is_one_search(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", query("blue sky"), found(hit(1)))
    box(harness).press_sequentially("blue sky  ")
    expect(results(harness)).to_have_count(1)
    box(harness).press_sequentially(" ")
    box(harness).press("Enter")
    assert [asked.path for asked in shelf.asked("GET", "search")] == [query("blue sky")]
    assert opened(harness) == [{"id": "talk1", "turn": "turn1"}]


def test_more_results_come_page_by_page_and_the_focus_goes_on(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", query("sky"), found(hit(1), hit(2), then=20))
    shelf.answer("GET", query("sky", 20), {"error": "The database is locked."}, 503)
    box(harness).fill("sky")
    expect(harness.page.get_by_role("status").filter(has_text="2 or more found")).to_be_visible()
    for _ in range(3):
        harness.page.keyboard.press("ArrowDown")
    more = harness.page.locator(".moa-found").get_by_role("button", name="Show more")
    expect(more).to_be_focused()
    harness.page.keyboard.press("Enter")
    expect(harness.page.locator(".moa-found")).to_contain_text("The database is locked.")
    expect(results(harness)).to_have_count(2)
    shelf.answer("GET", query("sky", 20), found(hit(3)))
    harness.page.keyboard.press("Enter")
    expect(results(harness).nth(2)).to_be_focused()
    expect(harness.page.get_by_role("status").filter(has_text="3 found")).to_be_visible()
    expect(harness.page.get_by_role("button", name="Show more")).to_be_hidden()


def test_a_search_that_fails_can_be_tried_again(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", query("sky"), {"error": "The database is locked."}, 503)
    box(harness).fill("sky")
    expect(harness.page.locator(".moa-found")).to_contain_text("The database is locked.")
    shelf.answer("GET", query("sky"), found(hit(1)))
    harness.page.get_by_role("button", name="Try again").click()
    expect(results(harness)).to_have_count(1)


def test_B01_what_was_found_is_never_markup(harness: Harness, shelf: Shelf) -> None:
    lines = [" ".join(text.split()) for text in XSS]
    hits = [
        hit(number, title=line, where=where, snippet=[{"text": line, "hit": True}, {"text": line, "hit": False}])
        for number, line in enumerate(lines)
        for where in ("answer", "title")
    ]
    shelf.answer("GET", query("sky"), found(*hits))
    box(harness).fill("sky")
    expect(results(harness)).to_have_count(len(hits))
    expect(harness.page.locator(".moa-hit-title *:not(mark), .moa-hit-snippet *:not(mark)")).to_have_count(0)
    assert harness.page.locator(".moa-hit mark").all_text_contents() == [hit["snippet"][0]["text"] for hit in hits]
    assert harness.page.locator(".moa-hit-snippet").all_text_contents() == [line * 2 for line in lines]
    assert harness.page.evaluate("window.hits") == 0
    assert harness.errors == []


# -- input methods


@pytest.fixture
def ime(harness: Harness) -> CDPSession:
    """What an input method does to the field with the focus."""
    box(harness).focus()
    return harness.page.context.new_cdp_session(harness.page)


def compose(ime: CDPSession, text: str) -> None:
    """Text that is underlined, as it is until it is chosen."""
    ime.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})


def searched(shelf: Shelf) -> list[str]:
    return [asked.path for asked in shelf.asked("GET", "search")]


def test_chinese_is_searched_for_when_the_word_is_chosen(harness: Harness, shelf: Shelf, ime: CDPSession) -> None:
    shelf.answer("GET", query("天空"), found(hit(1, "[天空]")))
    for text in ("t", "ti", "tian", "tian'kong"):
        compose(ime, text)
    ime.send("Input.insertText", {"text": "天空"})
    expect(results(harness)).to_have_count(1)
    assert searched(shelf) == [query("天空")]


def test_korean_is_searched_for_while_a_whole_syllable_is_written(
    harness: Harness, shelf: Shelf, ime: CDPSession
) -> None:
    shelf.answer("GET", query("하늘"), found(hit(1, "[하늘]")))
    for text in ("ㅎ", "하", "한", "하느"):
        compose(ime, text)
    compose(ime, "하늘")
    expect(results(harness)).to_have_count(1)
    assert searched(shelf)[-1] == query("하늘")
    assert not any("%E3%85%8E" in path for path in searched(shelf))  # a letter alone


def test_keys_of_an_input_method_are_its_own(harness: Harness, shelf: Shelf, ime: CDPSession) -> None:
    shelf.answer("GET", query("空"), found(hit(1)))
    ime.send("Input.insertText", {"text": "空"})
    expect(results(harness)).to_have_count(1)
    for key in ("Enter", "Escape", "ArrowDown"):
        box(harness).dispatch_event("keydown", {"key": key, "isComposing": True, "bubbles": True})
    expect(box(harness)).to_have_value("空")
    expect(box(harness)).to_be_focused()
    assert opened(harness) == []
