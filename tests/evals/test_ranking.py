from __future__ import annotations

import math
from dataclasses import replace

import choix
import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.evals.bradley_terry import Covariate, design, fit
from moa.evals.ranking import Ranking, elo, rank
from moa.evals.votes import Vote, systems_of
from tests.evals.made import NAMES, ballots, judged, many, published_votes, vote

STRENGTHS = (1.0, 0.4, 0.0, -0.5, -0.9)
ALL: tuple[Covariate, ...] = ("length", "headers", "lists", "bold")
FEW = settings(max_examples=60, deadline=None)


def scores(ranking: Ranking) -> dict[str, float]:
    return {standing.system: standing.log_odds for standing in ranking.standings}


def pairs_twice(votes: list[Vote]) -> list[tuple[int, int]]:
    """Each vote as two comparisons, of which a draw gives one to each side."""
    number = {system: i for i, system in enumerate(systems_of(votes))}
    found = []
    for one in votes:
        left, right = number[one.left], number[one.right]
        found += [(left, right)] * round(2 * one.points) + [(right, left)] * round(2 - 2 * one.points)
    return found


def test_scores_are_those_of_choix() -> None:
    votes = judged(STRENGTHS, 300)
    wanted = choix.opt_pairwise(len(NAMES), pairs_twice(votes), alpha=1e-12, tol=1e-12)
    same = choix.ilsr_pairwise(len(NAMES), pairs_twice(votes), alpha=0, tol=1e-10)
    found = list(dict(sorted(scores(rank(votes, resamples=0, ridge=1e-10)).items())).values())
    assert found == pytest.approx(list(wanted - wanted.mean()), abs=1e-5)
    assert found == pytest.approx(list(same - same.mean()), abs=1e-5)


def test_the_ridge_is_a_normal_prior_as_in_choix() -> None:
    votes = [*many("ant", "bee", wins=4), *many("cat", "dog", wins=2, ties=1)]
    ridge = 0.3
    # Its penalty is alpha times the squares; ours half the ridge times them. Every vote stands there twice.
    wanted = choix.opt_pairwise(4, pairs_twice(votes), alpha=ridge, tol=1e-12)
    assert scores(rank(votes, resamples=0, ridge=ridge)) == pytest.approx(
        dict(zip(("ant", "bee", "cat", "dog"), wanted, strict=True)), abs=1e-6
    )


@pytest.mark.parametrize("covariates", [("length",), ALL], ids=["length", "all"])
def test_scores_with_covariates_are_those_of_statsmodels(covariates: tuple[Covariate, ...]) -> None:
    check_by_statsmodels(judged(STRENGTHS, 500, length=1.5), covariates)


def test_published_judgements_rank_as_statsmodels_has_them() -> None:
    votes = published_votes()
    check_by_statsmodels(votes, ("length",))
    ranking = rank(votes, resamples=200)
    assert [standing.system for standing in ranking.standings] == [
        "FuseChat-Llama-3.1-8B-Instruct",
        "gpt4_1106_preview",
    ]
    better, worse = ranking.standings
    assert better.log_odds - worse.log_odds == pytest.approx(math.log(518.5 / 286.5), abs=1e-3)
    assert (better.rank_low, better.rank_high, worse.rank_low, worse.rank_high) == (1, 1, 2, 2)


def check_by_statsmodels(votes: list[Vote], covariates: tuple[Covariate, ...]) -> None:
    """The first system is held at 0 there, for without a ridge only differences are known."""
    form = design(votes, covariates)
    rows, weights = np.repeat(form.rows, 2, axis=0)[:, 1:], np.column_stack((form.points, 1 - form.points)).ravel()
    wins = np.tile([1.0, 0.0], len(form.points))
    model = sm.GLM(wins, rows, sm.families.Binomial(), var_weights=weights * np.repeat(form.counts, 2))
    wanted = model.fit(tol=1e-12).params
    ours = fit(form, form.counts[None, :].astype(float), 1e-9)[0]
    width = len(form.systems)
    assert ours[1:width] - ours[0] == pytest.approx(wanted[: width - 1], abs=1e-5)
    assert ours[width:] == pytest.approx(wanted[width - 1 :], abs=1e-5)
    found = rank(votes, covariates, resamples=0, ridge=1e-9)
    assert [effect.log_odds for effect in found.effects] == pytest.approx(list(ours[width:]))


