"""Why an answer reads as it does: which texts are compared, what is told of them, and that it is found out once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from moa.chat.values import Comparison, TurnView
from moa.chat.why import Explainer, Why, explanation, sources
from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Layer,
    Outcome,
    Part,
    PromptStyle,
    Proposal,
    Recipe,
    RunResult,
    Slot,
    Status,
)
from moa.core.view import RunView, fold_all, replay
from tests.chat.conftest import ANNA, World
from tests.support.server import Answer, HttpError

WRITER = Agent("agg", Part.AGGREGATOR)
OWLS = "Owls hunt at night. The moon has nothing to do with any of their habits."
SNOW = "It is said that they hear a mouse under snow. Owls hunt at night, and sleep in old trees by day."
ANSWER = "# Owls 😀\n\nOwls hunt at night. They hear a mouse under snow.\n\n---\n\nNobody knows the rest of it."


def said(slot: tuple[int, int], text: str, part: Part = Part.PROPOSER) -> Proposal:
    return Proposal(Slot(*slot), Agent(f"m{slot[1]}", part), text)


def failed(slot: tuple[int, int], part: Part = Part.PROPOSER, partial: str = "") -> Failure:
    return Failure(Slot(*slot), Agent(f"m{slot[1]}", part), FailureKind.DROPPED, "It broke off.", partial=partial)


def turn(*outcomes: Outcome, answer: tuple[int, int] | None = (2, 1), run: str = "run1") -> TurnView:
    """A turn whose run ended with these outcomes."""
    status = Status.COMPLETE if answer else Status.FAILED
    result = RunResult(status, "", Slot(*answer) if answer else None, outcomes)
    recipe = Recipe("test", "Test", (Layer((Agent("m1"),)),), WRITER)
    plan = tuple((outcome.slot, outcome.agent) for outcome in outcomes)
    return TurnView("turn1", "talk1", "Why?", run, fold_all(replay(recipe, plan, outcomes, result)), live=False)


def answered(*proposals: Outcome, text: str = ANSWER, run: str = "run1") -> TurnView:
    return turn(*proposals, said((2, 1), text, Part.AGGREGATOR), run=run)


class Counted:
    """Explains, and notes of which run and slots."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def __call__(self, run_id: str, answer: str, proposals: Sequence[Proposal]) -> Why:
        self.asked.append((run_id, [str(proposal.slot) for proposal in proposals]))
        return explanation(run_id, answer, proposals)


async def test_sentences_overlap_agreement_and_dissent_are_told_as_json() -> None:
    why = await Explainer().why(answered(said((1, 1), OWLS), said((1, 2), SNOW)))
    assert why is not None
    assert json.loads(json.dumps(why)) == why
    assert (why["run"], why["slots"]) == ("run1", ["1.1", "1.2"])
    assert [(one["text"], one["slot"]) for one in why["sentences"]] == [
        ("# Owls 😀", "1.1"),
        ("Owls hunt at night.", "1.1"),
        ("They hear a mouse under snow.", "1.2"),
        ("Nobody knows the rest of it.", None),
    ]
    assert sum(why["overlaps"]) == pytest.approx(1, abs=0.001)
    assert why["agreement"][0][0] == why["agreement"][1][1] == 1
    assert 0 < why["agreement"][0][1] == why["agreement"][1][0] < 1
    assert why["dissents"][0] == ["The moon has nothing to do with any of their habits."]


async def test_a_long_dissent_is_cut() -> None:
    code = "```\n" + "\n".join(f"line {number} of a program" for number in range(200)) + "\n```"
    why = await Explainer().why(answered(said((1, 1), code), said((1, 2), SNOW)))
    assert why is not None
    (quoted,) = why["dissents"][0]
    assert len(quoted) <= 600
    assert code.startswith(quoted.removesuffix("…"))
    assert quoted.endswith("…")


