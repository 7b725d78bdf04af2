"""Branches on the page: versions of a question, editing it, going on from an earlier answer, runs amid others."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.web import hostile
from tests.web.harness import Harness
from tests.web.test_composer_js import COMPOSED_ENTER
from tests.web.turns import live, panel, running, settled, turn

pytestmark = pytest.mark.browser

SHORT = panel("2.1", text="Short.")


def order(harness: Harness) -> list[str]:
    """The turns as they stand on the page."""
    return list(harness.page.locator("[data-turn]").evaluate_all("all => all.map(node => node.dataset.turn)"))


def edit(harness: Harness, number: int = 1) -> Locator:
    """Open a question to edit it; gives the field."""
    harness.turn(number).get_by_role("button", name="Edit question").click()
    return harness.turn(number).get_by_role("textbox", name="Edit question")


def test_versions_of_a_question_are_stepped_through_and_the_focus_follows(harness: Harness) -> None:
    places = {"siblings": ["turn2", "turn5"], "position": 2}
    harness.settled(settled(turn(1), turn(2, **places), turn(3)))
    later = harness.turn(2).get_by_role("button", name="Later version")
    expect(harness.turn(2).locator(".moa-asked")).to_contain_text("1/2")
    expect(harness.turn(1).get_by_role("button", name="Later version")).to_have_count(0)
    later.press("Enter")
    assert harness.told() == [("show_turn", {"turn": "turn5"})]
    place = later.bounding_box()
    harness.settled(settled(turn(1), turn(5, **places)))
    assert order(harness) == ["turn1", "turn5"]
    there = harness.turn(5).get_by_role("button", name="Later version")
    expect(there).to_be_focused()
    expect(there).to_have_attribute("aria-disabled", "true")
    now = there.bounding_box()
    assert place is not None
    assert now is not None
    assert abs(now["y"] - place["y"]) < 2
    harness.turn(5).get_by_role("button", name="Earlier version").press("Enter")
    assert harness.told()[1:] == [("show_turn", {"turn": "turn2"})]


def test_a_question_is_edited_and_sent_by_button_or_enter(harness: Harness) -> None:
    harness.settled(settled(turn(1, question="Why?")))
    field = edit(harness)
    expect(field).to_be_focused()
    expect(field).to_have_value("Why?")
    field.press("End")
    field.press("Shift+Enter")
    field.press_sequentially("And how?")
    field.evaluate(COMPOSED_ENTER)
    assert harness.told() == []
    field.press("Enter")
    field.press("Control+Enter")
    harness.turn().get_by_role("button", name="Ask again").click()
    assert harness.told() == [("edit", {"turn": "turn1", "question": "Why?\nAnd how?"})] * 3
    expect(field).to_be_visible()  # until the page shows the new turn: a refused one is not lost
    field.fill("  ")
    expect(harness.turn().get_by_role("button", name="Ask again")).to_be_disabled()
    field.press("Enter")
    assert len(harness.told()) == 3


@pytest.mark.parametrize("way", ["Escape", "Cancel"])
def test_an_edit_that_is_left_leaves_the_question_as_it_was(harness: Harness, way: str) -> None:
    harness.settled(settled(turn(1, question="Why?")))
    field = edit(harness)
    field.fill("Something else")
    if way == "Escape":
        field.press(way)
    else:
        harness.turn().get_by_role("button", name=way).click()
    expect(field).to_have_count(0)
    expect(harness.turn().locator(".moa-question")).to_have_text("Why?")
    expect(harness.turn().get_by_role("button", name="Edit question")).to_be_focused()
    expect(edit(harness)).to_have_value("Why?")
    assert harness.told() == []


def test_a_draft_survives_a_run_that_begins_and_ends_meanwhile(harness: Harness) -> None:
    harness.settled(settled(turn(1), turn(2)))
    field = edit(harness, 1)
    field.fill("A better question")
    field.evaluate("node => { window.field = node; node.setSelectionRange(2, 8) }")
    again = harness.turn(1).get_by_role("button", name="Ask again")
    for value in (running(3, text="Some"), running(3, text="Some words"), running(3, answer="Yes")):
        harness.live(live(value))
        expect(again).to_be_disabled()
        field.press("Control+Enter")
    harness.live(live(turn(3), ended=True))
    harness.settled(settled(turn(1), turn(2), turn(3)))
    expect(again).to_be_enabled()
    expect(field).to_have_value("A better question")
    expect(field).to_be_focused()
    assert field.evaluate("node => node === window.field && node.selectionStart === 2 && node.selectionEnd === 8")
    assert harness.told() == []


def test_an_edited_question_takes_the_old_ones_place_before_the_server_says_so(harness: Harness) -> None:
    harness.settled(settled(turn(1), turn(2), turn(3)))
    edit(harness, 2).press("Enter")
    new = running(7, position=2, siblings=["turn2", "turn7"], text="Words")
    harness.live(live(new))
    assert order(harness) == ["turn1", "turn7"]
    expect(harness.turn(7)).to_be_focused()
    ended = turn(7, position=2, siblings=["turn2", "turn7"])
    harness.live(live(ended, ended=True))
    assert order(harness) == ["turn1", "turn7"]
    harness.settled(settled(turn(1), ended))
    assert order(harness) == ["turn1", "turn7"]


def test_a_run_of_an_earlier_turn_stands_in_its_place_and_nothing_is_made_anew(harness: Harness) -> None:
    harness.settled(settled(turn(1), turn(2, answer=SHORT), turn(3), turn(4)))
    harness.turn(3).locator("summary").first.click()
    harness.page.evaluate("window.kept = [...document.querySelectorAll('[data-turn]')]")
    same = "kept.every((node, index) => node === document.querySelectorAll('[data-turn]')[index])"
    harness.turn(2).get_by_role("button", name="Regenerate").click()
    at = harness.page.evaluate("scrollY")
    for value in (running(2, run="again"), running(2, run="again", text="Some"), running(2, run="again", answer="Yes")):
        harness.live(live(value))
        harness.settled(settled(turn(1), turn(3), turn(4)))
        assert harness.page.evaluate(same)
        expect(harness.turn(3).locator("[data-layer]")).to_have_js_property("open", True)
    assert abs(harness.page.evaluate("scrollY") - at) < 2
    assert order(harness) == ["turn1", "turn2", "turn3", "turn4"]
    harness.live(live(turn(2, run="again"), ended=True))
    harness.settled(settled(turn(1), turn(2, run="again"), turn(3), turn(4)))
    assert harness.page.evaluate(same)
    assert harness.page.evaluate("document.querySelectorAll('#moa-settled [data-turn]').length") == 4


def test_two_runs_one_after_another_before_either_is_settled_are_both_shown(harness: Harness) -> None:
    harness.settled(settled(turn(1)))
    harness.live(live(running(2)))
    harness.live(live(turn(2), ended=True))
    harness.live(live(running(3)))
    assert order(harness) == ["turn1", "turn2", "turn3"]


def test_going_on_from_an_earlier_answer(harness: Harness) -> None:
    harness.settled(settled(turn(1), turn(2), turn(3)))
    chip = harness.page.locator("#moa-fork")
    left_out = harness.page.locator("[data-after-fork]")
    expect(chip).to_be_hidden()
    expect(harness.turn(3).get_by_role("button", name="Continue from here")).to_have_count(0)
    harness.turn(1).get_by_role("button", name="Continue from here").click()
    assert harness.told() == [("fork", {"turn": "turn1"})]
    harness.send("moa-fork", {"turn": "turn1", "question": "Why\n  is it so? " + "x" * 400})
    expect(chip).to_contain_text("Continuing from: “Why is it so? xxx")
    expect(harness.page.get_by_label("Message")).to_be_focused()
    assert left_out.evaluate_all("all => all.map(node => node.dataset.turn)") == ["turn2", "turn3"]
    expect(harness.page.get_by_text("The next question leaves out what follows")).to_have_count(3)
    expect(harness.turn(2).get_by_text("The next question leaves out what follows")).to_be_visible()
    expect(harness.turn(3).get_by_text("The next question leaves out what follows")).to_be_hidden()
    chip.get_by_role("button", name="Continue from the end instead").press("Enter")
    assert harness.events()[-1] == {"id": "moa-fork", "event": "cancel", "payload": {}}
    harness.send("moa-fork", {"turn": None, "question": None})
    expect(chip).to_be_hidden()
    expect(left_out).to_have_count(0)
    expect(harness.page.get_by_label("Message")).to_be_focused()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_turn_that_was_looked_for_is_scrolled_to_marked_and_focused_once(harness: Harness, motion: str) -> None:
    harness.page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    path = [turn(number) for number in range(1, 7)]
    harness.settled(settled(*path, conversation="found"))
    near_top = "document.querySelector('[data-turn=turn3]').getBoundingClientRect().top"
    harness.settled(settled(*path, conversation="found", focus="turn3"))
    harness.page.wait_for_function(f"Math.abs({near_top} - 68) < 2")
    expect(harness.turn(3)).to_be_focused()
    if motion == "reduce":
        expect(harness.turn(3)).to_have_attribute("data-found", "")
        harness.page.get_by_label("Message").focus(timeout=1000)
    expect(harness.turn(3)).not_to_have_attribute("data-found", "")
    harness.page.get_by_label("Message").evaluate("node => node.focus({ preventScroll: true })")
    harness.settled(settled(*path[:-1], conversation="found", focus="turn3"))
    expect(harness.page.get_by_label("Message")).to_be_focused()
    harness.settled(settled(*path, conversation="other", focus="turn2"))
    expect(harness.turn(2)).to_be_focused()
    assert abs(harness.turn(2).evaluate("node => node.getBoundingClientRect().top") - 68) < 2
    harness.page.emulate_media(reduced_motion="no-preference")


def test_B01_hostile_questions_are_inert_wherever_they_stand(harness: Harness) -> None:
    for text in hostile.XSS:
        choices = [{"id": text, "label": text, "provider": text, "needs": None, "note": text}]
        harness.send("moa-mixer", {"choices": choices, "picked": [], "max": 9})
        written = panel("2.1", model=text, label=text)
        harness.settled(settled(turn(1, question=text, answer=written, siblings=[text, "turn1"]), turn(2)))
        expect(edit(harness)).to_have_value(text)
        harness.page.keyboard.press("Escape")
        harness.send("moa-fork", {"turn": "turn1", "question": text})
        expect(harness.page.locator("#moa-fork")).to_contain_text(" ".join(text.split())[:40])
        harness.answer(1).get_by_role("button", name="Other ways to answer again").click()
        harness.answer(1).get_by_role("menuitem", name="Ask another model…").click()
        expect(harness.answer(1).get_by_role("option")).to_contain_text(text)
        harness.page.keyboard.press("Escape")
        assert harness.page.evaluate("window.hits") == 0, text
    assert harness.errors == []
    assert harness.foreign == []
