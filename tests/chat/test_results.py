"""Votes as the results page counts them: names, figures, what failed, and what mixtures have of their proposals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from moa.chat.opinions import VotedProposal, VotedRun, VoteRecord
from moa.chat.results import OVERLAPS_MAX, Results, comparisons, mixed
from moa.chat.systems import named
from moa.chat.values import BAD, TIE, Actor, Vote
from moa.core.domain import Agent, Layer, Part, PromptStyle, Recipe, Sampling, Slot, Status, Usage
from moa.evals.comparison import Comparison, Side, votes_of
from moa.evals.overlap import overlap
from moa.evals.report import report
from moa.evals.style import Style

AT = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
ANNA = Actor("anna")
TEXT = "# Rayleigh\n\nBlue light is scattered **more** than red light by small molecules."


def single(model: str, **more: Any) -> Recipe:
    return Recipe(f"r-{model}", "A single model", (), Agent(model, Part.AGGREGATOR, **more))


def mixture(*models: str, title: str = "MoA", layers: int = 2, writer: str = "p/w", **more: Any) -> Recipe:
    layer = Layer(tuple(Agent(model) for model in models))
    return Recipe("moa", title, (layer,) * (layers - 1), Agent(writer, Part.AGGREGATOR), **more)


A, B, W = single("p/a"), single("p/b"), single("p/w")
MOA = mixture("p/a", "p/b")


def run(recipe: Recipe, name: str, answer: str = TEXT, **more: Any) -> VotedRun:
    told: dict[str, Any] = {
        "status": Status.COMPLETE, "usage": Usage(100, 20), "cost_microusd": 7, "calls": recipe.call_count,
        "first_answer_ms": 50, "duration_ms": 900, "answer_slot": Slot(recipe.layer_count, 1), **more,
    }  # fmt: skip
    return VotedRun(run_id=name, column=1, recipe=recipe, answer=answer, **told)


def record(choice: str, *runs: VotedRun, blind: bool = True, **more: Any) -> VoteRecord:
    vote = Vote(choice, tuple(one.run_id for one in runs), blind, AT, **more)
    return VoteRecord("turn", "talk", "Why?", vote, runs)


def label(model: str) -> str:
    return model.removeprefix("p/").upper()


def counted(*records: VoteRecord) -> tuple[Comparison, ...]:
    return comparisons(records, {}, label)


def names(*recipes: Recipe) -> list[str]:
    found = named(recipes, label)
    return [found[recipe.digest] for recipe in recipes]


# -- names


def test_a_single_model_is_called_by_its_label_and_a_mixture_by_its_title() -> None:
    assert names(A, MOA) == ["A", "MoA"]
    assert names(mixture("p/a", title=" \n")) == ["Mixture"]


def test_the_same_recipe_is_one_system_whatever_it_was_called_when() -> None:
    assert named([MOA, replace(MOA, title="Mine", id="x", about="y")], label) == {MOA.digest: "Mine"}


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (mixture("p/a", "p/b", layers=3), ["2 layers", "3 layers"]),
        (mixture("p/a", "p/b", writer="p/x"), ["written by W", "written by X"]),
        (mixture("p/a"), ["2 proposers", "1 proposer"]),
        (mixture("p/a", "p/a"), ["A + B", "2x A"]),
        (mixture("p/a", "p/b", system="Be brief."), ["no system prompt", "system: Be brief."]),
        (mixture("p/a", "p/b", system="Answer " * 9), ["no system prompt", "system: Answer Answer Answer An…"]),
        (mixture("p/a", "p/b", prompt_style=PromptStyle.PAPER), ["fenced prompts", "paper prompts"]),
    ],
)
def test_two_recipes_of_one_title_are_told_apart_by_what_differs(other: Recipe, wanted: list[str]) -> None:
    assert names(MOA, other) == [f"MoA ({mark})" for mark in wanted]


def test_as_few_differences_are_told_as_tell_all_apart() -> None:
    deep, warm = mixture("p/a", "p/b", layers=3), replace(MOA, aggregator=Agent("p/w", sampling=Sampling(0.7)))
    assert names(MOA, deep, warm) == [
        "MoA (2 layers, default temperature)", "MoA (3 layers, default temperature)", "MoA (2 layers, temperature 0.7)",
    ]  # fmt: skip
    same_label = single("q/a")
    assert named([A, same_label], lambda model: "A") == {A.digest: "A (p/a)", same_label.digest: "A (q/a)"}
    assert names(replace(A, aggregator=Agent("p/a", sampling=Sampling(0.0))), A)[0] == "A (temperature 0)"
    assert names(mixture("p/x", title="A"), A) == ["A (2 layers)", "A (single model)"]


def test_what_no_word_tells_apart_is_told_by_a_number_and_no_title_can_forge_a_name() -> None:
    other = replace(MOA, layers=(replace(MOA.layers[0], quorum=1),))
    assert names(MOA, other) == [f"MoA (#{MOA.digest[:6]})", f"MoA (#{other.digest[:6]})"]
    forged = mixture("p/x", title="MoA (2 layers)")
    assert len(set(names(MOA, mixture("p/a", "p/b", layers=3), forged))) == 3


# -- what a vote says


def test_sides_have_their_figures_and_the_style_of_their_answers() -> None:
    [found] = counted(record("2", run(A, "1", ""), run(B, "2")))
    assert found.sides[1] == Side("B", len(TEXT), Style(headers=1, bold=1), 7, 900, 50, 120)
    assert (found.outcome, found.at, found.blind) == (1, AT, True)
    unknown = run(A, "1", usage=None, cost_microusd=None, first_answer_ms=None)
    [found] = counted(record("1", unknown, run(B, "2"), blind=False))
    assert (found.sides[0].cost_microusd, found.sides[0].first_token_ms, found.sides[0].tokens) == (None, None, None)
    assert not found.blind


def test_tags_go_with_their_vote() -> None:
    votes = counted(
        record("1", run(A, "1"), run(B, "2"), tags=("code", "short")), record(TIE, run(A, "3"), run(B, "4"))
    )
    assert [one.tags for one in votes] == [("code", "short"), ()]
    tags = {(one.tag, one.system): (one.n, one.rate) for one in report(votes, resamples=10).tags}
    assert tags["code", "A"] == (1, 1.0)


@pytest.mark.parametrize(("choice", "outcome"), [("1", 0), ("2", 1), (TIE, "tie"), (BAD, "bad")])
def test_every_choice_is_counted_as_it_was_given(choice: str, outcome: Any) -> None:
    [found] = counted(record(choice, run(A, "1"), run(B, "2")))
    assert found.outcome == outcome


def test_a_system_that_failed_loses_to_the_one_that_was_chosen_and_nothing_of_it_is_measured() -> None:
    failed = run(MOA, "1", "half an ans", status=Status.FAILED)
    [found] = counted(record("2", failed, run(B, "2")))
    assert found.sides[0] == Side("MoA", 0, Style())
    [vote] = votes_of([found])
    assert (vote.left, vote.right, vote.outcome) == ("MoA", "B", "right")
    assert (vote.left_chars, vote.left_style) == (vote.right_chars, vote.right_style)
    systems = {system.system: system for system in report([found], resamples=10).systems}
    assert (systems["MoA"].answers, systems["MoA"].failed, systems["MoA"].cost_microusd.n) == (0, 1, 0)
    assert (systems["B"].answers, systems["B"].failed, systems["B"].rate) == (1, 0, 1)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.INTERRUPTED, Status.RUNNING])
def test_an_answer_that_was_stopped_or_cut_off_is_left_out(status: Status) -> None:
    stopped = run(A, "1", status=status)
    assert counted(record("2", stopped, run(B, "2"))) == ()
    assert counted(record("1", stopped, run(B, "2"), run(W, "3"))) == ()
    [found] = counted(record("3", stopped, run(B, "2"), run(W, "3")))
    assert (found.systems, found.outcome) == (("B", "W"), 1)


def test_a_mended_mixture_has_no_figures_for_they_are_of_a_part() -> None:
    [found] = counted(record(TIE, run(MOA, "1", mended=True), run(B, "2")))
    assert found.sides[0] == Side("MoA", len(TEXT), Style(headers=1, bold=1))


# -- what mixtures have of their proposals


def shares(**more: Any) -> list[tuple[tuple[str, float], ...]]:
    """The overlaps of a mixture's side, whose proposals are of a and b."""
    mixed_run = run(MOA, "1")
    known = {"1": ((Agent("p/a"), 0.75), (Agent("p/b"), 0.25))}
    votes = [record("1", mixed_run, run(A, "2")), record("2", run(B, "3"), run(more.get("other", W), "2"))]
    return [one.sides[0].overlaps for one in comparisons(votes, known, label)]


