"""The composer's keys and draft, request keys, theme and address, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.web.harness import Harness, StaticServer

pytestmark = pytest.mark.browser

COMPOSED_ENTER = """node => node.dispatchEvent(new KeyboardEvent(
  'keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))"""


def sent(harness: Harness) -> list[str]:
    """What the send button was pressed with."""
    return [event["payload"] for event in harness.events() if event["id"] == "moa-send"]


def test_enter_sends_and_shift_enter_starts_a_line(harness: Harness) -> None:
    box = harness.page.get_by_label("Message")
    box.fill("One")
    box.press("Shift+Enter")
    box.press_sequentially("two")
    assert sent(harness) == []
    box.press("Enter")
    assert sent(harness) == ["One\ntwo"]


def test_an_input_methods_enter_sends_nothing(harness: Harness) -> None:
    box = harness.page.get_by_label("Message")
    box.fill("にほん")
    assert box.evaluate(COMPOSED_ENTER)
    assert sent(harness) == []


def test_nothing_is_sent_when_blank_or_while_sending_is_off(harness: Harness) -> None:
    box = harness.page.get_by_label("Message")
    box.fill("   ")
    box.press("Enter")
    box.fill("Kept")
    for off in ("disabled", "hidden"):
        harness.page.evaluate("name => document.getElementById('moa-send').toggleAttribute(name, true)", off)
        box.press("Enter")
        harness.page.evaluate("name => document.getElementById('moa-send').toggleAttribute(name, false)", off)
    assert sent(harness) == []
    expect(box).to_have_value("Kept")


def test_the_composer_has_the_focus_and_a_draft_survives_a_reload(page: Page, server: StaticServer) -> None:
    Harness(page, server)
    box = page.get_by_label("Message")
    expect(box).to_be_focused()
    box.fill("A long thought")
    page.reload()
    expect(box).to_have_value("A long thought")
    box.fill("")
    page.reload()
    page.wait_for_function("window.ready === true")
    expect(box).to_have_value("")


def test_a_submit_keeps_its_key_until_something_about_it_changes(harness: Harness) -> None:
    def key(message: str, head: str, binding: int = 2) -> str:
        inputs = [message, head, "settings", ""]
        filled = harness.page.evaluate("([all, binding]) => window.moa.keyed(all, binding)", [inputs, binding])
        assert filled[:3] == inputs[:3]
        key, _, at = str(filled[3]).partition("@")
        assert float(at) > 0
        return key

    first = key("Why?", "head1")
    assert len(first) == 32
    assert key("Why?", "head1") == first
    assert key("Why?", "head2") != first
    assert key("How?", "head2") != key("Why?", "head2")
    again = key("", "", binding=0)
    assert key("", "", binding=0) == again


def test_theme_is_switched_and_remembered(page: Page, server: StaticServer) -> None:
    Harness(page, server)
    page.evaluate("window.moa.toggleTheme()")
    expect(page.locator("body")).to_have_class("gradio-container dark")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.reload()
    expect(page.locator("body")).to_have_class("gradio-container dark")


def test_the_address_names_the_conversation(page: Page, server: StaticServer) -> None:
    Harness(page, server, "?x=1")
    page.evaluate("window.moa.shown('talk1')")
    assert page.url == f"{server.url}/?x=1&c=talk1"
    page.evaluate("window.moa.shown('')")
    assert page.url == f"{server.url}/?x=1"


def test_a_conversation_has_the_link_that_it_began_with_behind_it(page: Page, server: StaticServer) -> None:
    Harness(page, server, "?q=Why%20so&recipe=local&vs=small&blind=0&x=1")
    page.evaluate("window.moa.shown('')")
    assert page.url == f"{server.url}/?q=Why%20so&recipe=local&vs=small&blind=0&x=1"
    page.evaluate("window.moa.shown('talk1')")
    assert page.url == f"{server.url}/?x=1&c=talk1"


@pytest.mark.parametrize("dark", [False, True])
def test_text_colours_reach_aa_on_their_surfaces(page: Page, server: StaticServer, dark: bool) -> None:
    Harness(page, server)
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
    ratios = page.evaluate(
        """pairs => pairs.map(([text, ground]) => {
          const probe = document.body.appendChild(document.createElement('i'));
          const light = (name) => {
            probe.style.color = `var(--moa-${name})`;
            const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map((v) => {
              const c = v / 255;
              return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
          };
          const [a, b] = [light(text), light(ground)];
          return [text, ground, Math.max(a, b) / Math.min(a, b)];
        })""",
        PAIRS,
    )
    assert [pair for pair in ratios if pair[2] < 4.5] == []


PAIRS = [
    [text, ground]
    for ground in ("bg", "surface", "sunken")
    for text in ("ink", "soft", "accent", "danger", "warn", "ok")
] + [
    ["on-accent", "accent"],
    ["on-accent", "accent-strong"],
    ["danger", "danger-soft"],
    ["warn", "warn-soft"],
    ["ink", "accent-soft"],
    ["soft", "accent-soft"],
    *[[f"code-{part}", "sunken"] for part in ("comment", "keyword", "string", "number", "title", "type")],
]
