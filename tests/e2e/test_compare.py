"""Side by side in a browser: asked at once, voted blind, told apart, counted."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Watched
from tests.support.app import App
from tests.support.server import Answer, Gate, ProviderServer

NAMES = ("Three and a writer", "Writer", "Model A", "Model B", "Model C", "test/")


def compare(page: Page) -> Locator:
    """Turn the compare bar on, blind as it comes; it asks the mixture and its own aggregator alone."""
    bar = page.locator("#moa-versus")
    bar.get_by_role("button", name="Compare", exact=True).click()
    expect(bar.get_by_label("Opponent 1", exact=True)).to_be_visible()
    return bar


def column(page: Page, side: str) -> Locator:
    return page.locator("[data-turn]").last.get_by_role("region", name=f"Answer {side}", exact=True)


def side_of(page: Page, words: str) -> str:
    """The letter of the column that says this."""
    for side in "AB":
        if words in column(page, side).inner_text():
            return side
    raise AssertionError(words)


LISTEN = """
const ask = window.fetch;
window.heard = [];
window.fetch = async (...asked) => {
  const answer = await ask(...asked);
  const at = window.heard.push("") - 1;
  const reader = answer.clone().body?.pipeThrough(new TextDecoderStream()).getReader();
  const read = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) window.heard[at] += part.value;
  };
  if (reader) read().catch(() => {});
  return answer;
};
"""


def test_a_blind_comparison_tells_no_name_before_the_vote_and_counts_after_it(
    watched: Watched, provider: ProviderServer
) -> None:
    page, gate = watched.page, Gate()
    provider.script("a", Answer("Slowly, from a.", gate=gate, hold=(2,)))
    provider.script("writer", Answer("One of these two."), Answer("The other of them."))
    page.add_init_script(LISTEN)  # event streams too, which the browser's own record leaves out
    watched.open()
    compare(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("window.heard.length = 0")
    watched.ask("Which is better?")
    expect(page.locator("[data-turn]").get_by_text("One of these two.")).to_be_visible()  # while the mixture still asks
    expect(page.get_by_role("button", name="A is better")).to_be_disabled()
    gate.open()
    for side in "AB":
        expect(column(page, side)).to_contain_text(re.compile("One of these two|The other of them"))
    expect(page.get_by_role("button", name="A is better")).to_be_enabled()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    shown = page.locator("#moa-main")
    for text in (shown.evaluate("(node) => node.outerHTML"), shown.aria_snapshot()):
        assert [name for name in NAMES if name in text] == []
    told = page.evaluate("window.heard.join()")
    assert "One of these two." in told
    assert [name for name in NAMES if name in told] == []

    mixed = side_of(page, "The other of them.")
    alone = "B" if mixed == "A" else "A"
    page.locator("[data-turn]").last.focus()
    page.keyboard.press(mixed.lower())
    expect(column(page, mixed)).to_contain_text("Three and a writer")
    expect(column(page, alone)).to_contain_text("Writer")
    expect(page.get_by_role("button", name=f"{mixed} is better")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-turn]").last).to_contain_text(f"You chose {mixed}: Three and a writer.")
    expect(column(page, mixed).locator('[data-slot="1.2"]')).to_contain_text("Model B")
    watched.reload()
    expect(page.get_by_role("button", name=f"{mixed} is better")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Tie").click()
    expect(page.get_by_role("button", name="Tie")).to_have_attribute("aria-pressed", "true")
    watched.leave("/results")
    expect(page.locator("main")).to_contain_text(re.compile("too early", re.IGNORECASE))
    for system in ("Three and a writer", "Writer"):
        expect(page.locator("main")).to_contain_text(system)


def test_each_column_goes_on_from_what_it_said(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    provider.script(
        "writer", Answer("Alone first."), Answer("Mixed first."), Answer("Alone again."), Answer("Mixed again.")
    )
    watched.open()
    bar = compare(page)
    bar.get_by_label("Blind").uncheck()
    gate = Gate()
    provider.script("a", Answer("Proposal.", gate=gate, hold=(0,)))
    watched.ask("First?")
    expect(column(page, "B")).to_contain_text("Alone first.")
    gate.open()
    expect(column(page, "A")).to_contain_text("Mixed first.")
    expect(column(page, "A")).to_contain_text("Three and a writer")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    held = Gate()
    provider.script("a", Answer("Proposal.", gate=held, hold=(0,)))
    watched.ask("Second?")
    expect(column(page, "B")).to_contain_text("Alone again.")
    held.open()
    expect(column(page, "A")).to_contain_text("Mixed again.")
    asked = [[m["content"] for m in call.messages] for call in provider.requests_for("writer")]
    assert asked[2] == ["First?", "Alone first.", "Second?"]
    assert [m["content"] for m in provider.requests_for("a")[1].messages] == ["First?", "Mixed first.", "Second?"]


def test_one_answer_of_two_is_written_again(watched: Watched, provider: ProviderServer) -> None:
    page, gate = watched.page, Gate()
    provider.script("a", Answer("Proposal.", gate=gate, hold=(0,)), Answer("Proposal."))
    provider.script("writer", Answer("Alone."), Answer("Mixed."), Answer("Alone, better."))
    watched.open()
    compare(page).get_by_label("Blind").uncheck()
    watched.ask("Better?")
    expect(column(page, "B")).to_contain_text("Alone.")
    gate.open()
    expect(column(page, "A")).to_contain_text("Mixed.")
    column(page, "B").get_by_role("button", name=re.compile("^Write again")).click()
    expect(column(page, "B")).to_contain_text("Alone, better.")
    expect(column(page, "A")).to_contain_text("Mixed.")
    assert [len(provider.requests_for(name)) for name in ("a", "writer")] == [1, 3]


def test_stop_ends_all_columns(watched: Watched, provider: ProviderServer) -> None:
    page, gate = watched.page, Gate()
    provider.script("a", Answer("It never ends.", gate=gate, hold=(2,)))
    provider.script("writer", Answer("Neither does this.", gate=gate, hold=(2,)))
    watched.open()
    compare(page).get_by_label("Blind").uncheck()
    watched.ask("Stop?")
    expect(column(page, "A")).to_contain_text("It never")
    expect(column(page, "B")).to_contain_text("Neither does")
    page.get_by_role("button", name="Stop", exact=True).click()
    for side in "AB":
        expect(column(page, side)).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    gate.open()


def test_a_judge_reads_both_orders_once_the_user_has_voted(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    provider.script("writer", Answer("One of these two."), Answer("The other of them."))
    watched.open()
    compare(page)
    watched.ask("Which is better?")
    expect(page.get_by_role("button", name="Tie")).to_be_enabled()
    expect(page.get_by_text("Ask a judge")).to_be_hidden()
    page.get_by_role("button", name="Tie").click()
    page.get_by_text("Ask a judge").click()
    page.get_by_label("Judge", exact=True).select_option(label="Model B")
    provider.script("b", Answer("It is short.\n\nVerdict: A"), Answer("It says it all.\n\nVerdict: A"))
    page.get_by_role("button", name="Judge", exact=True).click()
    expect(page.get_by_text("Prefers whichever comes first: no verdict.")).to_be_visible()
    page.get_by_text("A first: prefers A").click()
    expect(page.get_by_text("It is short.").or_(page.get_by_text("It says it all.")).first).to_be_visible()
    forward, backward = (call.messages[-1]["content"] for call in provider.requests_for("b")[-2:])
    for text in ("One of these two.", "The other of them."):
        assert text in forward
        assert text in backward
    assert (forward.index("One of") < forward.index("The other")) != (
        backward.index("One of") < backward.index("The other")
    )
    watched.leave("/results")
    expect(page.get_by_role("heading", name="Judges")).to_be_visible()


def test_a_link_fills_a_comparison_in_and_sends_nothing(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    watched.open("/?q=Why%20is%20the%20sky%20blue%3F&recipe=wounded&vs=three,test/a")
    expect(page.get_by_label("Message")).to_have_value("Why is the sky blue?")
    bar = page.locator("#moa-versus")
    expect(bar.get_by_label("Opponent 1", exact=True)).to_have_value("recipe:three")
    expect(bar.get_by_label("Opponent 2", exact=True)).to_have_value("model:test/a")
    expect(page.locator("#moa-summary")).to_contain_text("Comparison of 3, blind")
    assert provider.requests == []
    page.get_by_role("button", name="Send", exact=True).click()
    for side in "ABC":
        expect(column(page, side)).to_contain_text(re.compile("Hello from (writer|a)"))


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1024, "dark"), (390, "light"), (390, "dark")])
def test_a_comparison_fits_every_screen_and_is_usable_by_everyone(
    browser: Browser, app: App, provider: ProviderServer, width: int, theme: Literal["light", "dark"]
) -> None:
    provider.forget()
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=theme, reduced_motion="reduce")
    watched = Watched(page, app)
    watched.open()
    compare(page)
    watched.ask("Does it fit?")
    expect(page.get_by_role("button", name="A is better")).to_be_enabled()
    fits(page, width)
    page.get_by_role("button", name="A is better").click()
    expect(column(page, "A")).to_contain_text("Hello from writer.")
    expect(page.get_by_label("Tags")).to_be_visible()
    fits(page, width)
    watched.leave("/results")
    expect(page.get_by_role("main")).to_contain_text("Votes over time")
    fits(page, width)
    page.close()


def fits(page: Page, width: int) -> None:
    """Nothing is wider than the screen, and axe has nothing to say about what is ours."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ours = ["#moa-main", "#moa-versus"] if page.locator("#moa-main").count() else ["main"]
    found = Axe().run(page, context={"include": ours})
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found.response["violations"]] == []
