from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from moa.evals.intervals import matrix, wilson
from moa.evals.votes import Tally, Vote
from tests.evals.made import ballots, many, published_votes

scored = st.integers(1, 3000).flatmap(
    lambda n: st.tuples(st.integers(0, 2 * n).map(lambda halves: halves / 2), st.just(n))
)


@settings(deadline=None)
@given(scored, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_intervals_are_those_of_statsmodels(score: tuple[float, int], confidence: float) -> None:
    low, high = proportion_confint(*score, alpha=1 - confidence, method="wilson")
    interval = wilson(*score, confidence)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-12)


@settings(deadline=None)
@given(scored)
def test_an_interval_holds_its_rate_within_0_and_1(score: tuple[float, int]) -> None:
    points, n = score
    interval = wilson(points, n)
    assert 0 <= interval.low <= points / n <= interval.high <= 1
    assert interval.low < interval.high


@settings(deadline=None)
@given(scored)
def test_twice_the_votes_narrow_an_interval(score: tuple[float, int]) -> None:
    points, n = score
    once, twice = wilson(points, n), wilson(2 * points, 2 * n)
    assert twice.high - twice.low < once.high - once.low


def test_without_votes_all_is_possible() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)


@pytest.mark.parametrize(("points", "n"), [(-0.5, 3), (3.5, 3), (1, 0), (float("nan"), 3)])
def test_a_rate_that_cannot_be_is_refused(points: float, n: int) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        wilson(points, n)


def test_the_matrix_has_each_ordered_pair_and_says_which_never_met() -> None:
    found = matrix([*many("ant", "bee", wins=6, losses=2, ties=1, both_bad=1), *many("cat", "bee", ties=1)])
    assert list(found) == [
        ("ant", "bee"), ("ant", "cat"), ("bee", "ant"), ("bee", "cat"), ("cat", "ant"), ("cat", "bee")
    ]  # fmt: skip
    duel, never = found["ant", "bee"], found["ant", "cat"]
    assert (duel.record, duel.n, duel.rate) == (Tally(6, 2, 1, 1), 10, 0.7)
    assert (round(duel.low, 4), round(duel.high, 4)) == (0.3968, 0.8922)
    assert (never.n, never.rate, never.low, never.high) == (0, None, 0, 1)


@settings(deadline=None)
@given(ballots)
def test_two_sides_of_a_duel_mirror_each_other(cast: list[Vote]) -> None:
    found = matrix(cast)
    for (one, other), duel in found.items():
        back = found[other, one]
        assert duel.n == back.n
        if duel.rate is not None:
            assert back.rate == pytest.approx(1 - duel.rate)
            assert 0 <= duel.low <= duel.rate <= duel.high <= 1
        assert (back.low, back.high) == pytest.approx((1 - duel.high, 1 - duel.low))


def test_published_judgements_give_the_published_rate_within_their_interval() -> None:
    duel = matrix(published_votes())["FuseChat-Llama-3.1-8B-Instruct", "gpt4_1106_preview"]
    assert duel.rate == 518.5 / 805
    assert duel.low < 0.6333158 < duel.high  # the published rate weighs each judgement by its certainty
    assert (duel.high - duel.low) / 2 / 1.96 == pytest.approx(0.01687, abs=1e-4)
