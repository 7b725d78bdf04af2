"""Model text in a real browser: rendered as Markdown, block by block, and inert whatever it contains."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from moa.ui.contract import TurnJson
from tests.web import hostile, turns
from tests.web.harness import Harness
from tests.web.turns import live, panel, running, settled, turn

pytestmark = pytest.mark.browser

# Everything a reader or a browser could set off in the page, at every element that a text brought along.
PROVOKE = """() => {
  for (const node of document.querySelectorAll('.moa-root *')) {
    if (node.closest('button, summary')) continue;
    for (const kind of ['click', 'mouseover', 'pointerenter', 'focus', 'error', 'load', 'toggle', 'animationstart'])
      if (!(kind === 'click' && node.closest('a'))) node.dispatchEvent(new Event(kind, { bubbles: true }));
  }
}"""


def everywhere(text: str) -> TurnJson:
    """A turn with one text in every place that shows one."""
    fields: dict[str, Any] = {
        "text": text,
        "reasoning": text,
        "note": text,
        "error": text,
        "model": text,
        "label": text,
    }
    return turn(
        question=text,
        recipe=text,
        notice=text,
        layers=[turns.layer(1, 1, **fields)],
        answer=panel("2.1", **fields),
        totals={"seconds": 1.0, "first": None, "calls": 1, "tokens": 1, "estimated": True, "cost": text},
    )


def test_B01_forty_attacks_run_nothing_in_a_turn(harness: Harness) -> None:
    assert len(hostile.XSS) >= 40
    for text in hostile.XSS:
        harness.settled(settled(everywhere(text)))
        harness.turn().locator("[data-layer]").evaluate("node => { node.open = true }")
        harness.page.evaluate(PROVOKE)
        assert harness.page.evaluate("window.hits") == 0, text
    assert harness.errors == []


def test_B01_forty_attacks_run_nothing_around_the_transcript(harness: Harness) -> None:
    at = "2026-11-24T12:00:00+00:00"
    entries = [{"id": text, "title": text, "at": at, "running": True, "pinned": False} for text in hostile.XSS]
    harness.send("moa-history", {"entries": entries, "current": None, "next": None})
    choices = [{"id": text, "label": text, "provider": text, "needs": text, "note": text} for text in hostile.XSS]
    picked = [{"model": text, "label": text, "count": 1} for text in hostile.XSS]
    harness.send("moa-mixer", {"choices": choices, "picked": picked, "max": 99})
    everything = "\n".join(hostile.XSS)
    welcome = {
        "title": everything,
        "sentence": everything,
        "examples": hostile.XSS,
        "model": everything,
        "hint": everything,
    }
    harness.settled(settled(conversation=None, welcome=welcome))
    harness.page.evaluate(PROVOKE)
    assert harness.page.evaluate("window.hits") == 0
    assert harness.errors == []


def test_B01_an_attack_that_streams_letter_by_letter_runs_nothing(harness: Harness) -> None:
    text = "<img src=x onerror=hit()> <svg onload=hit()> [a](javascript:hit()) $\\href{javascript:hit()}{x}$"
    for length in range(1, len(text) + 1, 3):
        harness.live(live(running(text=text[:length], answer=text[:length])))
    harness.page.evaluate(PROVOKE)
    assert harness.page.evaluate("window.hits") == 0


def test_B02_nothing_is_asked_of_another_host_before_a_click(harness: Harness) -> None:
    for text in hostile.REMOTE:
        harness.settled(settled(everywhere(text)))
        harness.turn().locator("[data-layer]").evaluate("node => { node.open = true }")
    harness.page.wait_for_load_state("networkidle")
    assert harness.foreign == []


def test_B02_remote_images_are_links_that_name_their_host(harness: Harness) -> None:
    shown = harness.show(
        "![chart](https://img.example/a.png)\n\n<img src='https://raw.example/b.png'> ![](data:image/png;base64,AA==)"
    )
    expect(shown.get_by_role("link", name="[image: img.example]")).to_have_attribute(
        "href", "https://img.example/a.png"
    )
    expect(shown.get_by_role("link", name="[image: raw.example]")).to_have_attribute(
        "rel", "noopener noreferrer nofollow ugc"
    )
    expect(shown).to_contain_text("[image]")
    expect(shown.locator("img")).to_have_count(0)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:x",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://a.example/x",
        "//evil.example",
        "/path",
        "#here",
        "intent://x",
    ],
)
def test_B03_links_elsewhere_than_web_and_mail_become_text(harness: Harness, address: str) -> None:
    shown = harness.show(f"<a href='{address}'>words</a> and [more]({address})")
    expect(shown).to_contain_text("words and more")
    expect(shown.locator("a")).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("[https://bank.com](https://evil.example/bank.com)", "(evil.example)"),
        ("[bank.com](https://bank.com.evil.example)", "(bank.com.evil.example)"),
        ("[link](https://\u0430pple.com)", "(xn--pple-43d.com)"),
        ("[\u202emoc.elpmaxe](https://evil.example)", "(evil.example)"),
        ("[pay\u200bpal](https://evil.example)", "(evil.example)"),
        ("[b\u0430nk.com](https://bank.com)", "(bank.com)"),
        ("<a href='https://evil.example'></a>", "(evil.example)"),
        ("[help@bank.com](mailto:thief@evil.example)", "(evil.example)"),
    ],
)
def test_B03_a_link_that_could_be_mistaken_shows_its_host(harness: Harness, text: str, host: str) -> None:
    link = harness.show(text).locator("a")
    expect(link).to_contain_text(host)
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
    expect(link).to_have_attribute("target", "_blank")


def test_B03_honest_links_stay_as_written_and_credentials_are_dropped(harness: Harness) -> None:
    shown = harness.show(
        "[the docs](https://docs.python.org/3/) https://www.python.org/ [x](https://google.com@evil.example/)"
    )
    expect(shown.locator("a").nth(0)).to_have_text("the docs")
    expect(shown.locator("a").nth(1)).to_have_text("https://www.python.org/")
    expect(shown.locator("a").nth(2)).to_have_attribute("href", "https://evil.example/")


def test_B04_forms_styles_and_fakes_of_the_page_are_stripped(harness: Harness) -> None:
    fake = """<form action="/login"><label>Password <input type=password></label><button>Log in</button></form>
