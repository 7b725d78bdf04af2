"""The dialog that makes links, and the import of a file, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from tests.web.harness import Harness
from tests.web.hostile import XSS
from tests.web.shelf import Shelf, choose, entry, listing, row, told_line

pytestmark = pytest.mark.browser
SHARES = "conversations/talk1/shares"
TOKEN = "/s/" + "T" * 43


@pytest.fixture(autouse=True)
def _closed(harness: Harness) -> Iterator[None]:
    """No dialog stays open for the next test."""
    yield
    harness.page.evaluate("document.querySelector('dialog')?.close()")


def share(name: str) -> dict[str, Any]:
    return {"id": name, "created_at": "2026-11-24T12:00:00+00:00", "expires_at": "2026-12-01T12:00:00+00:00"}


def dialog(harness: Harness, **changes: Any) -> Locator:
    """Open it for the first conversation."""
    harness.send("moa-history", listing(entry(1, **changes)))
    row(harness, 1).get_by_role("button", name="More for").click()
    row(harness, 1).get_by_role("menuitem", name="Share…").click()
    return harness.page.get_by_role("dialog")


def test_a_link_is_made_shown_once_and_copied(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", SHARES, {"shares": []})
    shelf.answer("POST", SHARES, {"share": share("one"), "path": TOKEN}, 201)
    opened = dialog(harness)
    expect(opened).to_have_accessible_name("Share “Talk 1”")
    expect(opened).to_contain_text("Anyone with the link can read this conversation as it is now.")
    expect(opened.get_by_text("Links that work")).to_be_hidden()
    days = opened.get_by_label("The link works for")
    assert days.locator("option").all_text_contents() == ["1 day", "7 days", "30 days", "1 year"]
    expect(days).to_have_value("7")
    days.select_option("30 days")
    shelf.answer("GET", SHARES, {"shares": [share("one")]})
    opened.get_by_role("button", name="Create link").click()
    link = opened.get_by_role("textbox", name="Link")
    expect(link).to_have_value(f"{harness.server.url}{TOKEN}")
    expect(link).to_be_focused()
    expect(opened).to_contain_text("shown only once")
    expect(opened.get_by_role("listitem")).to_contain_text("Works until 1 December 2026")
    assert [asked.body for asked in shelf.asked("POST")] == [{"days": 30}]
    harness.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.get_by_role("button", name="Copy link").click()
    expect(opened.get_by_role("button", name="Copy link")).to_contain_text("Copied")
    assert harness.page.evaluate("navigator.clipboard.readText()") == f"{harness.server.url}{TOKEN}"


def test_a_link_made_before_is_not_shown_for_the_next_conversation(harness: Harness, shelf: Shelf) -> None:
    for number in (1, 2):
        shelf.answer("GET", f"conversations/talk{number}/shares", {"shares": []})
    shelf.answer("POST", SHARES, {"share": share("one"), "path": TOKEN}, 201)
    opened = dialog(harness)
    opened.get_by_role("button", name="Create link").click()
    expect(opened.get_by_role("textbox", name="Link")).to_be_visible()
    opened.get_by_role("button", name="Close").click()
    harness.send("moa-history", listing(entry(1), entry(2)))
    choose(harness, 2, "Share…")
    expect(opened).to_have_accessible_name("Share “Talk 2”")
    expect(opened.get_by_role("textbox", name="Link")).to_be_hidden()
    expect(opened.get_by_label("The link works for")).to_have_value("7")
    opened.get_by_role("button", name="Close").click()


def test_links_are_listed_and_revoked(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", SHARES, {"shares": [share("one"), share("two")]})
    shelf.answer("DELETE", "shares/one")
    opened = dialog(harness)
    expect(opened.get_by_role("listitem")).to_have_count(2)
    shelf.answer("GET", SHARES, {"shares": [share("two")]})
    opened.get_by_role("button", name="Revoke the link made 24 November 2026").first.click()
    expect(opened.get_by_role("status")).to_contain_text(["Link revoked"])
    expect(opened.get_by_role("listitem")).to_have_count(1)
    assert [asked.path for asked in shelf.asked("DELETE")] == ["shares/one"]


def test_what_was_not_done_is_told_in_the_dialog(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", SHARES, {"error": "The database is locked."}, 503)
    shelf.answer("POST", SHARES, {"error": "Nothing is answered yet."}, 400)
    opened = dialog(harness)
    expect(opened).to_contain_text("The database is locked.")
    opened.get_by_role("button", name="Create link").click()
    expect(opened).to_contain_text("Nothing is answered yet.")
    expect(opened.get_by_role("button", name="Create link")).to_be_enabled()
    expect(opened.get_by_role("textbox", name="Link")).to_be_hidden()


@pytest.mark.parametrize("way", ["Escape", "Close", "beside"])
def test_it_holds_the_focus_and_gives_it_back(harness: Harness, shelf: Shelf, way: str) -> None:
    shelf.answer("GET", SHARES, {"shares": []})
    opened = dialog(harness)
    expect(opened.get_by_role("button", name="Create link")).to_be_focused()
    for _ in range(8):
        harness.page.keyboard.press("Tab")
        assert harness.page.evaluate("!document.activeElement.closest('#moa-dock, #moa-history, #moa-mixer')")
    harness.page.keyboard.press("Control+k")
    expect(opened).to_be_visible()
    expect(harness.page.get_by_role("searchbox", name="Search", exact=True, include_hidden=True)).not_to_be_focused()
    if way == "Escape":
        harness.page.keyboard.press("Escape")
    elif way == "Close":
        opened.get_by_role("button", name="Close").click()
    else:
        harness.page.mouse.click(5, 5)
    expect(opened).to_have_count(0)
    expect(row(harness, 1).get_by_role("button", name="More for Talk 1")).to_be_focused()


def test_B01_its_title_is_never_markup(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", SHARES, {"shares": []})
    for title in XSS[:6]:
        opened = dialog(harness, title=title)
        assert opened.get_by_role("heading").first.text_content() == f"Share “{title}”"
        opened.get_by_role("button", name="Close").click()
    assert harness.page.evaluate("window.hits") == 0


# -- taking files in


def take(harness: Harness, content: str = "[]") -> None:
    """Choose a file."""
    with harness.page.expect_file_chooser() as chooser:
        harness.page.get_by_role("button", name="Archive, import and export").click()
        harness.page.get_by_role("menuitem", name="Import…").click()
    chooser.value.set_files(
        FilePayload(name="conversations.json", mimeType="application/json", buffer=content.encode())
    )


def test_an_import_shows_that_it_goes_on_then_what_came(harness: Harness, shelf: Shelf) -> None:
    harness.send("moa-history", listing(entry(1)))
    shelf.answer("POST", "import", {"imported": 12, "skipped": 3, "conversation": None})
    shelf.held.add("import")
    shelf.answer("GET", "conversations", listing(entry(1), entry(2)))
    take(harness, '[{"title": "하늘"}]')
    expect(told_line(harness)).to_contain_text("Importing conversations.json")
    expect(harness.page.get_by_role("progressbar")).to_be_visible()
    shelf.wait("POST", "import")
    shelf.release()
    expect(told_line(harness)).to_contain_text("12 conversations imported, 3 skipped")
    expect(harness.page.get_by_role("progressbar")).to_be_hidden()
    expect(row(harness, 2)).to_be_visible()
    assert [asked.body for asked in shelf.asked("POST")] == [[{"title": "하늘"}]]
    assert harness.events() == []


def test_a_single_conversation_that_came_is_opened(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("POST", "import", {"imported": 1, "skipped": 0, "conversation": "talk5"})
    shelf.answer("GET", "conversations", listing(entry(5)))
    for count in (1, 2):  # the same file may be taken again
        take(harness)
        harness.page.wait_for_function("count => window.events.length === count", arg=count)
    expect(told_line(harness)).to_contain_text("1 conversation imported")
    assert harness.events()[0] == {"id": "moa-history", "event": "open", "payload": {"id": "talk5", "turn": None}}


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        ({"error": "This is no file of conversations."}, 400, "This is no file of conversations."),
        ("The request is too large: at most 9 bytes.", 413, "This file is too large."),
        ("<html>", 502, "That didn't work. Try again."),
    ],
)
def test_an_import_that_is_refused_says_why(
    harness: Harness, shelf: Shelf, answer: Any, status: int, told: str
) -> None:
    shelf.answer("POST", "import", answer, status)
    take(harness)
    expect(told_line(harness)).to_contain_text(told)
    expect(harness.page.get_by_role("progressbar")).to_be_hidden()
