"""What opens at a button: menus and the list of models, by keyboard, mouse and finger, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.web import turns
from tests.web.harness import Harness
from tests.web.turns import panel, settled, turn

pytestmark = pytest.mark.browser

INSIDE = """node => {
  const { left, top, right, bottom } = node.getBoundingClientRect();
  return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
}"""


def choice(model: str, provider: str, **changes: Any) -> dict[str, Any]:
    """A model that can be asked."""
    return {"id": model.lower(), "label": model, "provider": provider, "needs": None, "note": None, **changes}


def offer(harness: Harness, *choices: dict[str, Any]) -> None:
    """The models of the page."""
    harness.send("moa-mixer", {"choices": list(choices), "picked": [], "max": 12})


def ways(harness: Harness, number: int = 1) -> Locator:
    """The button of an answer's menu."""
    return harness.answer(number).get_by_role("button", name="Other ways to answer again")


def test_a_menu_works_from_the_keyboard(harness: Harness) -> None:
    harness.settled(settled(turn()))
    button, menu = ways(harness), harness.answer().get_by_role("menu")
    items = harness.answer().get_by_role("menuitem")
    press = harness.page.keyboard.press
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(items.first).to_be_focused()
    press("ArrowDown")
    expect(items.last).to_be_focused()
    press("ArrowDown")
    expect(items.first).to_be_focused()
    press("End")
    expect(items.last).to_be_focused()
    press("Home")
    expect(items.first).to_be_focused()
    press("a")
    expect(items.last).to_be_focused()
    press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    press("ArrowUp")
    expect(items.last).to_be_focused()
    press("Tab")
    expect(menu).to_be_hidden()
    button.press("ArrowDown")
    press("Enter")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    assert harness.told() == [("regenerate_answer", {"turn": "turn1"})]


def test_a_menu_closes_on_a_press_elsewhere_and_at_its_button(harness: Harness) -> None:
    harness.settled(settled(turn(answer=panel("2.1", text="Short."))))
    menu = harness.answer().get_by_role("menu")
    for place in (ways(harness), harness.turn().locator(".moa-question"), harness.page.get_by_label("Message")):
        ways(harness).click()
        expect(menu).to_be_visible()
        place.click()
        expect(menu).to_be_hidden()
    assert harness.told() == []


@pytest.mark.parametrize("size", [(390, 700), (1024, 500)])
def test_what_opens_stays_inside_the_window(harness: Harness, size: tuple[int, int]) -> None:
    offer(harness, *(choice(f"Model {number}", "Provider") for number in range(40)))
    harness.page.set_viewport_size({"width": size[0], "height": size[1]})
    harness.settled(settled(turn(1), turn(2)))
    for number in (1, 2):
        button = ways(harness, number)
        for edge in ("start", "end"):
            button.evaluate("(node, edge) => node.scrollIntoView({ block: edge })", edge)
            button.focus()
            button.press("Enter")
            assert harness.answer(number).get_by_role("menu").evaluate(INSIDE)
            harness.answer(number).get_by_role("menuitem", name="Ask another model…").click()
            assert harness.answer(number).get_by_role("dialog").evaluate(INSIDE)
            harness.page.keyboard.press("Escape")
    assert harness.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_menu_in_a_panel_is_not_cut_off_by_it(harness: Harness) -> None:
    harness.settled(settled(turn(layers=[turns.layer(1, 1, text="Short.")])))
    harness.turn().locator("summary").first.click()
    harness.turn().get_by_role("button", name="More for").click()
    item = harness.turn().get_by_role("menuitem").last
    box = item.bounding_box()
    assert box is not None
    at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    assert harness.page.evaluate("at => document.elementFromPoint(...at).closest('[role=menuitem]') !== null", at)


def test_another_model_is_searched_and_picked_from_the_keyboard(harness: Harness) -> None:
    large, middle = choice("Large", "Far", needs="FAR_KEY"), choice("Middle", "Far", note="32k")
    offer(harness, choice("Small", "Here"), large, middle)
    harness.settled(settled(turn()))
    ways(harness).press("ArrowUp")
    harness.page.keyboard.press("Enter")
    search = harness.answer().get_by_role("combobox", name="Search models")
    expect(search).to_be_focused()
    expect(harness.answer().get_by_role("dialog", name="Ask instead of SmolLM2 135M")).to_be_visible()
    options = harness.answer().get_by_role("option")
    assert options.locator("span:first-child").all_inner_texts() == ["Small", "Large", "Middle"]
    expect(options.filter(has_text="Large")).to_have_attribute("aria-disabled", "true")
    expect(options.filter(has_text="Large")).to_contain_text("needs FAR_KEY")
    expect(options.filter(has_text="Small")).to_have_attribute("aria-selected", "true")
    search.press("ArrowDown")
    marked = options.filter(has_text="Middle")
    expect(marked).to_have_attribute("aria-selected", "true")
    assert search.get_attribute("aria-activedescendant") == marked.get_attribute("id")
    search.fill("nothing like it")
    expect(harness.answer().get_by_text("No model has that in its name.")).to_be_visible()
    search.press("Enter")
    search.fill("FAR mid")
    search.press("Enter")
    expect(ways(harness)).to_be_focused()
    assert harness.told() == [("retry_slot", {"turn": "turn1", "slot": "2.1", "model": "middle"})]


def test_a_model_that_needs_a_key_is_not_taken(harness: Harness) -> None:
    offer(harness, choice("Large", "Far", needs="FAR_KEY"))
    harness.settled(settled(turn()))
    ways(harness).click()
    harness.answer().get_by_role("menuitem", name="Ask another model…").click()
    harness.answer().get_by_role("option").dispatch_event("click")
    harness.answer().get_by_role("combobox").press("Enter")
    assert harness.told() == []
