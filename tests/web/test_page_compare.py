"""Comparisons on the page: what Send, the votes and a link do, and what a hidden comparison tells."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from moa.chat.values import Actor, Comparison, ConversationView, TurnView, Vote
from moa.core.domain import Agent, Part, Recipe
from moa.core.errors import InputRefused
from moa.core.view import RunView
from moa.ui import render
from moa.ui.mixture import of_recipe
from moa.ui.versus import Opponent, Versus, choices, recipes
from tests.support.page import LOCAL, NOW, SINGLE, SMALL, FakeChat, FakeModels, Page, served, turn_view
from tests.web.test_page import refusal, state

BAR = {"on": True, "picked": [{"system": "aggregator", "temperature": None}], "blind": True, "reuse": False}
KEY = "0123456789abcdef0123456789abcdef"


def compared(*, blind: bool = True, live: bool = False) -> TurnView:
    """Turn "t1": the mixture in column 1 stands on the right."""
    second = replace(turn_view("t1", "r2", RunView(recipe=SINGLE), live=live), column=2)
    return replace(
        turn_view("t1", "r1", RunView(recipe=LOCAL)), columns=(second,), comparison=Comparison((2, 1), blind)
    )


@pytest.fixture
def chat() -> FakeChat:
    return FakeChat({"c1": ConversationView("c1", "Sky", "t1", (compared(),))})


@pytest.fixture
async def page(chat: FakeChat) -> AsyncIterator[Page]:
    async with served(chat) as opened:
        yield opened


def bar_inputs(page: Page, bar: object) -> list[Any]:
    inputs = page.start_inputs("Why?", "c1", "t1")
    inputs[-2] = bar
    return inputs


async def test_send_asks_in_columns_while_the_compare_bar_is_on(page: Page, chat: FakeChat) -> None:
    bar = {
        **BAR,
        "choices": [],
        "picked": [
            {"system": "recipe:single", "temperature": 0.5},
            {"system": f"model:{SMALL}", "temperature": ""},
        ],
        "blind": False,
        "reuse": True,
    }
    await page.fire("start", bar_inputs(page, bar))
    (asked,) = chat.named("compare")
    assert chat.named("send") == []
    assert (asked["question"], asked["conversation_id"], asked["expected_head"]) == ("Why?", "c1", "t1")
    assert (asked["blind"], asked["reuse"], asked["request_key"]) == (False, True, KEY)
    assert [recipe.id for recipe in asked["recipes"]] == ["local", "single", "local"]
    single, alone, own = page.made
    assert (own.base, own.layers) == ("local", 2)
    assert (single.base, single.layers, single.temperature) == ("single", 1, 0.5)
    assert (alone.base, alone.aggregator, alone.layers, alone.picked) == ("local", SMALL, 1, ())


async def test_an_edited_question_is_asked_in_columns_too(page: Page, chat: FakeChat) -> None:
    inputs = [*page.settings(), BAR, KEY]
    await page.fire("edit", inputs, event={"turn": "t1", "question": "Why not?"})
    (asked,) = chat.named("compare")
    assert (asked["instead"], asked["question"], len(asked["recipes"])) == ("t1", "Why not?", 2)


@pytest.mark.parametrize(
    "bar",
    [
        {**BAR, "picked": []},
        {**BAR, "picked": BAR["picked"] * 4},  # type: ignore[operator]
        {**BAR, "picked": "aggregator"},
        {**BAR, "picked": ["aggregator"]},
        {**BAR, "picked": [{"system": 7}]},
        {**BAR, "picked": [{"system": "recipe:gone"}]},
        {**BAR, "picked": [{"system": "gone"}]},
        {**BAR, "picked": [{"system": "aggregator", "temperature": 3}]},
        {**BAR, "picked": [{"system": "aggregator", "temperature": True}]},
    ],
)
async def test_what_can_not_be_compared_is_refused_and_nothing_is_sent(page: Page, chat: FakeChat, bar: object) -> None:
    assert refusal(await page.fire("start", bar_inputs(page, bar)))
    assert chat.named("compare") == chat.named("send") == []


async def test_a_bar_that_is_off_or_odd_compares_nothing(page: Page, chat: FakeChat) -> None:
    bars: tuple[object, ...] = ({**BAR, "on": False}, {**BAR, "on": "yes"}, None, 7, [])
    for bar in bars:
        await page.fire("start", bar_inputs(page, bar))
    assert len(chat.named("send")) == 5


async def test_a_hidden_comparison_tells_what_was_said_and_nothing_of_who(page: Page) -> None:
    (message,) = await page.fire("load", ["c1"])
    (turn,) = state(message)["settled"]["turns"]
    found = turn["comparison"]
    assert (found["hidden"], found["votable"], found["vote"]) == (True, True, None)
    assert [column["side"] for column in found["columns"]] == ["A", "B"]
    told = json.dumps(turn)
    for name in ("Built in", "One model", "Small", "Careful", SMALL, "r2"):
        assert name not in told
    left, right = (column["turn"] for column in found["columns"])
    assert left == json.loads(json.dumps(right).replace("t1-B", "t1-A").replace('"slot": "B"', '"slot": "A"'))
    assert render.turn_json(compared(), FakeModels().label) == turn  # what /moa/turns/t1 tells


async def test_a_vote_names_the_run_on_its_side(page: Page, chat: FakeChat) -> None:
    for choice, run in (("A", "r2"), ("B", "r1"), ("tie", "tie"), ("bad", "bad")):
        await page.fire("vote", ["c1", "@5"], event={"turn": "t1", "choice": choice})
        assert chat.named("vote")[-1] == {"actor": Actor("local"), "turn_id": "t1", "choice": run}
    for odd in ("C", "r1", "", None, 7, ["A"]):
        assert refusal(await page.fire("vote", ["c1", "@5"], event={"turn": "t1", "choice": odd}))
    assert len(chat.named("vote")) == 4


async def test_tags_reach_the_comparison(page: Page, chat: FakeChat) -> None:
    await page.fire("tag", ["c1", ""], event={"turn": "t1", "tags": ["maths", "short"]})
    assert chat.named("tag") == [{"actor": Actor("local"), "turn_id": "t1", "tags": ["maths", "short"]}]
    assert refusal(await page.fire("tag", ["c1", ""], event={"turn": "t1", "tags": "maths"}))
    assert refusal(await page.fire("tag", ["c1", ""], event={"turn": "t1", "tags": [7]}))


async def test_a_column_is_written_again_by_its_side(page: Page, chat: FakeChat) -> None:
    await page.fire("regenerate_column", [KEY], event={"turn": "t1", "side": "A"})
    (again,) = chat.named("regenerate_column")
    assert (again["turn_id"], again["column"], again["request_key"]) == ("t1", 2, KEY)
    assert refusal(await page.fire("regenerate_column", [KEY], event={"turn": "t1", "side": "C"}))


async def test_a_comparison_runs_until_its_last_column_has_ended(page: Page, chat: FakeChat) -> None:
    chat.conversations["c1"] = ConversationView("c1", "Sky", "t1", (compared(live=True),))
    shown = state((await page.fire("load", ["c1"]))[0])
    assert (shown["run"], shown["send"]["interactive"]) == ("r1", False)
    assert shown["settled"]["turns"] == []
    live = shown["live"]
    assert (live["ended"], live["turn"]["status"], live["turn"]["comparison"]["votable"]) == (False, "running", False)


async def test_the_estimate_adds_all_columns_up_and_a_blind_one_names_nobody(page: Page) -> None:
    (told,) = await page.fire("estimate", [*page.settings(), BAR, ""])
    summary = told["output"]["data"][0]
    assert summary.startswith("Comparison of 2, blind · ")
    (seen,) = await page.fire("estimate", [*page.settings(), {**BAR, "blind": False}, ""])
    assert seen["output"]["data"][0].startswith("Built in / ")


def panel_values(message: dict[str, Any]) -> list[Any]:
    assert message["success"], message
    return list(message["output"]["data"])


async def fire_link(page: Page, link: object) -> tuple[Any, Any, Any]:
    """The composer's text, the recipe and the compare bar that a link gives."""
    index = next(i for i, fn in page.blocks.fns.items() if fn.name == "load" and len(fn.outputs) == 11)
    body = {"fn_index": index, "data": [link], "session_hash": "page-1", "event_data": None, "trigger_id": None}
    assert (await page.client.post("/gradio_api/queue/join", json=body)).status_code == 200
    (message,) = [message async for message in page.messages()]
    question, recipe, *_, bar = panel_values(message)
    return question, recipe["value"], bar