def test_a_proposers_share_is_that_of_the_system_it_is_alone() -> None:
    assert shares() == [(("A", 0.75), ("B", 0.25)), ()]


def test_of_several_single_models_the_one_asked_alike_stands_for_a_proposer() -> None:
    assert shares(other=single("p/a", sampling=Sampling(0.9))) == [(("A (default temperature)", 0.75), ("B", 0.25)), ()]
    cold, warm = (single("p/a", sampling=Sampling(value)) for value in (0.1, 0.9))
    votes = [record(TIE, run(MOA, "1"), run(cold, "2")), record(TIE, run(warm, "3"), run(B, "4"))]
    [found, _] = comparisons(votes, {"1": ((Agent("p/a"), 0.75), (Agent("p/b"), 0.25))}, label)
    assert found.sides[0].overlaps == (("B", 0.25),)


def test_only_answers_written_from_proposals_of_systems_that_were_voted_on_are_measured() -> None:
    one, other = run(MOA, "m"), record(TIE, run(A, "a"), run(B, "b"))
    assert mixed([record(TIE, one, run(W, "w"))]) == []
    assert mixed([other, record(TIE, one, run(W, "w"))]) == [one]
    proposal_stands = replace(one, answer_slot=Slot(1, 1))
    failed = replace(one, status=Status.FAILED)
    assert mixed([other, record(TIE, proposal_stands, run(W, "w")), record(TIE, failed, run(W, "w"))]) == []
    many = [record(TIE, replace(one, run_id=f"m{i}"), run(A, "a"), run(B, "b")) for i in range(OVERLAPS_MAX + 5)]
    assert [found.run_id for found in mixed(many)][:2] == [f"m{OVERLAPS_MAX + 4}", f"m{OVERLAPS_MAX + 3}"]
    assert len(mixed(many)) == OVERLAPS_MAX


