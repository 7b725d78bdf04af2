"""Why this answer: the switch, what it draws, and that each sentence is found in the rendered answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from moa.chat.why import Why, explanation
from moa.core.domain import Agent, Proposal, Slot
from moa.evals.sentences import sentences
from moa.ui.contract import TurnJson
from tests.web.harness import Harness
from tests.web.turns import ANSWER, CJK, layer, panel, running, settled, turn

pytestmark = pytest.mark.browser

SAID = "Owls hunt at night. They hear a mouse under snow. Their feathers make no noise."
PROPOSALS = (
    "Owls hunt at night. The moon has nothing to do with <b>any of their habits</b>.",
    "It is said that they hear a mouse under snow. Owls hunt at night, and sleep in holes of old trees by day.",
    "Falcons are faster than every other bird that people have measured.",
)
TEXT_OF = """const textOf = (place) => {
  if (place === null) return null;
  const range = document.createRange();
  range.setStart(place.startContainer, place.startOffset);
  range.setEnd(place.endContainer, place.endOffset);
  return range.toString();
};"""


def why_of(answer: str, texts: Sequence[str], run: str = "run1", layer: int = 1) -> Why:
    """What the server tells of an answer."""
    made = [Proposal(Slot(layer, place), Agent("m"), text) for place, text in enumerate(texts, 1)]
    return explanation(run, answer, made)


def asked(number: int = 1, said: str = SAID, **changes: Any) -> TurnJson:
    """A turn with an answer from three proposals."""
    return turn(number, **{"answer": panel("2.1", text=said, label=None), **changes})


@dataclass
class Told:
    """What the route answers, by turn; None is an answer that never comes from us. Counts who asked."""

    page: Page
    whys: dict[str, Why | None] = field(default_factory=dict)
    broken: bool = False
    held: list[Route] | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        """Answer one request; while ``held`` is a list it only waits there."""
        if self.held is not None:
            self.held.append(route)
            return
        id_ = route.request.url.split("/")[-2]
        self.asked.append(id_)
        body = json.dumps({"why": self.whys.get(id_)})
        route.fulfill(status=503 if self.broken else 200, content_type="application/json", body=body)


@pytest.fixture
def told(harness: Harness) -> Iterator[Told]:
    made = Told(harness.page, {"turn1": why_of(SAID, PROPOSALS)})
    harness.page.route("**/moa/turns/*/why", made.answer)
    yield made
    harness.page.unroute("**/moa/turns/*/why")


def switch(harness: Harness, number: int = 1) -> Locator:
    """The button below an answer."""
    return harness.answer(number).get_by_role("button", name="Why this answer", exact=True)


def box(harness: Harness, number: int = 1) -> Locator:
    """What it opens."""
    return harness.answer(number).get_by_role("region", name="Why this answer")


def tinted(harness: Harness) -> dict[str, list[str]]:
    """The tinted texts, by colour."""
    script = f"""() => {{
      {TEXT_OF}
      return Object.fromEntries([...CSS.highlights].map(([name, all]) => [name, [...all].map(textOf)]));
    }}"""
    return dict(harness.page.evaluate(script))


def places(harness: Harness, said: list[str]) -> list[str | None]:
    """Where the sentences of the answer shown are found, as the texts there."""
    script = f"""async (said) => {{
      {TEXT_OF}
      const {{ placesOf }} = await import("/moa-static/js/why-places.js");
      return placesOf(document.querySelector("[data-answer] .moa-md"), said).map(textOf);
    }}"""
    return list(harness.page.evaluate(script, said))


ALL = {
    "moa-voice-1": ["Owls hunt at night."],
    "moa-voice-2": ["They hear a mouse under snow."],
}


def test_the_switch_tints_compares_and_takes_all_of_it_away_again(harness: Harness, told: Told) -> None:
    harness.settled(settled(asked()))
    before = harness.answer().locator(".moa-md").inner_html()
    switch(harness).click()
    expect(switch(harness)).to_have_attribute("aria-expanded", "true")
    legend = box(harness).get_by_role("list", name="Proposers").get_by_role("button")
    expect(legend).to_have_count(3)
    expect(legend.nth(0)).to_contain_text("1 of 3 sentences")
    expect(legend.nth(2)).to_contain_text("0 of 3 sentences")
    assert tinted(harness) == ALL
    assert harness.answer().locator(".moa-md").inner_html() == before
    first = told.whys["turn1"]
    assert first is not None
    share = f"{round(first['overlaps'][0] * 100)} %"
    expect(harness.turn().locator('[data-slot="1.1"].moa-panel .moa-overlap')).to_have_attribute(
        "aria-label", f"Overlap with the answer {share}"
    )
    switch(harness).click()
    expect(box(harness)).to_have_count(0)
    assert tinted(harness) == {}
    expect(harness.turn().locator(".moa-panel .moa-overlap:not([hidden])")).to_have_count(0)
    switch(harness).click()
    assert tinted(harness) == ALL
    assert told.asked == ["turn1"]


def test_the_matrix_and_what_only_one_said_are_drawn_as_text(harness: Harness, told: Told) -> None:
    harness.settled(settled(asked()))
    switch(harness).click()
    table = box(harness).get_by_role("table", name="How alike the proposals are")
    assert [row.split("\t")[1:] for row in table.inner_text().split("\n") if "%" in row][2][2] == "–"
    expect(table.get_by_role("rowheader")).to_have_text(
        ["1Careful · SmolLM2 135M", "2Lively · SmolLM2 135M", "3Llama 3.3 70B Instruct Turbo"]
    )
    alone = box(harness).get_by_role("group", name="Only one said")
    expect(alone).to_contain_text("The moon has nothing to do with <b>any of their habits</b>.")
    expect(alone.locator("b")).to_have_count(0)
    expect(alone.get_by_role("definition").last).to_have_text(PROPOSALS[2])


def test_an_entry_leaves_only_its_own_sentences_tinted(harness: Harness, told: Told) -> None:
    harness.settled(settled(asked()))
    switch(harness).click()
    legend = box(harness).get_by_role("list", name="Proposers").get_by_role("button")
    first, second, third = (legend.nth(place) for place in range(3))
    second.hover()
    assert tinted(harness) == {"moa-voice-2": ALL["moa-voice-2"]}
    third.hover()
    assert tinted(harness) == {}
    harness.page.mouse.move(0, 0)
    assert tinted(harness) == ALL
    box(harness).get_by_role("checkbox", name="Tint sentences").focus()
    harness.page.keyboard.press("Tab")
    expect(first).to_be_focused()
    assert tinted(harness) == {"moa-voice-1": ALL["moa-voice-1"]}
    first.press("Enter")
    expect(first).to_have_attribute("aria-pressed", "true")
    harness.page.keyboard.press("Shift+Tab")
    assert tinted(harness) == {"moa-voice-1": ALL["moa-voice-1"]}
    harness.page.keyboard.press("Space")
    assert tinted(harness) == {}


def test_it_is_offered_where_an_ended_answer_has_two_proposals(harness: Harness, told: Told) -> None:
    one = {**layer(1), "panels": [panel("1.1"), panel("1.2", "failed"), panel("1.3", "stopped")]}
    turns = [
        asked(1),
        asked(2, layers=[one]),
        asked(3, layers=[]),
        asked(4, answer=panel("1.2")),
        asked(5, answer=None),
        asked(6, layers=[layer(1), {**layer(2), "panels": [panel("2.1"), panel("2.2", "failed")]}]),
        asked(7, layers=[layer(1), layer(2, status="failed"), {**layer(3, 1), "kind": "analysis"}]),
    ]
    turns[5]["answer"] = turns[6]["answer"] = panel("3.2")
    harness.settled(settled(*turns))
    assert [switch(harness, turn["position"]).count() for turn in turns] == [1, 0, 0, 0, 0, 0, 1]
    harness.reset()
    harness.live({"conversation": "talk1", "turn": running(1, answer=SAID), "ended": False})
    expect(switch(harness)).to_have_count(0)


def test_a_failure_is_told_and_tried_again(harness: Harness, told: Told) -> None:
    told.broken = True
    harness.settled(settled(asked()))
    switch(harness).click()
    expect(box(harness)).to_contain_text("The texts could not be compared.")
    told.broken = False
    box(harness).get_by_role("button", name="Try again").press("Enter")
    expect(switch(harness)).to_be_focused()
    expect(box(harness).get_by_role("table")).to_have_count(1)
    assert tinted(harness) == ALL


def test_what_has_nothing_to_tell_says_so(harness: Harness, told: Told) -> None:
    told.whys["turn1"] = None
    harness.settled(settled(asked()))
    switch(harness).click()
    expect(box(harness)).to_contain_text("There is nothing to compare here.")


def test_an_explanation_of_another_attempt_is_not_shown(harness: Harness, told: Told) -> None:
    told.held = []
    harness.settled(settled(asked(run="run1", attempts=["run1", "run2"])))
    with harness.page.expect_request("**/why"):
        switch(harness).click()
    expect(box(harness)).to_contain_text("Comparing the texts")
    harness.settled(settled(asked(run="run2", attempts=["run1", "run2"])))
    expect(box(harness)).to_have_count(0)
    late, told.held = told.held[0], None
    with harness.page.expect_response("**/why"):
        told.answer(late)
    assert tinted(harness) == {}
    switch(harness).click()  # the server still says run1: another page stepped back
    expect(box(harness)).to_contain_text("The texts could not be compared.")
    assert tinted(harness) == {}


def test_two_answers_are_tinted_side_by_side_and_one_that_is_gone_is_forgotten(harness: Harness, told: Told) -> None:
    told.whys["turn2"] = why_of(SAID, PROPOSALS, "run2")
    harness.settled(settled(asked(1), asked(2)))
    for number in (1, 2):
        switch(harness, number).click()
        expect(box(harness, number).get_by_role("table")).to_have_count(1)
    assert tinted(harness) == {name: said * 2 for name, said in ALL.items()}
    switch(harness, 1).click()
    assert tinted(harness) == ALL
    harness.settled(settled(asked(1), conversation="talk2"))
    switch(harness, 1).click()
    expect(box(harness, 1).get_by_role("table")).to_have_count(1)
    assert tinted(harness) == ALL


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        CJK,
        'See [the *whole* list](https://example.org/a_(b) "Title 1") now. Then `x = 1` &amp; so.\n\n3. Third\n4. Last!',
        "Yes. Yes. Yes.\n\n- No.\n- No.",
        "A <kbd>Ctrl</kbd> key, $a_1$. हिन्दी में लिखा है। 😀 Smile twice 😀. 𝒳 is a set.",
        "```js\nconst a = 1;\n```\n\nAfter it: \\(x^2\\).\n\n~~~\nplain\n~~~",
    ],
    ids=["answer", "cjk", "link", "same", "scripts", "fences"],
)  # fmt: skip
def test_each_sentence_is_found_where_it_is_shown(harness: Harness, text: str) -> None:
    harness.settled(settled(asked(said=text)))
    said = [text[span.start : span.end] for span in sentences(text)]
    found = places(harness, said)
    assert [one for one, shown in zip(said, found, strict=True) if shown is None and re.search(r"\w", one)] == []
    for one, shown in zip(said, found, strict=True):
        first, last = words(one)[0], words(one)[-1]
        assert shown is None or (first in shown and last in shown), one


def words(markdown: str) -> list[str]:
    """The words of a sentence that are seen: nothing of links' addresses, formulas, fences and items' numbers."""
    seen = re.sub(r"\]\(.*\)|\$.*?\$|\\\(.*?\\\)|^(```|~~~).*$|^\d+\.|<.*?>|&\w+;", " ", markdown, flags=re.MULTILINE)
    return re.findall(r"\w+", seen) or [""]


def test_a_sentence_that_is_not_shown_costs_no_other_its_place(harness: Harness) -> None:
    harness.settled(settled(asked(said="First one. Second one. Third one.")))
    assert places(harness, ["First one.", "Never there.", "…", "Third one."]) == [
        "First one.",
        None,
        None,
        "Third one.",
    ]


def test_a_sentence_is_not_looked_for_far_from_its_place(harness: Harness) -> None:
    harness.settled(settled(asked(said="One. " + "More and more. " * 50 + "Two.")))
    assert places(harness, ["One.", "Two."]) == ["One.", None]


def test_the_page_stays_where_the_reader_turned_it_on(harness: Harness, told: Told) -> None:
    harness.page.set_viewport_size({"width": 800, "height": 400})
    harness.settled(settled(asked(1), asked(2)))
    told.whys["turn2"] = why_of(SAID, PROPOSALS, "run2")
    harness.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    before = switch(harness, 2).bounding_box()
    switch(harness, 2).click()
    expect(box(harness, 2).get_by_role("table")).to_have_count(1)
    harness.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert switch(harness, 2).bounding_box() == before


def test_long_names_and_tables_stay_within_a_phone(harness: Harness, told: Told) -> None:
    harness.page.set_viewport_size({"width": 390, "height": 800})
    twelve = [panel(f"1.{place}", model="A model with a very long name " * 3) for place in range(1, 13)]
    told.whys["turn1"] = why_of(SAID, [f"{PROPOSALS[place % 3]} Place {place}." for place in range(12)])
    harness.settled(settled(asked(layers=[{**layer(1), "panels": twelve}])))
    switch(harness).click()
    expect(box(harness).get_by_role("list", name="Proposers").get_by_role("button")).to_have_count(12)
    assert harness.page.evaluate("document.documentElement.scrollWidth") == 390
