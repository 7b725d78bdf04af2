"""The page in a browser with the real language model inside the app."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.conftest import Watched, need_weights
from tests.support.app import App

# Short texts keep this quick on two cores; everything else is as shipped.
SHORT = """
[recipes.local]
proposers = [
  { model = "embedded/smollm2-135m-instruct", label = "Careful", temperature = 0.3, max_tokens = 40 },
  { model = "embedded/smollm2-135m-instruct", label = "Plain", temperature = 0.7, max_tokens = 40 },
  { model = "embedded/smollm2-135m-instruct", label = "Inventive", temperature = 1.0, max_tokens = 240 },
]
aggregator = { model = "embedded/smollm2-135m-instruct", temperature = 0.2, max_tokens = 40 }
"""
LONG_MS = 120_000  # the model shares its cores with the browser and with other tests

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.xdist_group("embedded")]


@pytest.fixture
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app without any provider but the one inside."""
    need_weights()
    app = App(tmp_path_factory.mktemp("inside"), SHORT)
    app.start()
    yield app
    app.stop()


def test_a_newcomers_first_minute_outlives_reload_and_restart(context: BrowserContext, inside: App) -> None:
    page = context.new_page()
    watched = Watched(page, inside)
    watched.attach()
    watched.open()
    expect(page.locator("#moa-settled")).to_contain_text("135 million parameters")
    expect(page.locator(".moa-example")).to_have_count(3)
    watched.ask("Why is the sky blue?")
    for position, voice in enumerate(("Careful", "Plain", "Inventive"), start=1):
        panel = page.locator(f'[data-slot="1.{position}"]')
        expect(panel).to_contain_text(voice)
        expect(panel).to_have_attribute("data-status", re.compile("running|done"), timeout=LONG_MS)
        expect(panel.locator(".moa-md")).to_contain_text(re.compile(r"\w+ \w+ \w+"), timeout=LONG_MS)
    answer = page.locator("[data-answer]")
    expect(answer).to_have_attribute("data-status", "done", timeout=LONG_MS)
    expect(answer).to_contain_text("4 calls")
    expect(answer.locator(".moa-md")).to_contain_text(re.compile(r"(\w+\W+){5}"))

    watched.ask("And at night?")
    expect(page.locator("[data-turn]")).to_have_count(2, timeout=LONG_MS)
    expect(answer.nth(1)).to_have_attribute("data-status", "done", timeout=LONG_MS)
    page.wait_for_load_state()
    shown = [text.split() for text in page.locator("[data-answer] .moa-md").all_text_contents()]

    watched.reload()
    expect(page.locator("[data-turn]")).to_have_count(2)
    assert [text.split() for text in page.locator("[data-answer] .moa-md").all_text_contents()] == shown
    address = page.url.removeprefix(inside.url)
    assert watched.complaints == []
    page.close()

    assert inside.stop() == 0
    inside.start()
    again = Watched(context.new_page(), inside)
    again.attach()
    again.open(address)
    expect(again.page.locator("[data-turn]")).to_have_count(2)
    assert [t.split() for t in again.page.locator("[data-answer] .moa-md").all_text_contents()] == shown
    for turn in range(2):  # the earlier turn's proposals are fetched when its layer is opened
        layer = again.page.locator('[data-layer="1"]').nth(turn)
        layer.locator("> summary").click()
        for position in range(1, 4):
            panel = layer.locator(f'[data-slot="1.{position}"]')
            expect(panel).to_have_attribute("data-status", "done")
            expect(panel.locator(".moa-md")).to_contain_text(re.compile(r"\w+ \w+"))
    expect(again.page.locator("[data-conversation]", has_text="Why is the sky blue?")).to_have_count(1)
    assert again.strangers == []
    assert again.complaints == []
    assert "Traceback" not in inside.log


def test_stop_silences_the_model_in_the_middle(context: BrowserContext, inside: App) -> None:
    watched = Watched(context.new_page(), inside)
    watched.attach()
    watched.open()
    page = watched.page
    watched.ask("Write a very long story about the sea.")
    panel = page.locator('[data-slot="1.3"]')
    expect(panel.locator(".moa-md")).to_contain_text(re.compile(r"\w+ \w+ \w+"), timeout=LONG_MS)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(panel).to_have_attribute("data-status", "stopped")
    expect(page.locator("[data-answer]")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    words = panel.locator(".moa-md").text_content()
    assert words
    watched.reload()
    expect(page.locator("[data-answer]")).to_contain_text("Stopped.")
    page.locator('[data-layer="1"] > summary').click()
    expect(panel.locator(".moa-md")).to_have_text(words)
    assert watched.strangers == []
    assert watched.complaints == []


def test_a_mixture_is_compared_with_its_aggregator_alone_voted_on_and_counted(
    context: BrowserContext, inside: App
) -> None:
    watched = Watched(context.new_page(), inside)
    watched.attach()
    watched.open()
    page = watched.page
    page.locator("#moa-versus").get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#moa-versus").get_by_label("Opponent 1", exact=True)).to_be_visible()
    watched.ask("Name three fruits.")
    vote = page.get_by_role("button", name="B is better")
    expect(vote).to_be_enabled(timeout=LONG_MS)
    for side in "AB":
        answer = page.get_by_role("region", name=f"Answer {side}", exact=True)
        expect(answer.locator(".moa-md").last).to_contain_text(re.compile(r"(\w+\W+){3}"))
        expect(answer).not_to_contain_text("SmolLM2")
    vote.click()
    expect(page.locator("[data-turn]")).to_contain_text(re.compile("You chose B: .* A was "))
    expect(page.locator("[data-turn]")).to_contain_text("SmolLM2")
    expect(page.locator("[data-turn]").get_by_text("Careful")).to_have_count(1)
    watched.leave("/results")
    expect(page.locator("main")).to_contain_text("1 vote")
    expect(page.locator("main")).to_contain_text("SmolLM2")
    assert watched.strangers == []
    assert watched.complaints == []
    assert "Traceback" not in inside.log


def test_a_model_that_cannot_load_is_explained_on_a_page_that_opens(
    context: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    broken = folder / "broken.gguf"
    broken.write_bytes(b"this is no model")
    app = App(folder, environ={"MOA_EMBEDDED_MODEL": str(broken)})
    app.start()
    try:
        watched = Watched(context.new_page(), app)
        watched.open()
        expect(watched.page.locator("#moa-status")).to_contain_text("broken.gguf")
        watched.ask("Are you there?")
        expect(watched.page.locator("[data-answer]")).to_have_attribute("data-status", "failed")
    finally:
        assert app.stop() == 0
