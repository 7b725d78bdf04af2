"""The list of conversations and the picker of proposers in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.web.harness import Harness, StaticServer
from tests.web.hostile import XSS
from tests.web.shelf import Shelf, choose, entry, listing, minute, row, titles, told_line

pytestmark = pytest.mark.browser
FIRST = "conversations"


def show(harness: Harness, *entries: dict[str, Any], current: str | None = None, then: str | None = None) -> None:
    """Gradio sends the first page."""
    harness.send("moa-history", listing(*entries, current=current, then=then))


def opened(harness: Harness) -> list[Any]:
    """What the list told Gradio."""
    return [(event["event"], event["payload"]) for event in harness.events() if event["id"] == "moa-history"]


def test_entries_open_by_a_click_or_from_the_keyboard_and_arrows_lead_through_them(harness: Harness) -> None:
    show(harness, entry(1, minute(3), running=True), entry(2, minute(2)), entry(3, minute(1)), current="talk2")
    expect(row(harness, 1)).to_contain_text("running")
    expect(row(harness, 2).get_by_role("button", name="Talk 2", exact=True)).to_have_attribute("aria-current", "page")
    row(harness, 1).click()
    row(harness, 1).get_by_role("button", name="Talk 1 running").press("End")
    expect(row(harness, 3).get_by_role("button", name="Talk 3", exact=True)).to_be_focused()
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "Enter"):
        harness.page.keyboard.press(key)
    assert opened(harness) == [("open", {"id": "talk1", "turn": None}), ("open", {"id": "talk2", "turn": None})]


def test_pinned_ones_stand_first_and_the_others_under_their_day_in_the_readers_zone(
    browser: Browser, server: StaticServer
) -> None:
    context = browser.new_context(timezone_id="America/Los_Angeles")
    page = context.new_page()
    page.clock.install(time="2026-11-24T20:00:00-08:00")
    harness = Harness(page, server)
    days = {
        "2026-11-25T07:59:00.000000+00:00": "Today", "2026-11-25T03:00:00.000000+00:00": "Today",
        "2026-11-24T07:59:00.000000+00:00": "Yesterday", "2026-11-22T20:00:00.000000+00:00": "Sunday",
        "2026-11-18T20:00:00.000000+00:00": "Wednesday", "2026-11-17T20:00:00.000000+00:00": "17 November",
        "2025-12-31T20:00:00.000000+00:00": "31 December 2025",
    }  # fmt: skip
    entries = [entry(number, at) for number, at in enumerate(days)]
    show(harness, entry(9, "2026-10-01T12:00:00.000000+00:00", pinned=True), *entries)
    assert harness.page.locator(".moa-history h2").all_text_contents() == ["Pinned", *dict.fromkeys(days.values())]
    assert titles(harness) == ["Talk 9", *(f"Talk {number}" for number in range(len(days)))]
    context.close()


def test_the_menu_works_from_the_keyboard(harness: Harness) -> None:
    show(harness, entry(1))
    more = row(harness, 1).get_by_role("button", name="More for Talk 1")
    more.press("Enter")
    names = ["Rename", "Pin", "Archive", "Share…", "Download Markdown", "Download JSON", "Delete"]
    assert row(harness, 1).get_by_role("menuitem").all_text_contents() == names
    expect(row(harness, 1).get_by_role("menuitem", name="Rename")).to_be_focused()
    harness.page.keyboard.press("End")
    expect(row(harness, 1).get_by_role("menuitem", name="Delete")).to_be_focused()
    harness.page.keyboard.press("Escape")
    expect(row(harness, 1).get_by_role("menu")).to_be_hidden()
    expect(more).to_be_focused()


def test_rename_in_place_is_shown_before_the_server_has_done_it(harness: Harness, shelf: Shelf) -> None:
    show(harness, entry(1))
    shelf.answer("PATCH", "conversations/talk1")
    shelf.held.add("conversations/talk1")
    choose(harness, 1, "Rename")
    show(harness, entry(2, minute(900)), entry(1))
    field = row(harness, 1).get_by_role("textbox", name="New title")
    expect(field).to_be_focused()
    field.fill("  Better \u00a0 name ")
    field.press("Enter")
    expect(field).to_have_count(0)
    expect(row(harness, 1).get_by_role("button", name="Better name", exact=True)).to_be_visible()
    show(harness, entry(1))  # as it was a moment before
    assert titles(harness) == ["Better name"]
    shelf.release()
    (asked,) = shelf.asked("PATCH")
    assert asked.body == {"title": "Better name"}


def test_F27_what_the_server_refuses_is_taken_back_with_its_reason(harness: Harness, shelf: Shelf) -> None:
    show(harness, entry(1, minute(2)), entry(2, minute(1)))
    path = "conversations/talk2"
    shelf.answer("PATCH", path, {"error": "The disk is full."}, 503)
    shelf.answer("DELETE", path, {"error": "The disk is full."}, 503)
    shelf.held.add(path)
    choose(harness, 2, "Pin")
    assert titles(harness) == ["Talk 2", "Talk 1"]
    shelf.release()
    expect(told_line(harness)).to_contain_text("The disk is full.")
    assert titles(harness) == ["Talk 1", "Talk 2"]
    for name, meanwhile in (("Archive", 1), ("Delete", 1), ("Rename", 2)):
        shelf.held.add(path)
        choose(harness, 2, name)
        if name == "Rename":
            harness.page.keyboard.type("Other")
            harness.page.keyboard.press("Enter")
        expect(harness.page.locator(".moa-entry")).to_have_count(meanwhile)
        shelf.release()
        expect(harness.page.locator(".moa-entry-title")).to_have_text(["Talk 1", "Talk 2"])
    assert opened(harness) == []


@pytest.mark.parametrize("answer", ["<html>", '{"error": 7}', '{"error": "' + "x" * 400 + '"}', ""])
def test_an_answer_that_is_no_sentence_is_not_shown(harness: Harness, shelf: Shelf, answer: str) -> None:
    show(harness, entry(1))
    shelf.answer("PATCH", "conversations/talk1", answer, 500)
    choose(harness, 1, "Pin")
    expect(told_line(harness)).to_have_text("That didn't work. Try again.")


def test_without_a_server_that_is_said_and_nothing_has_changed(harness: Harness) -> None:
    show(harness, entry(1, minute(2)), entry(2, minute(1)))
    harness.page.route("**/moa/**", lambda route: route.abort())
    choose(harness, 2, "Pin")
    expect(told_line(harness)).to_have_text("The server can't be reached.")
    assert titles(harness) == ["Talk 1", "Talk 2"]
    harness.page.unroute("**/moa/**")


def test_one_that_is_gone_elsewhere_goes_here_too(harness: Harness, shelf: Shelf) -> None:
    show(harness, entry(1))
    shelf.answer("PATCH", "conversations/talk1", {"error": "This conversation doesn't exist any more."}, 404)
    choose(harness, 1, "Pin")
    expect(row(harness, 1)).to_have_count(0)
    expect(told_line(harness)).to_contain_text("doesn't exist any more")


def test_pages_join_without_doubles_and_stay_when_gradio_sends_the_first_again(harness: Harness, shelf: Shelf) -> None:
    newest = [entry(number, minute(100 - number)) for number in range(3)]
    older = [entry(number, minute(100 - number)) for number in range(2, 6)]
    shelf.answer("GET", page_after(minute(98)), listing(*older))
    show(harness, *newest, then=minute(98))
    expect(row(harness, 5)).to_be_visible()
    assert titles(harness) == [f"Talk {number}" for number in range(6)]
    again = entry(4, minute(200))  # asked again: the newest now
    show(harness, again, *newest[:2], then=minute(99))
    assert titles(harness) == [f"Talk {number}" for number in (4, 0, 1, 2, 3, 5)]
    show(harness, newest[0], newest[2], then=minute(98))  # 1 and 4 were deleted elsewhere
    assert titles(harness) == [f"Talk {number}" for number in (0, 2, 3, 5)]
    expect(harness.page.get_by_role("button", name="Show more")).to_be_hidden()
    assert len(shelf.asked("GET", "conversations?before")) == 1


def test_a_first_page_that_leaves_a_gap_begins_anew(harness: Harness, shelf: Shelf) -> None:
    shelf.held = {page_after(minute(1)), page_after(minute(90))}
    show(harness, entry(1, minute(2)), entry(2, minute(1)), then=minute(1))
    show(harness, entry(3, minute(91)), entry(4, minute(90)), then=minute(90))
    assert titles(harness) == ["Talk 3", "Talk 4"]
    shelf.wait("GET", page_after(minute(1)))
    shelf.answer("GET", page_after(minute(1)), listing())
    shelf.answer("GET", page_after(minute(90)), listing(entry(1, minute(2)), entry(2, minute(1))))
    shelf.release()
    expect(row(harness, 2)).to_be_visible()
    assert titles(harness) == ["Talk 3", "Talk 4", "Talk 1", "Talk 2"]


def test_a_pinned_one_that_left_the_first_page_may_be_anywhere(harness: Harness, shelf: Shelf) -> None:
    shelf.answer("GET", page_after(minute(50)), listing(entry(2, minute(3))))
    show(harness, entry(1, minute(5), pinned=True), entry(3, minute(50)), then=minute(50))
    expect(row(harness, 2)).to_be_visible()
    assert titles(harness) == ["Talk 1", "Talk 3", "Talk 2"]
    shelf.answer("GET", page_after(minute(50)), listing(entry(1, minute(5)), entry(2, minute(3))))
    show(harness, entry(3, minute(50)), then=minute(50))
    expect(row(harness, 1)).to_be_visible()
    assert titles(harness) == ["Talk 3", "Talk 1", "Talk 2"]


def test_who_walks_by_keys_asks_for_more_by_a_button(harness: Harness, shelf: Shelf) -> None:
    harness.page.keyboard.press("Tab")
    harness.page.evaluate("document.querySelector('.moa-history').style.cssText = 'height: 120px; overflow: auto'")
    entries = [entry(number, minute(100 - number)) for number in range(30)]
    show(harness, *entries, then=minute(71))
    row(harness, 0).get_by_role("button", name="Talk 0", exact=True).focus()
    harness.page.keyboard.press("End")
    more = harness.page.get_by_role("button", name="Show more")
    expect(more).to_be_in_viewport()
    assert shelf.asked("GET", "conversations?before") == []
    shelf.answer("GET", page_after(minute(71)), {"error": "The database is locked."}, 503)
    more.press("Enter")
    expect(harness.page.locator(".moa-end")).to_contain_text("The database is locked.")
    shelf.answer("GET", page_after(minute(71)), listing(entry(30, minute(70))))
    harness.page.get_by_role("button", name="Try again").press("Enter")
    expect(row(harness, 30)).to_have_count(1)


def page_after(moment: str) -> str:
    return f"conversations?before={moment.replace(':', '%3A').replace('+', '%2B')}"


def test_archived_ones_are_a_view_of_their_own(harness: Harness, shelf: Shelf) -> None:
    show(harness, entry(1), entry(2))
    shelf.answer("PATCH", "conversations/talk1")
    choose(harness, 1, "Archive")
    expect(row(harness, 1)).to_have_count(0)
    expect(told_line(harness)).to_contain_text("Archived")
    shelf.answer("GET", "conversations?archived=1", listing(entry(1)))
    harness.page.get_by_role("button", name="Archive, import and export").click()
    harness.page.get_by_role("menuitem", name="Archived").click()
    expect(harness.page.get_by_role("heading", name="Archived")).to_be_visible()
    expect(row(harness, 1)).to_be_visible()
    show(harness, entry(2), entry(3))  # the other list does not come in between
    assert titles(harness) == ["Talk 1"]
    choose(harness, 1, "Move back to conversations")
    expect(harness.page.locator(".moa-history")).to_contain_text("Nothing is archived.")
    shelf.answer("GET", FIRST, listing(entry(1), entry(2)))
    harness.page.get_by_role("button", name="Back to conversations").click()
    expect(row(harness, 2)).to_be_visible()
    assert titles(harness) == ["Talk 2", "Talk 1"]
    assert [asked.body for asked in shelf.asked("PATCH")] == [{"archived": True}, {"archived": False}]


def test_archiving_can_be_undone(harness: Harness, shelf: Shelf) -> None:
    show(harness, entry(1))
    shelf.answer("PATCH", "conversations/talk1")
    choose(harness, 1, "Archive")
    told_line(harness).get_by_role("button", name="Undo").click()
    expect(row(harness, 1).get_by_role("button", name="Talk 1", exact=True)).to_be_focused()
    assert [asked.body for asked in shelf.asked("PATCH")] == [{"archived": True}, {"archived": False}]


def test_downloads_are_plain_links_to_attachments(harness: Harness) -> None:
    show(harness, entry(1))
    for name, kind in (("Download Markdown", "md"), ("Download JSON", "json")):
        with harness.page.expect_download() as download:
            choose(harness, 1, name)
        assert download.value.url == f"{harness.server.url}/moa/conversations/talk1/export.{kind}"
    with harness.page.expect_download() as download:
        harness.page.get_by_role("button", name="Archive, import and export").click()
        harness.page.get_by_role("menuitem", name="Download all").click()
    assert download.value.url == f"{harness.server.url}/moa/archive.json"


def test_B01_a_title_is_never_markup(harness: Harness) -> None:
    show(harness, *(entry(number, minute(200 - number), title=title) for number, title in enumerate(XSS)))
    assert titles(harness) == list(XSS)
    expect(harness.page.locator(".moa-entry-title *")).to_have_count(0)
    row(harness, 0).get_by_role("button", name="More for").click()
    row(harness, 0).get_by_role("menuitem", name="Rename").click()
    assert row(harness, 0).get_by_role("textbox").input_value() == XSS[0]
    assert harness.page.evaluate("window.hits") == 0
    assert harness.errors == []


# -- asking again and again


@pytest.fixture
def clocked(browser: Browser, server: StaticServer) -> Any:
    """A page whose clock is in the test's hand, and the routes behind it."""
    context = browser.new_context()
    page = context.new_page()
    page.clock.install(time="2026-11-24T12:00:00Z")
    shelf = Shelf(page)
    shelf.open()
    yield Harness(page, server), shelf
    context.close()