async def test_a_link_fills_the_page_in_and_sends_nothing(page: Page, chat: FakeChat) -> None:
    question, recipe, bar = await fire_link(
        page, {"q": " Why? ", "recipe": "single", "vs": f"local, {SMALL},aggregator"}
    )
    assert (question, recipe) == ("Why?", "single")
    assert [one["system"] for one in bar["picked"]] == ["recipe:local", f"model:{SMALL}", "aggregator"]
    assert (bar["on"], bar["blind"]) == (True, True)
    _, _, seen = await fire_link(page, {"vs": "single", "blind": "0"})
    assert seen["blind"] is False
    assert chat.calls == []


async def test_a_link_that_names_what_is_not_there_fills_in_the_rest(page: Page) -> None:
    links: tuple[object, ...] = (
        None, 7, [], {"q": 7, "recipe": ["x"], "vs": {}}, {"recipe": "gone", "vs": "gone,../../etc"},
    )  # fmt: skip
    for odd in links:
        question, recipe, bar = await fire_link(page, odd)
        assert (question, recipe, bar["on"]) == ({"__type__": "update"}, "local", False)
    link = {"vs": f"gone,local,far/big,aggregator,single,aggregator,{SMALL}", "recipe": "local"}
    _, _, bar = await fire_link(page, link)
    assert [one["system"] for one in bar["picked"]] == ["aggregator", "recipe:single", f"model:{SMALL}"]


