"""The compare bar below the composer: what answers beside the mixture, and how."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.web.harness import Harness
from tests.web.turns import live, running

pytestmark = pytest.mark.browser

CHOICES: list[dict[str, Any]] = [
    {"id": "aggregator", "label": "The aggregator alone", "group": "own", "needs": None},
    {"id": "recipe:local", "label": "Local mixture", "group": "recipe", "needs": None},
    {"id": "recipe:moa", "label": "Mixture of agents", "group": "recipe", "needs": "FAR_API_KEY"},
    {"id": "model:small", "label": "Small", "group": "model", "needs": None},
]


def versus(**changes: Any) -> dict[str, Any]:
    """The compare bar's value, on and with one beside the mixture."""
    picked = [{"system": "aggregator", "temperature": None}]
    return {"on": True, "choices": CHOICES, "picked": picked, "blind": True, "reuse": False, "max": 3, **changes}


def bar(harness: Harness) -> Locator:
    """The compare bar."""
    return harness.page.get_by_role("region", name="What to compare")


def test_the_bar_is_one_button_until_it_is_turned_on(harness: Harness) -> None:
    harness.send("moa-versus", versus(on=False, picked=[]))
    toggle = bar(harness).get_by_role("button")
    expect(toggle).to_have_count(1)
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.press("Enter")
    expect(toggle.first).to_have_attribute("aria-pressed", "true")
    told = {"on": True, "picked": [{"system": "aggregator", "temperature": None}], "blind": True, "reuse": False}
    assert harness.told() == [("input", told)]
    assert harness.page.evaluate("window.valueOf('moa-versus')") == {**told, "choices": CHOICES, "max": 3}
    toggle.first.press("Enter")
    assert harness.told()[1:] == [("input", {**told, "on": False})]
    expect(bar(harness).get_by_role("combobox")).to_have_count(0)


def test_without_anything_to_compare_with_nothing_is_offered(harness: Harness) -> None:
    harness.send("moa-versus", versus(on=False, picked=[], choices=[CHOICES[2]]))
    expect(bar(harness)).to_have_count(0)


def test_what_is_set_in_the_bar_is_told_and_held(harness: Harness) -> None:
    harness.send("moa-versus", versus())
    first = bar(harness).get_by_label("Opponent 1", exact=True)
    groups = "node => [...node.children].map((group) => [group.label, ...[...group.children].map((one) => one.label)])"
    assert first.evaluate(groups) == [
        ["This mixture", "The aggregator alone"],
        ["Recipes", "Local mixture", "Mixture of agents (needs FAR_API_KEY)"],
        ["Models", "Small"],
    ]
    expect(first.locator("option", has_text="FAR_API_KEY")).to_be_disabled()
    first.select_option("model:small")
    bar(harness).get_by_text("Temperature").click()
    warmth = bar(harness).get_by_label("Temperature of opponent 1")
    warmth.fill("5")
    warmth.press("Enter")
    expect(warmth).to_have_value("2")
    warmth.fill("")
    warmth.blur()
    bar(harness).get_by_label("Reuse").check()
    bar(harness).get_by_label("Blind").uncheck()
    small = {"system": "model:small", "temperature": None}
    told = {"on": True, "picked": [small], "blind": True, "reuse": False}
    assert [payload for _, payload in harness.told()] == [
        told,
        {**told, "picked": [{**small, "temperature": 2}]},
        told,
        {**told, "reuse": True},
        {**told, "reuse": True, "blind": False},
    ]
    value = harness.page.evaluate("window.valueOf('moa-versus')")
    assert {**value, "choices": []} == versus(picked=[small], reuse=True, blind=False, choices=[])


def test_columns_are_added_and_removed_by_keyboard(harness: Harness) -> None:
    harness.send("moa-versus", versus())
    add = bar(harness).get_by_role("button", name="Add")
    remove = bar(harness).get_by_role("button", name="Remove")
    expect(remove).to_have_count(0)  # one stays
    add.press("Enter")
    expect(bar(harness).get_by_label("Opponent 2", exact=True)).to_be_focused()
    add.press("Enter")
    expect(bar(harness).get_by_role("combobox")).to_have_count(3)
    expect(add).to_have_count(0)
    remove.nth(1).press("Enter")
    expect(bar(harness).get_by_role("button", name="Remove opponent 2")).to_be_focused()
    remove.nth(1).press("Enter")
    expect(add).to_be_focused()
    systems = [[one["system"] for one in payload["picked"]] for _, payload in harness.told()]
    assert systems == [
        ["aggregator", "recipe:local"],
        ["aggregator", "recipe:local", "model:small"],
        ["aggregator", "model:small"],
        ["aggregator"],
    ]


def test_what_is_picked_and_no_longer_there_is_seen(harness: Harness) -> None:
    harness.send("moa-versus", versus(picked=[{"system": "model:gone", "temperature": None}]))
    select = bar(harness).get_by_label("Opponent 1", exact=True)
    expect(select).to_have_value("model:gone")
    select.select_option("aggregator")
    assert select.evaluate("node => [...node.options].some((one) => one.value === 'model:gone')") is False


