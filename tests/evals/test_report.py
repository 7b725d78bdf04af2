from __future__ import annotations

import dataclasses
import json
import random
from datetime import timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.evals.comparison import Comparison, votes_of
from moa.evals.report import APART, MANY_SIDES, SEPARABLE, report
from tests.evals.compared import compared, comparison, comparisons, side
from tests.evals.made import NOON


def pairs(made: Comparison) -> list[tuple[str, str, str]]:
    return [(vote.left, vote.right, vote.outcome) for vote in votes_of([made])]


def test_a_winner_beats_each_other_side_and_the_others_do_not_meet() -> None:
    assert pairs(comparison(1, "a", "b", "c")) == [("a", "b", "right"), ("b", "c", "left")]


def test_a_tie_and_all_bad_hold_for_every_pair() -> None:
    assert pairs(comparison("tie", "a", "b", "c")) == [("a", "b", "tie"), ("a", "c", "tie"), ("b", "c", "tie")]
    assert pairs(comparison("bad", "a", "b")) == [("a", "b", "both_bad")]


def test_two_answers_of_one_system_say_nothing_of_it() -> None:
    assert pairs(comparison(0, "a", "a")) == []
    assert pairs(comparison(0, "a", "a", "b")) == [("a", "b", "left")]
    found = report([comparison(0, "a", "a")])
    assert (found.votes, found.pairs, found.plain, found.systems[0].answers) == (1, 0, (), 2)


@pytest.mark.parametrize("outcome", [-1, 2])
def test_a_winner_that_is_no_side_is_refused(outcome: int) -> None:
    with pytest.raises(ValueError, match="can't win"):
        comparison(outcome, "a", "b")
    with pytest.raises(ValueError, match="two sides"):
        comparison(0, "a")


def test_without_votes_all_is_empty() -> None:
    found = report(())
    assert (found.votes, found.enough, found.early) == (0, False, "Too early to tell: 0 votes")
    assert not any((found.systems, found.plain, found.matrix, found.dollars.spots, found.days, found.tags))


@pytest.mark.parametrize(
    ("n", "early"), [(1, "Too early to tell: 1 vote"), (9, "Too early to tell: 9 votes"), (10, "")]
)
def test_below_ten_votes_it_is_too_early_however_many_pairs_they_make(n: int, early: str) -> None:
    found = report([comparison(0, "a", "b", "c")] * n, resamples=10)
    assert (found.early, found.enough, found.pairs) == (early, not early, 2 * n)


def test_costs_and_times_are_over_the_answers_where_they_are_known() -> None:
    sides = [side("a", 100, 1000), side("a", None, 9000), side("a", 400, 2000)]
    found = report([Comparison((one, side("b")), 0, NOON) for one in sides], resamples=10)
    a, b = found.systems
    assert (a.cost_microusd.mean, a.cost_microusd.median, a.cost_microusd.n) == (250, 250, 2)
    assert (a.seconds.mean, a.seconds.median, a.seconds.n) == (4, 2, 3)
    assert (b.seconds.mean, b.seconds.median, b.seconds.n) == (None, None, 0)
    assert (a.rate, b.rate, a.pairs) == (1.0, 0.0, 3)
    assert [spot.system for spot in found.dollars.spots] == ["a"]
    assert found.dollars.unknown == ("b",)


def test_the_front_is_of_what_no_other_beats_at_its_price() -> None:
    found = report(compared(400), resamples=20)
    assert [(spot.system, spot.front) for spot in found.dollars.spots] == [
        ("Llama 8B", True), ("MoA-Lite", True), ("Qwen 72B", False), ("MoA", True),
    ]  # fmt: skip
    assert [spot.system for spot in found.seconds.spots] == ["Llama 8B", "Qwen 72B", "MoA-Lite", "MoA"]
    assert [place.system for place in found.plain] == ["MoA", "MoA-Lite", "Qwen 72B", "Llama 8B"]
    assert {effect.covariate for effect in found.effects} == {"length", "headers", "lists", "bold"}


def test_strength_is_the_chance_against_the_average_of_the_group() -> None:
    found = report([comparison(i % 4 == 0, "a", "b") for i in range(40)], resamples=10)
    best, last = found.plain
    assert best.strength + last.strength == pytest.approx(1)
    # three wins to one are odds of 3, and the average stands in the middle: the square root of it
    assert best.strength / last.strength == pytest.approx(3**0.5, rel=0.01)
    assert best.strength_low <= best.strength <= best.strength_high


def test_what_the_votes_leave_open_is_noted() -> None:
    assert report([comparison("tie", "a", "b")] * 10, resamples=10).notes == ()
    assert report([comparison(0, "a", "b")] * 10, resamples=10).notes == (SEPARABLE,)
    assert report([comparison("tie", "a", "b", "c")], resamples=10).notes == (MANY_SIDES,)
    apart = [comparison("tie", "a", "b"), comparison("tie", "c", "d")]
    assert report(apart, resamples=10).notes == (APART.format(groups="a, b; c, d"),)


def test_days_are_those_of_utc_and_add_up() -> None:
    late = dataclasses.replace(
        comparison(0, "a", "b"), at=NOON.replace(hour=23).astimezone(timezone(timedelta(hours=5)))
    )
    found = report([comparison(0, "a", "b", day=2), late, comparison(1, "a", "b")], resamples=10)
    assert [(day.day, day.votes, day.total) for day in found.days] == [("2026-11-01", 2, 2), ("2026-11-03", 1, 3)]


def test_tags_are_counted_apart() -> None:
    tagged = dataclasses.replace(comparison(0, "a", "b"), tags=("code",))
    found = report([tagged, tagged, comparison(1, "a", "b")], resamples=10)
    assert [(one.tag, one.system, one.n, one.rate) for one in found.tags] == [("code", "a", 2, 1), ("code", "b", 2, 0)]


def test_overlap_goes_with_the_strength_of_proposers_that_were_voted_on() -> None:
    mixed = dataclasses.replace(side("mix"), overlaps=(("a", 0.5), ("b", 0.1), ("never met", 0.9)))
    votes = [*[comparison(0, "a", "b")] * 3, Comparison((mixed, side("a")), "tie", NOON)]
    found = report(votes, resamples=10).overlap
    assert found.mean == pytest.approx(1)
    assert (found.items, found.undefined) == (1, 0)
    assert report([comparison(0, "a", "b")], resamples=10).overlap.mean is None


@settings(deadline=None, max_examples=40)
@given(st.lists(comparisons, max_size=15), st.randoms(use_true_random=False))
def test_any_report_is_json_and_the_order_of_votes_changes_nothing(
    made: list[Comparison], chance: random.Random
) -> None:
    found = report(made, resamples=10)
    text = json.dumps(found.json(), allow_nan=False)
    shuffled = chance.sample(made, len(made))
    assert json.dumps(report(shuffled, resamples=10).json()) == text
    assert found.votes == (found.days[-1].total if found.days else 0)
    assert all(0 <= place.strength_low <= place.strength <= place.strength_high <= 1 for place in found.plain)