async def test_what_a_toast_repeats_is_text_and_never_markup(page: Page, chat: FakeChat) -> None:
    await page.join("load", ["c1"], session="page-2")  # opens the stream that toasts come by
    index = next(i for i, fn in page.blocks.fns.items() if fn.name == "load" and len(fn.outputs) == 11)
    evil = {"recipe": "<img src=x>", "vs": "<b>a</b>"}
    body = {"fn_index": index, "data": [evil], "session_hash": "page-2", "event_data": None, "trigger_id": None}
    await page.client.post("/gradio_api/queue/join", json=body)
    async with page.client.stream("GET", "/gradio_api/queue/data?session_hash=page-2") as stream:
        lines = [line async for line in stream.aiter_lines() if '"log"' in line]
    assert lines
    assert "&lt;img src=x&gt;, &lt;b&gt;a&lt;/b&gt;" in lines[0]
    assert "<" not in lines[0]
    chat.fault = InputRefused("There is no model <b>x</b> here.")
    assert (
        refusal(await page.fire("start", page.start_inputs("Why?"))) == "There is no model &lt;b&gt;x&lt;/b&gt; here."
    )


async def test_systems_that_would_share_a_name_are_told_apart(page: Page, chat: FakeChat) -> None:
    twice = [{"system": "recipe:single", "temperature": None}, {"system": f"model:{SMALL}", "temperature": None}]
    await page.fire("start", bar_inputs(page, {**BAR, "picked": twice}))
    (asked,) = chat.named("compare")
    titles = [recipe.title for recipe in asked["recipes"]]
    assert len({recipe.digest for recipe in asked["recipes"]}) == len(set(titles))


async def test_a_vote_for_other_texts_than_those_shown_is_told_as_that() -> None:
    voted = replace(compared(), vote=Vote("r1", ("r2", "r1"), blind=True, at=NOW))
    told = render.turn_json(voted, FakeModels().label)["comparison"]
    assert told is not None
    assert told["vote"] == {"choice": "B", "blind": True, "stale": False}
    again = replace(voted, columns=(replace(voted.columns[0], run_id="r3"),))
    told = render.turn_json(again, FakeModels().label)["comparison"]
    assert told is not None
    assert told["vote"] == {"choice": "B", "blind": True, "stale": True}
    assert told["hidden"] is False


async def test_a_model_alone_has_nobody_to_stand_in_for_it() -> None:
    spare = Agent("far/big", Part.AGGREGATOR)
    backed = replace(SINGLE, id="backed", fallbacks=(spare,))

    def unchanged(base: Recipe, _: object) -> Recipe:
        return base

    made = recipes(Versus(True, (Opponent("aggregator"),)), of_recipe(backed), {"backed": backed}, unchanged)
    assert [recipe.fallbacks for recipe in made] == [(spare,), ()]
    needs = {
        one["id"]: one["needs"]
        for one in choices({"backed": replace(backed, aggregator=spare)}, FakeModels().choices())
    }
    assert needs == {
        "aggregator": None,
        "recipe:backed": "FAR_API_KEY",
        f"model:{SMALL}": None,
        "model:far/big": "FAR_API_KEY",
    }