def asks(shelf: Shelf) -> int:
    return len(shelf.asked("GET", FIRST))


def test_a_run_in_another_browser_is_seen_within_five_seconds(clocked: tuple[Harness, Shelf]) -> None:
    harness, shelf = clocked
    show(harness, entry(1))
    shelf.answer("GET", FIRST, listing(entry(1, running=True, title="Now with a title")))
    harness.page.clock.fast_forward(5_000)
    expect(row(harness, 1)).to_contain_text("running")
    assert titles(harness) == ["Now with a title"]
    expect(row(harness, 1).locator("[aria-current]")).to_have_count(0)


def test_only_one_request_is_under_way_and_failures_make_them_rare(clocked: tuple[Harness, Shelf]) -> None:
    harness, shelf = clocked
    shelf.held.add(FIRST)
    harness.page.clock.fast_forward(5_000)
    shelf.wait("GET", FIRST)
    harness.page.clock.fast_forward(15_000)
    assert asks(shelf) == 1
    with harness.page.expect_response("**/moa/conversations"):
        shelf.release()  # 503
    settled(harness)
    harness.page.clock.fast_forward(6_000)
    assert asks(shelf) == 1
    harness.page.clock.fast_forward(5_000)
    shelf.wait_for(2, "GET", FIRST)


