"""Deletions that can be undone, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.web.harness import Harness, StaticServer
from tests.web.shelf import Shelf, choose, entry, listing, minute, row, titles, told_line

pytestmark = pytest.mark.browser
FIRST = entry(1, minute(3)), entry(2, minute(2)), entry(3, minute(1))


def path(number: int, more: str = "") -> str:
    return f"conversations/talk{number}{more}"


def deletable(shelf: Shelf, *numbers: int) -> None:
    for number in numbers:
        shelf.answer("DELETE", path(number))
        shelf.answer("POST", path(number, "/restore"))


def test_one_goes_at_once_and_undo_brings_it_back(harness: Harness, shelf: Shelf) -> None:
    deletable(shelf, 2)
    shelf.held.add(path(2))
    harness.send("moa-history", listing(*FIRST))
    choose(harness, 2, "Delete")
    assert titles(harness) == ["Talk 1", "Talk 3"]
    undo = told_line(harness).get_by_role("button", name="Undo")
    expect(told_line(harness)).to_contain_text("Deleted")
    expect(undo).to_be_focused()
    undo.press("Enter")
    assert shelf.asked("POST") == []  # the deletion has not been answered: an undo that overtook it would undo nothing
    shelf.release()
    expect(row(harness, 2).get_by_role("button", name="Talk 2", exact=True)).to_be_focused()
    assert titles(harness) == ["Talk 1", "Talk 2", "Talk 3"]
    assert [asked.path for asked in shelf.told if asked.method != "GET"] == [path(2), path(2, "/restore")]
    expect(told_line(harness)).to_contain_text("Restored")
    assert harness.events() == []


def test_several_deleted_one_after_the_other_come_back_together(harness: Harness, shelf: Shelf) -> None:
    deletable(shelf, 1, 3)
    harness.send("moa-history", listing(*FIRST))
    choose(harness, 1, "Delete")
    choose(harness, 3, "Delete")
    expect(told_line(harness)).to_contain_text("2 conversations deleted")
    told_line(harness).get_by_role("button", name="Undo").click()
    expect(harness.page.locator(".moa-entry")).to_have_count(3)
    assert titles(harness) == ["Talk 1", "Talk 2", "Talk 3"]


def test_what_was_dismissed_is_not_undone_later(harness: Harness, shelf: Shelf) -> None:
    deletable(shelf, 1, 3)
    harness.send("moa-history", listing(*FIRST))
    choose(harness, 1, "Delete")
    told_line(harness).get_by_role("button", name="Dismiss").click()
    expect(told_line(harness).get_by_role("button", name="Undo")).to_be_hidden()
    choose(harness, 3, "Delete")
    told_line(harness).get_by_role("button", name="Undo").click()
    expect(row(harness, 3)).to_have_count(1)
    assert titles(harness) == ["Talk 2", "Talk 3"]


def test_the_one_that_is_shown_leaves_the_page_and_comes_back_with_undo(harness: Harness, shelf: Shelf) -> None:
    deletable(shelf, 2)
    harness.send("moa-history", listing(*FIRST, current="talk2"))
    with harness.page.expect_response("**/talk2"):
        choose(harness, 2, "Delete")
    harness.page.wait_for_function("window.events.length === 1")
    harness.send("moa-history", listing(FIRST[0], FIRST[2]))
    told_line(harness).get_by_role("button", name="Undo").click()
    harness.page.wait_for_function("window.events.length === 2")
    assert [(event["event"], event["payload"]) for event in harness.events()] == [
        ("gone", {}), ("open", {"id": "talk2", "turn": None}),
    ]  # fmt: skip


def test_undo_does_not_lead_away_from_what_is_shown_meanwhile(harness: Harness, shelf: Shelf) -> None:
    deletable(shelf, 2)
    harness.send("moa-history", listing(*FIRST, current="talk2"))
    choose(harness, 2, "Delete")
    harness.page.wait_for_function("window.events.length === 1")
    harness.send("moa-history", listing(FIRST[0], FIRST[2], current="talk1"))
    told_line(harness).get_by_role("button", name="Undo").click()
    expect(row(harness, 2)).to_have_count(1)
    assert [event["event"] for event in harness.events()] == ["gone"]


def test_F27_a_deletion_that_fails_is_told_and_the_others_can_still_be_undone(harness: Harness, shelf: Shelf) -> None:
    deletable(shelf, 1)
    shelf.answer("DELETE", path(2), {"error": "The disk is full."}, 503)
    harness.send("moa-history", listing(*FIRST, current="talk2"))
    choose(harness, 1, "Delete")
    choose(harness, 2, "Delete")
    expect(told_line(harness)).to_contain_text("The disk is full. Deleted")
    assert titles(harness) == ["Talk 2", "Talk 3"]
    told_line(harness).get_by_role("button", name="Undo").click()
    expect(row(harness, 1)).to_have_count(1)
    assert harness.events() == []


def test_an_undo_that_comes_too_late_is_told(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("DELETE", path(1))
    shelf.answer("POST", path(1, "/restore"), {"error": "This conversation doesn't exist any more."}, 404)
    harness.send("moa-history", listing(*FIRST))
    choose(harness, 1, "Delete")
    told_line(harness).get_by_role("button", name="Undo").click()
    expect(told_line(harness)).to_contain_text("doesn't exist any more")
    assert titles(harness) == ["Talk 2", "Talk 3"]


@pytest.fixture
def clocked(browser: Browser, server: StaticServer) -> Iterator[Harness]:
    """A page whose clock is in the test's hand, with a line that offers to undo a deletion."""
    context = browser.new_context()
    page = context.new_page()
    page.clock.install(time="2026-11-24T12:00:00Z")
    shelf = Shelf(page)
    shelf.open()
    deletable(shelf, 1)
    harness = Harness(page, server)
    harness.send("moa-history", listing(*FIRST))
    choose(harness, 1, "Delete")
    yield harness
    context.close()


def test_the_offer_stands_for_ten_seconds_and_while_somebody_is_at_it(clocked: Harness) -> None:
    undo = told_line(clocked).get_by_role("button", name="Undo")
    clocked.page.mouse.move(600, 700)
    clocked.page.clock.fast_forward(6_000)
    expect(undo).to_be_visible()
    undo.hover()
    clocked.page.clock.fast_forward(60_000)
    expect(undo).to_be_visible()
    clocked.page.mouse.move(600, 700)
    clocked.page.clock.fast_forward(3_000)
    expect(undo).to_be_hidden()


def test_the_offer_stands_while_the_keyboard_is_at_it(clocked: Harness) -> None:
    undo = told_line(clocked).get_by_role("button", name="Undo")
    clocked.page.mouse.move(600, 700)
    clocked.page.keyboard.press("Tab")
    clocked.page.keyboard.press("Shift+Tab")
    expect(undo).to_be_focused()
    clocked.page.clock.fast_forward(60_000)
    expect(undo).to_be_visible()
    clocked.page.locator("textarea").focus()
    clocked.page.clock.fast_forward(3_000)
    expect(undo).to_be_hidden()