class Shelf:
    """Anna's votes, and the proposals of the runs that were asked for."""

    def __init__(self, *records: VoteRecord) -> None:
        self.records = list(records)
        self.asked: list[list[str]] = []

    async def votes(self, actor: Actor) -> Sequence[VoteRecord]:
        return self.records

    async def proposals(self, actor: Actor, run_ids: Collection[str]) -> Mapping[str, Sequence[VotedProposal]]:
        self.asked.append(list(run_ids))
        texts = (VotedProposal(Agent("p/a"), TEXT), VotedProposal(Agent("p/b"), "Something else altogether."))
        return {run_id: texts for run_id in run_ids if run_id != "gone"}


async def test_proposals_are_read_once_for_each_answer() -> None:
    shelf = Shelf(record("1", run(MOA, "1"), run(A, "2"), run(B, "3")))
    results = Results(shelf.votes, shelf.proposals, label)
    [found] = await results.comparisons(ANNA)
    wanted = [one.mean for one in overlap(TEXT, [TEXT, "Something else altogether."])]
    assert found.sides[0].overlaps == (("A", wanted[0]), ("B", wanted[1]))
    assert wanted[0] > wanted[1]
    shelf.records.append(record(TIE, run(MOA, "4"), run(A, "5")))
    assert len(await results.comparisons(ANNA)) == 2
    shelf.records.append(record(TIE, run(MOA, "gone"), run(A, "5")))
    assert (await results.comparisons(ANNA))[2].sides[0].overlaps == ()
    assert shelf.asked == [["1"], ["4"], ["gone"]]


async def test_an_answer_that_ended_otherwise_is_measured_anew() -> None:
    shelf = Shelf(record("1", run(MOA, "1"), run(A, "2"), run(B, "3")))
    results = Results(shelf.votes, shelf.proposals, label)
    await results.comparisons(ANNA)
    shelf.records = [record("1", run(MOA, "1", "Another answer."), run(A, "2"), run(B, "3"))]
    await results.comparisons(ANNA)
    assert shelf.asked == [["1"], ["1"]]