<style>#moa-settled { display: none }</style>
<div class="moa-question" data-turn="fake" data-answer id="moa-send" role="dialog" style="position:fixed">Pay</div>
<dialog open>Pay</dialog><textarea>x</textarea><select><option>x</option></select>"""
    shown = harness.show(fake)
    forbidden = (
        "form, input, button, style, dialog, textarea, select, option, label, [id], [style], [data-turn], [role]"
    )
    expect(shown.locator(forbidden)).to_have_count(0)
    expect(shown.locator("[class]:not(.moa-block)")).to_have_count(0)
    expect(harness.turn()).to_be_visible()
    expect(harness.page.locator("[data-turn]")).to_have_count(1)


def test_B05_formulas_are_set_within_limits(harness: Harness) -> None:
    shown = harness.show(r"$a^2$ and \(b\), $$c$$ and \[d\]" + "\n\n\\[\n e\n\\]\n\nIt costs $5 or $10.")
    expect(shown.locator(".katex")).to_have_count(5)
    expect(shown).to_contain_text("It costs $5 or $10.")


@pytest.mark.parametrize(
    "bomb",
    [
        "\n\n".join(f"$x_{{{number}}}$" for number in range(201)),
        "$$" + "x+" * 900 + "$$\n\n" + "\n\n".join("$$" + "y+" * 900 + f"{number}$$" for number in range(12)),
    ],
)
def test_B05_past_the_limits_all_formulas_stay_plain(harness: Harness, bomb: str) -> None:
    shown = harness.show(bomb)
    expect(shown.locator(".moa-math code").first).to_be_visible()
    expect(shown.locator(".katex")).to_have_count(0)


@pytest.mark.parametrize(
    "tex",
    [
        r"\def\a{\a\a}\a",
        r"\def\a#1{\a{#1#1}}\a x",
        "{" * 900 + "}" * 900,
        r"\frac{1}{",
        r"\includegraphics{x}",
        r"\href{https://a.b}{x}",
    ],
)
def test_B05_one_bad_formula_stays_its_source_or_is_harmless(harness: Harness, tex: str) -> None:
    shown = harness.show(f"$${tex}$$ then $x$")
    expect(shown.locator(".katex").last).to_be_visible()
    expect(shown.locator("a, img")).to_have_count(0)


def test_B05_huge_sizes_are_held_and_mermaid_is_only_code(harness: Harness) -> None:
    shown = harness.show("$\\rule{9999em}{9999em}$\n\n```mermaid\ngraph TD; A-->B; click A call hit()\n```")
    expect(shown.locator(".katex")).to_be_visible()
    assert shown.bounding_box()["height"] < 1_000  # type: ignore[index]  # it is visible
    expect(shown.locator("svg:not(.moa-icon)")).to_have_count(0)


@pytest.mark.parametrize("name", hostile.BOMBS)
def test_B06_the_page_answers_a_click_whatever_markdown_it_shows(harness: Harness, name: str) -> None:
    bomb = hostile.BOMBS[name][:32_000]
    harness.show(bomb)
    harness.page.get_by_role("button", name="Regenerate").click(timeout=5_000)
    assert harness.events()[-1]["event"] == "regenerate"
    assert harness.errors == []


def test_B06_a_bomb_is_shown_as_plain_text_with_a_word_why(harness: Harness) -> None:
    shown = harness.show(hostile.BOMBS["stars"])
    expect(shown.locator("pre.moa-plain")).to_have_text(hostile.BOMBS["stars"])
    expect(shown).to_contain_text("Shown as plain text")


def test_text_beyond_the_formatted_length_follows_as_plain_text(harness: Harness) -> None:
    shown = harness.show("A **word** in a sentence of some length.\n\n" * 800 + "the end")
    expect(shown.locator("strong").first).to_be_visible()
    expect(shown.locator("pre.moa-plain")).to_contain_text("the end")


def test_only_the_block_that_grows_is_rendered_again(harness: Harness) -> None:
    first = "# Title\n\nA paragraph.\n\n- one\n- two\n\nNow "
    harness.live(live(running(answer=first)))
    harness.page.evaluate("window.kept = [...document.querySelectorAll('[data-answer] .moa-md > *')].slice(0, 3)")
    for word in (
        "this",
        "this grows",
        "this grows.\n\n```python\nx = 1",
        "this grows.\n\n```python\nx = 1\ny = 2\n```\n\nEnd",
    ):
        harness.live(live(running(answer=first + word)))
        assert harness.page.evaluate("kept.every(node => node.isConnected)")
    harness.live(live(turn(answer=panel("2.1", text=first + word)), ended=True))
    assert harness.page.evaluate("kept.every(node => node.isConnected)")


def test_streamed_and_loaded_text_look_the_same(harness: Harness) -> None:
    for length in range(1, len(turns.ANSWER), 17):
        harness.live(live(running(1, answer=turns.ANSWER[:length])))
    harness.live(live(turn(1), ended=True))
    harness.settled(settled(turn(1), turn(2)))
    expect(harness.answer(2).locator(".hljs-keyword").first).to_be_visible()
    expect(harness.answer(2).locator(".katex")).to_have_count(14)
    html = "number => document.querySelector(`[data-turn=turn${number}] [data-answer] .moa-md`).innerHTML"
    assert harness.page.evaluate(html, 1) == harness.page.evaluate(html, 2)


def test_code_is_coloured_named_and_keeps_its_element_while_it_grows(harness: Harness) -> None:
    harness.live(live(running(answer="```python\ndef f():\n")))
    harness.page.evaluate("window.kept = document.querySelector('[data-answer] .moa-code')")
    harness.live(live(running(answer="```python\ndef f():\n    return '<b>' & 1\n")))
    assert harness.page.evaluate("kept.isConnected")
    code = harness.answer().locator(".moa-code")
    expect(code.locator("figcaption")).to_contain_text("python")
    expect(code.locator(".hljs-keyword").first).to_have_text("def")
    expect(code.locator("code")).to_have_text("def f():\n    return '<b>' & 1")


def test_markdown_of_chats(harness: Harness) -> None:
    shown = harness.show(
        "# One\n\n- [x] done\n- [ ] open\n\n1. a\n   - b\n\n| a | b |\n|--|--:|\n| 1 | 2 |\n\nH<sub>2</sub>O<br>x"
    )
    expect(shown.locator("h3")).to_have_text("One")
    expect(shown).to_contain_text("☑ done")
    expect(shown.locator("ol > li > ul > li")).to_have_text("b")
    expect(shown.locator("[tabindex] > table td").last).to_have_attribute("align", "right")
    expect(shown.locator("sub")).to_have_text("2")
