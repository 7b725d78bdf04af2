"""Asking again on the page: attempts, parts of an answer, an answer before all proposals are there."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from moa.ui.contract import LayerJson, TurnJson
from tests.web import turns
from tests.web.harness import Harness
from tests.web.turns import live, panel, running, settled, turn

pytestmark = pytest.mark.browser


def button(harness: Harness, number: int, name: str) -> Locator:
    """A button of a turn that is shown."""
    return harness.turn(number).get_by_role("button", name=name, exact=True)


def broken(number: int, **changes: Any) -> TurnJson:
    """A turn without an answer that could be gone on with."""
    return turn(number, **{"status": "failed", "answer": None, "notice": "Nothing came.", "mend": "resume", **changes})


def half_done() -> LayerJson:
    """A layer in which one panel is done and one still writes."""
    return {**turns.layer(1), "panels": [panel("1.1"), panel("1.2", "running", text="Some"), panel("1.3", "failed")]}


def test_attempts_are_stepped_through_and_the_focus_stays(harness: Harness) -> None:
    runs: dict[str, Any] = {"attempts": ["a", "b", "c"]}
    harness.settled(settled(turn(run="c", **runs), turn(2)))
    earlier, later = button(harness, 1, "Earlier attempt"), button(harness, 1, "Later attempt")
    expect(harness.answer(1)).to_contain_text("3/3")
    expect(later).to_have_attribute("aria-disabled", "true")
    expect(button(harness, 2, "Earlier attempt")).to_have_count(0)
    later.click(force=True)
    assert harness.told() == []
    for run in ("b", "a"):
        earlier.press("Enter")
        harness.settled(settled(turn(run=run, **runs, answer=panel("2.1", text=f"By {run}. " * 99)), turn(2)))
        expect(harness.answer(1)).to_contain_text(f"By {run}.")
        expect(earlier).to_be_focused()
    assert harness.told() == [("show_run", {"turn": "turn1", "run": run}) for run in ("b", "a")]
    expect(harness.answer(1).get_by_text("Attempt 1 of 3")).to_have_count(1)
    expect(earlier).to_have_attribute("aria-disabled", "true")


def test_a_stepper_stands_still_when_the_answer_before_it_is_longer(harness: Harness) -> None:
    harness.page.set_viewport_size({"width": 1280, "height": 400})
    runs: dict[str, Any] = {"attempts": ["a", "b"]}
    harness.settled(settled(turn(1), turn(2, run="a", **runs, answer=panel("2.1", text="Short.")), turn(3)))
    stepper = button(harness, 2, "Later attempt")
    stepper.scroll_into_view_if_needed()
    stepper.click()
    before = stepper.bounding_box()
    harness.settled(settled(turn(1), turn(2, run="b", **runs), turn(3)))
    after = stepper.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2


def test_what_is_offered_by_how_a_turn_ended(harness: Harness) -> None:
    harness.settled(settled(turn(1), broken(2, layers=[]), broken(3)))
    all_names = ("Regenerate", "Resume", "Retry", "Continue from here")
    shown = [{name for name in all_names if button(harness, number, name).count()} for number in (1, 2, 3)]
    assert shown == [{"Regenerate", "Continue from here"}, {"Regenerate", "Resume"}, {"Regenerate", "Resume"}]
    ways = harness.answer(3).get_by_role("button", name="Other ways to answer again")
    ways.click()
    assert harness.answer(3).get_by_role("menuitem").count() == 1  # nobody was asked for the answer yet
    ways.click()
    expect(harness.answer(2).get_by_role("button", name="Other ways to answer again")).to_have_count(0)
    button(harness, 3, "Resume").click()
    button(harness, 1, "Regenerate").click()
    harness.settled(settled(broken(3, mend="retry")))
    button(harness, 3, "Retry").click()
    told = [("resume", {"turn": "turn3"}), ("regenerate", {"turn": "turn1"}), ("resume", {"turn": "turn3"})]
    assert harness.told() == told


def test_a_single_models_answer_has_no_proposals_to_keep(harness: Harness) -> None:
    harness.settled(settled(turn(layers=[])))
    harness.answer().get_by_role("button", name="Other ways to answer again").click()
    assert harness.answer().get_by_role("menuitem").all_inner_texts() == ["Ask another model…"]


def test_one_panel_is_asked_again(harness: Harness) -> None:
    analysis = {**turns.layer(2, 1), "kind": "analysis"}
    waiting = turns.layer(3, 1, status="waiting")
    harness.settled(settled(turn(layers=[turns.layer(1), analysis, waiting], answer=panel("4.1"))))
    for layer in harness.turn().locator(".moa-layer > summary").all():
        layer.click()
    more = harness.turn().get_by_role("button", name="More for SmolLM2 135M · Lively")
    more.click()
    harness.turn().get_by_role("menuitem", name="Ask again").click()
    assert harness.told() == [("retry_slot", {"turn": "turn1", "slot": "1.2", "model": None})]
    analyst = harness.turn().locator('[data-slot="2.1"]')
    analyst.get_by_role("button", name="More for").click()
    assert [item.get_attribute("aria-label") for item in analyst.get_by_role("menuitem").all()] == ["Ask again"]
    expect(harness.turn().locator('[data-slot="3.1"]').get_by_role("button", name="More for")).to_have_count(0)


def test_while_a_run_is_under_way_nothing_else_can_be_begun_there(harness: Harness) -> None:
    harness.settled(settled(turn(1, attempts=["x", "run1"]), broken(2)))
    names = ("Regenerate", "Other ways to answer again", "Edit question")
    harness.live(live(running(3)))
    for number in (1, 2):
        for name in names:
            expect(button(harness, number, name)).to_be_disabled()
    expect(button(harness, 1, "Continue from here")).to_be_disabled()
    expect(button(harness, 2, "Resume")).to_be_disabled()
    for name in (*names, "Resume", "Continue from here"):
        expect(button(harness, 3, name)).to_have_count(0)
    button(harness, 1, "Earlier attempt").click()
    assert harness.told() == [("show_run", {"turn": "turn1", "run": "x"})]
    harness.live(live(turn(3), ended=True))
    for name in names:
        expect(button(harness, 1, name)).to_be_enabled()


def test_F24_only_the_same_button_twice_is_one_request(harness: Harness) -> None:
    harness.settled(settled(turn(1), turn(2)))
    keys = harness.page.evaluate(
        """() => ['turn1', 'turn1', 'turn2', 'turn1'].map((turn) => {
          document.querySelector(`[data-turn=${turn}] button[aria-label=Regenerate]`).click();
          return window.moa.keyed(['', ''], 0)[1].split('@')[0];
        })"""
    )
    assert [name for name, _ in harness.told()] == ["regenerate"] * 4
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_the_focus_is_not_lost_when_the_button_that_began_a_run_goes_away(harness: Harness) -> None:
    harness.settled(settled(turn(1)))
    button(harness, 1, "Regenerate").press("Enter")
    harness.live(live(running(1, run="again", attempts=["run1", "again"])))
    expect(harness.turn(1)).to_be_focused()


def test_the_answer_can_be_had_early_while_some_are_done_and_some_still_write(harness: Harness) -> None:
    early = button(harness, 1, "Answer now")
    harness.live(live(running()))
    expect(early).to_have_count(0)
    harness.live(live(running(layers=[half_done(), turns.layer(2, status="waiting")])))
    expect(early).to_have_count(1)
    early.click()
    assert harness.events() == [{"id": "moa-live", "event": "answer_now", "payload": {}}]
    expect(harness.turn().locator('[data-layer="1"]')).to_have_js_property("open", True)
    harness.live(live(running(layers=[half_done()], answer="Words")))
    expect(early).to_have_count(0)
    harness.live(live(running(layers=[{**half_done(), "kind": "analysis"}])))
    expect(early).to_have_count(0)
    harness.live(live(turn(layers=[half_done()], status="cancelled"), ended=True))
    expect(early).to_have_count(0)