@pytest.mark.parametrize(
    "shown",
    [
        answered(said((1, 1), OWLS)),
        answered(said((1, 1), OWLS), failed((1, 2), partial=SNOW)),
        answered(said((1, 1), OWLS), said((1, 2), " \n")),
        answered(said((1, 1), OWLS), said((1, 2), SNOW), text=" "),
        answered(),
        turn(said((1, 1), OWLS), said((1, 2), SNOW), failed((2, 1), Part.AGGREGATOR), answer=(1, 2)),
        turn(said((1, 1), OWLS), said((1, 2), SNOW), answer=None),
        replace(answered(said((1, 1), OWLS), said((1, 2), SNOW)), live=True),
        replace(answered(said((1, 1), OWLS), said((1, 2), SNOW)), view=RunView()),
        replace(answered(said((1, 1), OWLS), said((1, 2), SNOW)), comparison=Comparison((2, 1), blind=True)),
    ],
    ids=[
        "one",
        "one done",
        "one with words",
        "no words",
        "single",
        "best single",
        "no answer",
        "live",
        "running",
        "hidden",
    ],
)
async def test_nothing_is_told_without_an_ended_answer_from_two_proposals(shown: TurnView) -> None:
    counted = Counted()
    assert await Explainer(counted).why(shown) is None
    assert counted.asked == []


def test_the_newest_layer_with_a_proposal_is_what_the_answer_was_written_from() -> None:
    first = [said((1, 1), OWLS), said((1, 2), SNOW)]
    analyst = said((3, 1), "They agree.", Part.ANALYST)
    slots = [
        [str(proposal.slot) for proposal in sources(turn(*outcomes, answer=None).view)]
        for outcomes in (
            [*first, said((2, 2), SNOW), said((2, 1), OWLS), analyst],
            [*first, failed((2, 1)), said((2, 2), SNOW)],
            [*first, failed((2, 1)), failed((2, 2)), analyst],
            [analyst],
        )
    ]
    assert slots == [["2.1", "2.2"], ["2.2"], ["1.1", "1.2"], []]


async def test_what_is_asked_again_or_at_the_same_time_is_found_out_once() -> None:
    counted = Counted()
    explainer = Explainer(counted)
    shown = answered(said((1, 1), OWLS), said((1, 2), SNOW))
    found = await asyncio.gather(*(explainer.why(shown) for _ in range(3)))
    assert found[0] == found[1] == found[2] == await explainer.why(shown)
    assert counted.asked == [("run1", ["1.1", "1.2"])]


async def test_the_newest_64_are_kept() -> None:
    counted = Counted()
    explainer = Explainer(counted)
    shown = [answered(said((1, 1), "Owls."), said((1, 2), "Owls."), text="Owls.", run=f"run{n}") for n in range(65)]
    for one in (*shown[:64], shown[0], shown[64], shown[0]):
        await explainer.why(one)
    assert [run for run, _ in counted.asked] == [f"run{n}" for n in range(65)]
    await explainer.why(shown[1])
    assert counted.asked[-1][0] == "run1"


async def test_an_explanation_that_failed_is_tried_again() -> None:
    faults = [MemoryError()]

    def once_broken(run_id: str, answer: str, proposals: Sequence[Proposal]) -> Why:
        if faults:
            raise faults.pop()
        return explanation(run_id, answer, proposals)

    explainer = Explainer(once_broken)
    shown = answered(said((1, 1), OWLS), said((1, 2), SNOW))
    with pytest.raises(MemoryError):
        await explainer.why(shown)
    assert await explainer.why(shown) is not None


@pytest.mark.parametrize("style", [PromptStyle.FENCED, PromptStyle.ANALYSIS])
async def test_a_stored_run_is_explained_by_the_proposals_that_came(world: World, style: PromptStyle) -> None:
    texts: dict[str, Answer | HttpError] = {"a": Answer(OWLS), "b": HttpError(401), "c": Answer(SNOW)}
    for name, answer in texts.items():
        world.server.script(name, answer)
    world.server.script("agg", *[Answer(ANSWER)] * 2)
    recipe = Recipe("test", "Test", (Layer(tuple(Agent(name) for name in texts)),), WRITER, prompt_style=style)
    started = await world.chat.send(ANNA, question="Why?", recipe=recipe, request_key="key-0001")
    async for _ in world.chat.watch(ANNA, started.run_id, every_s=0):
        pass
    shown = await world.chat.turn(ANNA, started.turn_id)
    why = await Explainer().why(shown)
    assert why is not None
    assert (why["run"], why["slots"]) == (started.run_id, ["1.1", "1.3"])