def test_nobody_asks_while_the_page_is_hidden_and_at_once_when_it_is_seen_again(clocked: tuple[Harness, Shelf]) -> None:
    harness, shelf = clocked
    shelf.answer("GET", FIRST, listing(entry(1)))
    look(harness, hidden=True)
    for _ in range(3):
        harness.page.clock.fast_forward(60_000)
    assert asks(shelf) == 0
    with harness.page.expect_response("**/moa/conversations"):
        look(harness, hidden=False)
    expect(row(harness, 1)).to_be_visible()


def test_an_answer_older_than_an_edit_is_asked_for_again(clocked: tuple[Harness, Shelf]) -> None:
    harness, shelf = clocked
    show(harness, entry(1))
    shelf.answer("PATCH", "conversations/talk1")
    shelf.answer("GET", FIRST, listing(entry(1)))
    shelf.answer("GET", FIRST, listing(entry(1, pinned=True)))
    shelf.held.add(FIRST)
    harness.page.clock.fast_forward(5_000)
    shelf.wait("GET", FIRST)
    with harness.page.expect_response("**/moa/conversations/talk1"):
        choose(harness, 1, "Pin")
    settled(harness)
    with harness.page.expect_response("**/moa/conversations"):
        shelf.release()
    shelf.wait_for(2, "GET", FIRST)
    expect(harness.page.get_by_role("heading", name="Pinned")).to_be_visible()