def test_a_covariate_is_the_difference_of_the_sides_over_their_sum() -> None:
    votes = [
        vote("ant", "bee", "left", 300, 100),
        vote("bee", "ant", "left", 100, 100),
        vote("ant", "bee", "tie", 0, 0),
    ]
    form = design(votes, ("length", "bold"))
    assert sorted(form.rows[:, 2].tolist()) == pytest.approx([0, 0, math.sqrt(3)])  # 0.5 over its root mean square
    assert form.rows[:, 3].tolist() == [0, 0, 0]


def test_holding_length_equal_takes_the_advantage_of_length_away() -> None:
    votes = judged((0.0, 0.0), 2000, length=3.0)
    long = [one for one in votes if (one.left_chars > one.right_chars) == (one.left == "ant")]
    plain, controlled = rank(long, resamples=0), rank(long, ("length",), resamples=0)
    assert scores(plain)["ant"] > 0.3
    assert abs(scores(controlled)["ant"]) < 0.15
    assert controlled.effects[0].log_odds > 0.4


def test_scores_are_on_the_scale_of_elo() -> None:
    assert elo(0) == 1000
    assert elo(math.log(10)) - elo(0) == pytest.approx(400)
    standings = rank(judged(STRENGTHS, 200), resamples=50).standings
    assert sum(standing.score for standing in standings) / len(standings) == pytest.approx(1000)
    for standing in standings:
        assert standing.score_low <= standing.score <= standing.score_high


def test_known_strengths_are_found_within_their_intervals() -> None:
    ranking = rank(judged(STRENGTHS, 4000), resamples=300)
    assert [standing.system for standing in ranking.standings] == list(NAMES)
    assert [standing.rank for standing in ranking.standings] == [1, 2, 3, 4, 5]
    for standing, strength in zip(ranking.standings, STRENGTHS, strict=True):
        # A fifth of the votes are ties, which draws all scores together.
        assert abs(standing.log_odds - 0.8 * strength) < 0.15
        assert standing.log_odds_high - standing.log_odds_low < 0.3


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(60):
        votes = [one for one in judged((0.7, -0.7), 300, seed) if one.outcome in ("left", "right")]
        first = {standing.system: standing for standing in rank(votes, resamples=200, seed=seed).standings}["ant"]
        held += first.log_odds_low <= 0.7 <= first.log_odds_high
    assert 52 <= held <= 60


def test_the_seed_alone_decides_the_draws() -> None:
    votes = judged(STRENGTHS, 100)
    assert rank(votes, ALL, resamples=50, seed=4) == rank(tuple(reversed(votes)), ALL, resamples=50, seed=4)
    assert rank(votes, resamples=50, seed=4) != rank(votes, resamples=50, seed=5)


def test_more_votes_of_the_same_kind_narrow_the_intervals() -> None:
    votes = judged(STRENGTHS, 200)
    once, often = rank(votes, resamples=400), rank(votes * 4, resamples=400)
    assert scores(often) == pytest.approx(scores(once), abs=0.01)
    for one, other in zip(once.standings, often.standings, strict=True):
        assert other.log_odds_high - other.log_odds_low < 0.75 * (one.log_odds_high - one.log_odds_low)


def test_systems_that_no_vote_connects_are_told_apart() -> None:
    ranking = rank([*many("ant", "bee", wins=8, losses=4), *many("cat", "dog", 3, 3), *many("cat", "eel", 2, 3)])
    assert ranking.components == (("cat", "dog", "eel"), ("ant", "bee"))
    assert not ranking.separable
    places = {standing.system: (standing.rank, standing.rank_high) for standing in ranking.standings}
    assert places["ant"][0] == 1
    assert places["bee"] == (2, 2)
    assert max(place for place, _ in places.values()) <= 3
    found = scores(ranking)
    assert found["ant"] + found["bee"] == pytest.approx(0, abs=1e-9)