def test_letters_are_told_only_where_the_columns_stand_as_they_are_listed(harness: Harness) -> None:
    small = {"system": "model:small", "temperature": None}
    harness.send("moa-versus", versus(picked=[small, small]))
    expect(bar(harness).get_by_text("against", exact=True)).to_be_visible()
    expect(bar(harness).locator(".moa-letter:visible")).to_have_count(0)
    bar(harness).get_by_label("Blind").uncheck()
    expect(bar(harness).locator(".moa-letter:visible")).to_have_text(["A", "B", "C"])
    for name in ("Answer C", "Temperature of answer C", "Remove answer C"):
        expect(bar(harness).get_by_label(name, exact=True)).to_have_count(1)
    expect(bar(harness).get_by_text("against", exact=True)).to_have_count(0)


def loaded(harness: Harness, **first: Any) -> dict[str, Any]:
    """The page is loaded again in the same tab; the value that stands then, without what can be chosen."""
    harness.page.reload()
    harness.page.wait_for_function("window.ready === true")
    harness.send("moa-versus", versus(**{"on": False, **first}))
    value: dict[str, Any] = harness.page.evaluate("window.valueOf('moa-versus')")
    return {name: value[name] for name in ("on", "picked", "blind", "reuse")}


def test_what_is_set_outlives_a_reload_in_its_tab(harness: Harness) -> None:
    own = [{"system": "aggregator", "temperature": None}]
    harness.send("moa-versus", versus(on=False))
    bar(harness).get_by_role("button", name="Compare", exact=True).click()
    bar(harness).get_by_label("Opponent 1", exact=True).select_option("model:small")
    bar(harness).get_by_role("button", name="Add").click()
    bar(harness).get_by_label("Blind").uncheck()
    picked = [{"system": "model:small", "temperature": None}, *own]
    kept = {"on": True, "picked": picked, "blind": False, "reuse": False}
    assert loaded(harness) == kept
    assert harness.told()[-1] == ("input", kept)
    expect(bar(harness).get_by_label("Answer B", exact=True)).to_have_value("model:small")
    assert loaded(harness, choices=CHOICES[:3]) == {**kept, "picked": own}  # one is not offered any more
    assert loaded(harness, choices=CHOICES[1:2])["on"] is False  # none is
    assert loaded(harness) == kept
    bar(harness).get_by_role("button", name="Compare", exact=True).click()
    assert loaded(harness) == {**kept, "on": False}
    linked = [{"system": "recipe:local", "temperature": None}]
    assert loaded(harness, on=True, picked=linked)["picked"] == linked
    assert loaded(harness) == {"on": True, "picked": linked, "blind": True, "reuse": False}


@pytest.mark.parametrize(
    "kept",
    [
        "{",
        "null",
        "[]",
        '{"on": 1, "picked": [], "blind": true, "reuse": false}',
        '{"on": true, "picked": "aggregator", "blind": true, "reuse": false}',
        '{"on": true, "picked": [null, 1, {"system": 2}], "blind": true, "reuse": false}',
        '{"on": true, "picked": [{"system": "aggregator", "temperature": "hot"}], "blind": true, "reuse": false}',
    ],
)
def test_an_odd_value_that_was_kept_turns_nothing_on(harness: Harness, kept: str) -> None:
    harness.page.evaluate("kept => sessionStorage.setItem('moa-versus', kept)", kept)
    assert loaded(harness)["on"] is False
    assert harness.errors == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)])
def test_where_there_is_little_room_the_bar_is_one_line_below_a_conversation(
    harness: Harness, width: int, height: int
) -> None:
    harness.page.set_viewport_size({"width": width, "height": height})
    harness.send("moa-versus", versus(on=False))
    bar(harness).get_by_role("button", name="Compare", exact=True).click()
    fold = bar(harness).get_by_role("button", name="2, blind")
    select = bar(harness).get_by_label("Opponent 1", exact=True)
    expect(fold).to_be_hidden()
    expect(select).to_be_visible()
    harness.live(live(running(1)))
    expect(select).to_be_hidden()
    assert bar(harness).evaluate("node => node.offsetHeight") <= 48
    fold.press("Enter")
    expect(select).to_be_visible()
    expect(fold).to_have_attribute("aria-expanded", "true")
    harness.page.get_by_role("button", name="Send").click()
    expect(select).to_be_hidden()
    harness.page.set_viewport_size({"width": 1280, "height": 800})
    expect(fold).to_be_hidden()
    expect(select).to_be_visible()


def test_the_bar_stays_within_a_phone(harness: Harness) -> None:
    harness.page.set_viewport_size({"width": 390, "height": 800})
    long = {**CHOICES[3], "label": "A model with a very long name " * 3}
    picked = [{"system": "model:small", "temperature": 0.5}] * 3
    harness.send("moa-versus", versus(choices=[*CHOICES[:3], long], picked=picked))
    bar(harness).get_by_text("Temperature 0.5").first.click()
    assert harness.page.evaluate("document.documentElement.scrollWidth") == 390
    assert bar(harness).evaluate("node => node.scrollWidth - node.clientWidth") == 0