def settled(harness: Harness) -> None:
    """What an answer set going in the page has been done."""
    harness.page.evaluate("scheduler.postTask(() => null, { priority: 'background' })")


def look(harness: Harness, *, hidden: bool) -> None:
    """The reader turns to another tab, or back."""
    harness.page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


# -- the picker of proposers


def mix(harness: Harness, *picked: dict[str, Any], most: int = 12) -> Locator:
    """Show the picker with three models, one of which needs a key."""
    choices = [
        {"id": "e/s", "label": "Small", "provider": "Here", "needs": None, "note": "runs here"},
        {"id": "t/l", "label": "Large", "provider": "Together", "needs": "TOGETHER_API_KEY", "note": None},
        {"id": "o/p", "label": "Phi", "provider": "Ollama", "needs": None, "note": None},
    ]
    harness.send("moa-mixer", {"choices": choices, "picked": list(picked), "max": most})
    return harness.page.locator("#moa-mixer")


def picked(harness: Harness) -> Any:
    """What the last edit told, after a look that the value for other handlers says the same."""
    told = harness.events()[-1]
    assert told["event"] == "input"
    assert told["payload"]["picked"] == harness.page.evaluate("window.valueOf('moa-mixer').picked")
    return told["payload"]["picked"]


def test_counts_go_up_and_down_and_rows_away(harness: Harness) -> None:
    shown = mix(harness, {"model": "e/s", "label": "Careful", "count": 2}, {"model": "o/p", "count": 1})
    shown.get_by_role("button", name="One more Phi").click()
    assert picked(harness)[1] == {"model": "o/p", "count": 2}
    expect(shown.get_by_role("button", name="One more Phi")).to_be_focused()
    shown.get_by_role("button", name="One less Careful").click()
    assert picked(harness)[0] == {"model": "e/s", "label": "Careful", "count": 1}
    expect(shown.get_by_role("button", name="One less Careful")).to_be_disabled()
    shown.get_by_role("button", name="Remove Careful").click()
    assert picked(harness) == [{"model": "o/p", "count": 2}]