def test_a_system_that_never_lost_stays_finite_and_is_named_as_open() -> None:
    ranking = rank(many("ant", "bee", wins=2000))
    assert ranking.separable
    assert 5 < scores(ranking)["ant"] < 10
    assert not rank([*many("ant", "bee", wins=20), vote("ant", "bee", "tie")]).separable
    circle = [vote("ant", "bee", "left"), vote("bee", "cat", "left"), vote("cat", "ant", "left")]
    assert not rank(circle).separable
    assert list(scores(rank(circle)).values()) == pytest.approx([0, 0, 0], abs=1e-9)


def test_equal_systems_share_a_rank_and_stand_by_name() -> None:
    ranking = rank([*many("cat", "bee", ties=6), *many("ant", "bee", ties=6)], resamples=0)
    assert [(standing.system, standing.rank) for standing in ranking.standings] == [("ant", 1), ("bee", 1), ("cat", 1)]


def test_fewer_than_ten_votes_are_not_enough() -> None:
    nine = many("ant", "bee", wins=5, losses=4)
    assert not rank(nine).enough
    ten = rank([*nine, vote("ant", "cat", "left")])
    assert ten.enough
    assert {standing.system: standing.enough for standing in ten.standings} == {"ant": True, "bee": False, "cat": False}


def test_no_votes_rank_nobody() -> None:
    assert rank([]) == Ranking((), (), (), 0, separable=False)
    assert not rank([]).enough


@FEW
@given(ballots, st.permutations(NAMES), st.sampled_from([(), ("length",), ALL]))
def test_names_sides_and_order_make_no_difference(
    votes: list[Vote], names: list[str], covariates: tuple[Covariate, ...]
) -> None:
    called = dict(zip(NAMES, names, strict=True))
    renamed = [replace(one, left=called[one.left], right=called[one.right]) for one in votes]
    turned = [one.mirrored() if i % 2 else one for i, one in enumerate(renamed)]
    before, after = rank(votes, covariates, resamples=0), rank(turned, covariates, resamples=0)
    assert scores(after) == pytest.approx({called[name]: score for name, score in scores(before).items()}, abs=1e-6)
    assert after.separable == before.separable
    assert [len(group) for group in after.components] == [len(group) for group in before.components]


@FEW
@given(ballots, st.sampled_from([(), ALL]))
def test_wins_turned_into_losses_turn_the_scores(votes: list[Vote], covariates: tuple[Covariate, ...]) -> None:
    lost = [replace(one.mirrored(), left=one.left, right=one.right) for one in votes]
    before, after = rank(votes, covariates, resamples=0), rank(lost, covariates, resamples=0)
    assert scores(after) == pytest.approx({name: -score for name, score in scores(before).items()}, abs=1e-6)


@FEW
@given(ballots, st.sampled_from([(), ("length",), ALL]))
def test_a_fit_is_where_no_step_gains(votes: list[Vote], covariates: tuple[Covariate, ...]) -> None:
    form, ridge = design(votes, covariates), 0.01
    found = fit(form, form.counts[None, :].astype(float), ridge)[0]
    wins = 1 / (1 + np.exp(-form.rows @ found))
    assert np.abs((form.counts * (form.points - wins)) @ form.rows - ridge * found).max() < 1e-8


@FEW
@given(ballots)
def test_an_interval_holds_its_score_and_a_range_its_rank(votes: list[Vote]) -> None:
    ranking = rank(votes, ("length",), resamples=20)
    for standing in ranking.standings:
        assert standing.log_odds_low <= standing.log_odds <= standing.log_odds_high
        assert 1 <= standing.rank_low <= standing.rank <= standing.rank_high <= len(ranking.standings)
        assert math.isfinite(standing.log_odds_low + standing.log_odds_high)
    assert sorted(name for group in ranking.components for name in group) == sorted(scores(ranking))
