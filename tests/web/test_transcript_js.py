"""The transcript's modules in a real browser: what the reader did stays, and each turn is one element for life."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from moa.ui.contract import PanelStatusJson
from tests.web import turns
from tests.web.harness import Harness, StaticServer
from tests.web.turns import live, running, settled, turn

pytestmark = pytest.mark.browser

LONG = "A line of text that fills the panel.\n\n" * 40
TOP = "node => node.scrollTop"
BELOW = "node => node.scrollHeight - node.scrollTop - node.clientHeight"


def scrolled_up(harness: Harness, pixels: int) -> float:
    """Turn the wheel over the first panel, wait until it has come to rest, and give its place."""
    body = harness.turn().locator('[data-slot="1.1"] .moa-panel-body')
    place = float(body.evaluate(TOP)) - pixels
    body.hover()
    harness.page.mouse.wheel(0, -pixels)
    harness.page.wait_for_function("at => document.querySelector('.moa-panel-body').scrollTop === at", arg=place)
    return place


def test_hooks_of_a_turn(harness: Harness) -> None:
    harness.settled(settled(turn()))
    shown = harness.turn()
    expect(shown).to_have_count(1)
    expect(shown.locator('[data-layer="1"]')).to_have_js_property("tagName", "DETAILS")
    assert shown.locator("[data-slot]").evaluate_all("all => all.map(node => node.dataset.slot)") == [
        "1.1",
        "1.2",
        "1.3",
    ]
    expect(shown.locator('[data-slot="1.2"]')).to_have_attribute("data-status", "done")
    expect(harness.answer()).to_have_attribute("data-status", "done")
    expect(shown.locator("summary").first).to_contain_text("Layer 1 · 3 proposers · 4.2 s")
    expect(harness.answer()).to_contain_text("12.3 s · 4 calls · ~1,934 tokens · $0.0049")
    for name in ("Copy answer", "Copy code", "Regenerate"):
        expect(harness.answer().get_by_role("button", name=name, exact=True)).to_be_visible()
    assert harness.errors == []


@pytest.mark.parametrize("status", ["waiting", "running", "done", "failed", "stopped"])
def test_panel_status_is_told_by_word_and_attribute(harness: Harness, status: PanelStatusJson) -> None:
    harness.live(live(running(layers=[turns.layer(1, status=status)], answer=None)))
    panel = harness.turn().locator('[data-slot="1.1"]')
    expect(panel).to_have_attribute("data-status", status)
    words = {"waiting": "Waiting", "running": "Writing", "done": "Done", "failed": "Failed", "stopped": "Stopped"}
    assert words[status] in (panel.text_content() or "")


def test_layers_are_open_while_they_write_and_folded_when_the_answer_starts(harness: Harness) -> None:
    layer = harness.turn().locator("[data-layer]")
    harness.live(live(running(layers=[turns.layer(1, status="waiting")])))
    expect(layer).to_have_js_property("open", False)
    harness.live(live(running(text="Some words")))
    expect(layer).to_have_js_property("open", True)
    harness.live(live(running(text="Some words", answer="")))
    expect(layer).to_have_js_property("open", True)
    harness.live(live(running(text="Some words", answer="First")))
    expect(layer).to_have_js_property("open", False)


def test_what_the_reader_opened_or_closed_stays_so_through_updates_and_the_move(harness: Harness) -> None:
    layer = harness.turn().locator("[data-layer]")
    title = harness.turn().locator('[data-slot="1.2"] .moa-panel-title')
    harness.live(live(running(text="One")))
    title.click()
    layer.locator("summary").first.click()
    harness.live(live(running(text="One two")))
    expect(layer).to_have_js_property("open", False)
    layer.locator("summary").first.click()
    harness.live(live(running(text="One two", answer="First")))
    expect(layer).to_have_js_property("open", True)
    expect(title).to_have_attribute("aria-expanded", "false")
    harness.live(live(turn(), ended=True))
    harness.settled(settled(turn()))
    expect(layer).to_have_js_property("open", True)
    expect(title).to_have_attribute("aria-expanded", "false")


def test_the_element_of_a_turn_moves_and_is_never_doubled(harness: Harness) -> None:
    harness.settled(settled(turn(1)))
    harness.live(live(running(2, text="Words")))
    harness.page.evaluate("window.kept = document.querySelector('#moa-live [data-turn=turn2]')")
    harness.page.evaluate(
        """window.seen = [];
        new MutationObserver(() => seen.push(document.querySelectorAll('[data-turn=turn2]').length))
          .observe(document, { childList: true, subtree: true })"""
    )
    same = "document.querySelector('#moa-settled [data-turn=turn2]') === kept"
    harness.live(live(turn(2), ended=True))
    assert harness.page.evaluate(same)
    harness.settled(settled(turn(1), turn(2)))
    assert harness.page.evaluate(same)
    harness.live(live(None))
    assert harness.page.evaluate(same)
    assert set(harness.page.evaluate("seen")) <= {1}
    order = harness.page.locator("[data-turn]").evaluate_all("all => all.map(node => node.dataset.turn)")
    assert order == ["turn1", "turn2"]


def test_a_settled_value_that_overtakes_the_last_live_one_does_not_double_the_turn(harness: Harness) -> None:
    harness.live(live(running(1, text="Words")))
    harness.page.evaluate("window.kept = document.querySelector('[data-turn=turn1]')")
    harness.settled(settled(turn(1)))
    expect(harness.turn(1)).to_have_count(1)
    harness.live(live(turn(1), ended=True))
    assert harness.page.evaluate("document.querySelector('#moa-settled [data-turn=turn1]') === kept")


def test_regenerating_reuses_the_turn_and_starts_its_panels_anew(harness: Harness) -> None:
    harness.settled(settled(turn(1)))
    harness.page.evaluate("window.kept = document.querySelector('[data-turn=turn1]')")
    harness.turn().locator("summary").first.click()
    again = running(1, text="Other words", run="run1b")
    harness.live(live(again))
    assert harness.page.evaluate("document.querySelector('#moa-live [data-turn=turn1]') === kept")
    expect(harness.turn().locator('[data-slot="1.1"]')).to_have_attribute("data-status", "running")
    harness.live(live(turn(1, run="run1b"), ended=True))
    expect(harness.turn().locator("[data-layer]")).to_have_js_property("open", False)


def test_another_conversation_replaces_everything(harness: Harness) -> None:
    harness.live(live(turn(1), ended=True))
    harness.settled(settled(turn(1)))
    harness.settled(settled(turn(7), conversation="talk2"))
    expect(harness.page.locator("[data-turn]")).to_have_count(1)
    harness.live(live(running(1), conversation="talk1"))
    expect(harness.page.locator("[data-turn]")).to_have_count(1)
    harness.live(live(None, conversation="talk2"))
    expect(harness.turn(7)).to_be_visible()


def test_a_panel_keeps_to_the_bottom_only_while_the_reader_is_there(harness: Harness) -> None:
    body = harness.turn().locator('[data-slot="1.1"] .moa-panel-body')
    harness.live(live(running(text=LONG)))
    assert body.evaluate(BELOW) < 2
    harness.live(live(running(text=LONG * 2)))
    assert body.evaluate(BELOW) < 2
    place = scrolled_up(harness, 300)
    harness.live(live(running(text=LONG * 3)))
    assert body.evaluate(TOP) == place
    body.evaluate("node => { node.scrollTop = node.scrollHeight }")
    harness.live(live(running(text=LONG * 4)))
    assert body.evaluate(BELOW) < 2


def test_a_scrolled_panel_keeps_its_place_and_its_layer_open_through_the_move(harness: Harness) -> None:
    body = harness.turn().locator('[data-slot="1.1"] .moa-panel-body')
    harness.live(live(running(text=LONG)))
    place = scrolled_up(harness, 200)
    harness.live(live(running(text=LONG, answer="Words")))
    harness.live(live(turn(layers=[turns.layer(1, text=LONG)]), ended=True))
    harness.settled(settled(turn(layers=[turns.layer(1, text=None)])))
    expect(harness.turn().locator("[data-layer]")).to_have_js_property("open", True)
    assert body.evaluate(TOP) == place


def test_the_page_follows_the_text_only_while_the_reader_is_at_its_foot(harness: Harness) -> None:
    page = harness.page
    jump = page.get_by_role("button", name="Jump to newest")
    below = "document.scrollingElement.scrollHeight - innerHeight - scrollY"
    harness.settled(settled(turn(answer=turns.panel("2.1", text="Words. " * 3000))))
    harness.live(live(running(9, answer="Words. " * 50)))
    assert page.evaluate(below) < 2
    at = page.evaluate("scrollY") - 600
    page.mouse.move(600, 300)
    page.mouse.wheel(0, -600)
    page.wait_for_function("at => scrollY === at", arg=at)
    expect(jump).to_be_visible()
    harness.live(live(running(9, answer="Words. " * 400)))
    assert page.evaluate("scrollY") == at
    jump.click()
    page.wait_for_function(f"{below} < 2")
    expect(jump).to_be_hidden()


def test_a_layer_whose_texts_were_not_sent_loads_them_when_opened(harness: Harness, server: StaticServer) -> None:
    bare = turn(layers=[turns.layer(1, text=None)])
    harness.settled(settled(bare))
    server.asked.clear()
    panel = harness.turn().locator('[data-slot="1.1"]')
    harness.turn().locator("summary").first.click()
    expect(harness.turn().get_by_text("This could not be loaded.")).to_be_visible()
    server.turns["turn1"] = turn()
    harness.turn().get_by_role("button", name="Try again").click()
    expect(panel).to_contain_text("Merge sort splits the list")
    assert server.asked == ["turn1", "turn1"]
    harness.settled(settled(turn(layers=[turns.layer(1, text=None)], notice="Changed")))
    expect(panel).to_contain_text("Merge sort splits the list")
    assert server.asked == ["turn1", "turn1"]


def test_a_layer_that_is_opened_while_another_run_loads_gets_its_texts(harness: Harness, server: StaticServer) -> None:
    held: list[Route] = []
    bare = [turns.layer(1, text=None)]
    harness.page.route("**/moa/turns/**", lambda route: held.append(route), times=1)
    for run in ("a", "b"):
        harness.settled(settled(turn(run=run, layers=bare)))
        harness.turn().locator(".moa-layer > summary").click()
    server.turns["turn1"] = turn(run="b", layers=[turns.layer(1, text="Of the later one")])
    held[0].fulfill(json=turn(run="a", layers=[turns.layer(1, text="Of the earlier one")]))
    expect(harness.turn().locator('[data-slot="1.1"] .moa-md')).to_have_text("Of the later one")


def test_degraded_and_failed_turns_say_so_where_it_happened(harness: Harness) -> None:
    missing = turns.layer(1, 2)
    missing["panels"][1] = turns.panel("1.2", "failed", text="", error="It took too long.", cost=None)
    totals = {"seconds": 3.0, "first": None, "calls": 3, "tokens": None, "estimated": False, "cost": None}
    harness.settled(settled(turn(layers=[missing], status="degraded", notice="1 of 2 proposers", totals=totals)))
    expect(harness.answer()).to_contain_text("1 of 2 proposers")
    expect(harness.answer()).to_contain_text("3.0 s · 3 calls · cost unknown")
    expect(harness.turn().locator("summary").first).to_contain_text("1 failed")
    harness.turn().locator("summary").first.click()
    expect(harness.turn().locator('[data-slot="1.2"]')).to_contain_text("It took too long.")


def test_thinking_is_folded_inside_the_panel(harness: Harness) -> None:
    thoughtful = [turns.layer(1, status="running", text="", reasoning="Let me think.")]
    harness.live(live(running(layers=thoughtful)))
    thinking = harness.turn().locator('[data-slot="1.1"] details')
    expect(thinking).to_have_js_property("open", False)
    thinking.locator("summary").click()
    expect(thinking).to_contain_text("Let me think.")
    harness.live(live(running(layers=[turns.layer(1, status="running", text="", reasoning="Let me think. More.")])))
    expect(thinking).to_have_js_property("open", True)


def test_running_panels_offer_to_stop_one_only_where_the_page_asks_for_it(page: Page, server: StaticServer) -> None:
    harness = Harness(page, server, "?stop=1")
    harness.live(live(running(text="Words")))
    harness.turn().get_by_role("button", name="Stop SmolLM2 135M · Careful").click()
    assert harness.events()[-1] == {"id": "moa-live", "event": "stop_one", "payload": {"slot": "1.1"}}


def test_no_stop_buttons_by_default(harness: Harness) -> None:
    harness.live(live(running(text="Words")))
    expect(harness.turn().get_by_role("button", name="Stop")).to_have_count(0)


def test_first_screen_offers_examples_until_a_turn_begins(harness: Harness) -> None:
    welcome = {"title": "MoA", "sentence": "One.", "examples": ["Why?", "How?"], "model": None, "hint": "Small."}
    harness.settled(settled(conversation=None, welcome=welcome))
    harness.page.get_by_role("button", name="How?").click()
    assert harness.events()[-1] == {"id": "moa-settled", "event": "example", "payload": {"text": "How?"}}
    harness.live(live(running(1, text="Words")))  # of a conversation that was left for the first screen
    expect(harness.page.get_by_role("button", name="How?")).to_be_visible()
    harness.settled(settled())
    expect(harness.page.get_by_role("button", name="How?")).to_be_hidden()
    harness.settled(settled(conversation=None, welcome=welcome))
    expect(harness.page.get_by_role("button", name="How?")).to_be_visible()


def test_copy_gives_the_whole_answer(harness: Harness, server: StaticServer) -> None:
    harness.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    harness.settled(settled(turn()))
    harness.page.get_by_role("button", name="Copy answer").click()
    expect(harness.page.get_by_role("button", name="Copy answer")).to_contain_text("Copied")
    assert harness.page.evaluate("navigator.clipboard.readText()") == turns.ANSWER
    harness.answer().get_by_role("button", name="Copy code").click()
    harness.page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('def merge_sort'))")


def test_a_panel_can_be_read_at_full_height(harness: Harness) -> None:
    harness.live(live(running(text=LONG)))
    panel = harness.turn().locator('[data-slot="1.1"]')
    panel.get_by_role("button", name="Full height").click()
    assert panel.locator(".moa-panel-body").evaluate("node => node.scrollHeight === node.clientHeight")
    expect(panel.get_by_role("button", name="Less height")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_nothing_scrolls_sideways(harness: Harness, width: int) -> None:
    harness.page.set_viewport_size({"width": width, "height": 844})
    wide = "| " + " | ".join(f"column {n}" for n in range(20)) + " |\n|" + "---|" * 20 + "\n"
    long = turn(2, question="w" * 400, answer=turns.panel("2.1", text=wide))
    harness.settled(settled(turn(layers=[turns.layer(1, 6)]), long))
    harness.turn().locator("summary").first.click()
    assert harness.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    edges = harness.turn().locator("[data-slot]").evaluate_all("all => all.map(node => node.offsetLeft)")
    assert (len(set(edges)) == 1) == (width == 390)