def test_models_are_added_from_a_searchable_list(harness: Harness) -> None:
    shown = mix(harness)
    expect(shown).to_contain_text("the aggregator answers alone")
    shown.get_by_text("Add a proposer").click()
    expect(shown.get_by_role("button", name="Large needs TOGETHER_API_KEY")).to_be_disabled()
    shown.get_by_role("searchbox", name="Search models").fill("OLLAMA")
    expect(shown.get_by_role("button", name="Small")).to_have_count(0)
    shown.get_by_role("button", name="Phi").click()
    shown.locator(".moa-choices").get_by_role("button", name="Phi").click()
    assert picked(harness) == [{"model": "o/p", "count": 2}]


def test_no_more_than_the_most(harness: Harness) -> None:
    shown = mix(harness, {"model": "o/p", "count": 2}, most=2)
    expect(shown.get_by_role("button", name="One more Phi")).to_be_disabled()
    shown.get_by_text("Add a proposer").click()
    expect(shown.locator(".moa-choices").get_by_role("button", name="Phi")).to_be_disabled()
    expect(shown).to_contain_text("2 of at most 2")


def test_a_value_of_the_server_is_not_told_back(harness: Harness) -> None:
    mix(harness, {"model": "o/p", "count": 1})
    mix(harness, {"model": "e/s", "count": 3})
    assert harness.events() == []
