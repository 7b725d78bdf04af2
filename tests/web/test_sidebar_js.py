"""The history and the picker of proposers in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.web.harness import Harness

pytestmark = pytest.mark.browser


def entry(number: int, day: str = "Today", **changes: Any) -> dict[str, Any]:
    """A line of the history."""
    return {"id": f"talk{number}", "title": f"Talk {number}", "day": day, "running": False, "current": False, **changes}


def row(harness: Harness, number: int) -> Locator:
    """A line of the history on the page."""
    return harness.page.locator(f'[data-conversation="talk{number}"]')


def test_entries_stand_under_their_day_and_open_on_a_click_or_from_the_keyboard(harness: Harness) -> None:
    entries = [entry(1, running=True), entry(2, current=True), entry(3, "Yesterday")]
    harness.send("moa-history", {"entries": entries})
    days = harness.page.locator(".moa-history h2")
    assert days.all_text_contents() == ["Today", "Yesterday"]
    expect(row(harness, 1)).to_contain_text("running")
    expect(row(harness, 2).get_by_role("button", name="Talk 2", exact=True)).to_have_attribute("aria-current", "page")
    row(harness, 1).click()
    row(harness, 3).get_by_role("button", name="Talk 3", exact=True).press("Enter")
    assert [event["payload"] for event in harness.events()] == [{"id": "talk1"}, {"id": "talk3"}]


def test_rename_in_place(harness: Harness) -> None:
    harness.send("moa-history", {"entries": [entry(1)]})
    row(harness, 1).get_by_role("button", name="More for Talk 1").click()
    row(harness, 1).get_by_role("menuitem", name="Rename").click()
    harness.send("moa-history", {"entries": [entry(2), entry(1)]})
    field = row(harness, 1).get_by_role("textbox", name="New title")
    expect(field).to_be_focused()
    field.fill("  Better  ")
    field.press("Enter")
    assert harness.events() == [{"id": "moa-history", "event": "rename", "payload": {"id": "talk1", "title": "Better"}}]
    expect(field).to_have_count(0)


def test_delete_asks_once_in_place(harness: Harness) -> None:
    harness.send("moa-history", {"entries": [entry(1)]})
    for answer in ("Keep", "Delete"):
        row(harness, 1).get_by_role("button", name="More for Talk 1").click()
        row(harness, 1).get_by_role("menuitem", name="Delete").click()
        expect(row(harness, 1).get_by_role("button", name="Keep")).to_be_focused()
        row(harness, 1).get_by_role("button", name=answer).click()
    assert harness.events() == [{"id": "moa-history", "event": "remove", "payload": {"id": "talk1"}}]


def test_the_menu_works_from_the_keyboard(harness: Harness) -> None:
    harness.send("moa-history", {"entries": [entry(1)]})
    more = row(harness, 1).get_by_role("button", name="More for Talk 1")
    more.press("Enter")
    expect(row(harness, 1).get_by_role("menuitem", name="Rename")).to_be_focused()
    harness.page.keyboard.press("ArrowDown")
    expect(row(harness, 1).get_by_role("menuitem", name="Delete")).to_be_focused()
    harness.page.keyboard.press("Escape")
    expect(row(harness, 1).get_by_role("menu")).to_be_hidden()
    expect(more).to_be_focused()


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
