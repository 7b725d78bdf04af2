"""Systems in the order of their Bradley–Terry scores, with what the votes leave open."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moa.evals.bradley_terry import Covariate, Design, Floats, design, fit
from moa.evals.connections import connected
from moa.evals.votes import Vote, tallies

ENOUGH_VOTES = 10
RIDGE = 0.01  # a prior with a deviation of 10: it takes about 1 % off the score of a system with a dozen votes
_CHUNK = 4_000_000  # numbers in memory at once while resampling
_SAME = 1e-8  # scores nearer than this share a rank


@dataclass(frozen=True, slots=True)
class Standing:
    """One system's place. ``rank`` is 1 for the best of its connected group; the ranges hold 95 % of the resamples.

    ``enough`` is False with fewer than ten votes on the system: then no number here should be shown as a result.
    """

    system: str
    votes: int
    rank: int
    rank_low: int
    rank_high: int
    log_odds: float
    log_odds_low: float
    log_odds_high: float

    @property
    def enough(self) -> bool:
        """Whether there are votes enough to speak of."""
        return self.votes >= ENOUGH_VOTES

    @property
    def score(self) -> float:
        """The log odds on the scale of Elo ratings."""
        return elo(self.log_odds)

    @property
    def score_low(self) -> float:
        """Lower end of the score."""
        return elo(self.log_odds_low)

    @property
    def score_high(self) -> float:
        """Upper end of the score."""
        return elo(self.log_odds_high)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a covariate adds to the log odds of the side that has more of it, by a typical difference."""

    covariate: Covariate
    log_odds: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """All standings, the best first.

    ``components`` are the groups that votes connect, largest first: scores and ranks compare within one, never across.
    ``separable`` is True when in some group one part never lost to the rest: the distance between them is then the
    prior's, not the votes', and the intervals are too narrow. ``enough`` is False with fewer than ten votes in all.
    """

    standings: tuple[Standing, ...]
    effects: tuple[Effect, ...]
    components: tuple[tuple[str, ...], ...]
    votes: int
    separable: bool

    @property
    def enough(self) -> bool:
        """Whether there are votes enough to speak of."""
        return self.votes >= ENOUGH_VOTES


def elo(log_odds: float) -> float:
    """Log odds on the scale of Elo ratings: 0 is 1000, and 400 more are odds of ten to one."""
    return 1000 + 400 / math.log(10) * log_odds


def rank(
    votes: Iterable[Vote],
    covariates: Sequence[Covariate] = (),
    *,
    resamples: int = 1000,
    seed: int = 0,
    ridge: float = RIDGE,
) -> Ranking:
    """Rank the systems that were voted on; with covariates, as they would stand if their answers had the same style.

    Intervals are percentiles of a bootstrap over the votes (Efron, Ann. Statist. 7, 1979): the same for the same seed
    and votes, in whatever order. 10,000 votes on six systems take some seconds with covariates and a moment without:
    not for an event loop.
    """
    votes = tuple(votes)
    if not votes:
        return Ranking((), (), (), 0, separable=False)
    form = design(votes, covariates)
    best = fit(form, form.counts[None, :].astype(np.float64), ridge)
    drawn = np.concatenate([best[:0], *_resampled(form, best[0], resamples, seed, ridge)])
    groups, width = connected(votes, form.systems), len(form.systems)
    effects = zip(covariates, *_spread(best[:, width:], drawn[:, width:]), strict=True)
    return Ranking(
        _standings(votes, form.systems, best[:, :width], drawn[:, :width], groups.together),
        tuple(Effect(*effect) for effect in effects),
        groups.named(form.systems),
        len(votes),
        groups.separable,
    )


def _resampled(form: Design, start: Floats, resamples: int, seed: int, ridge: float) -> Iterator[Floats]:
    """Fits of as many votes, drawn with replacement: a draw of votes is a draw of how often each row counts."""
    rng = np.random.default_rng(seed)
    n = int(form.counts.sum())
    chunk = max(1, _CHUNK // form.rows.size)
    for done in range(0, resamples, chunk):
        counts = rng.multinomial(n, form.counts / n, size=min(chunk, resamples - done))
        yield fit(form, counts.astype(np.float64), ridge, start)


def _standings(
    votes: Sequence[Vote], systems: Sequence[str], best: Floats, drawn: Floats, together: NDArray[np.bool_]
) -> tuple[Standing, ...]:
    counts = tallies(votes)
    ranks = _spread(_ranks(best, together), _ranks(drawn, together))
    found = [
        Standing(system, counts[system].n, int(place), int(top), int(bottom), *log_odds)
        for system, place, top, bottom, *log_odds in zip(systems, *ranks, *_spread(best, drawn), strict=True)
    ]
    # Rounded, for equal systems stand by name, whatever the last bits of their scores are.
    return tuple(sorted(found, key=lambda standing: (-round(standing.log_odds, 7), standing.system)))


def _ranks(scores: Floats, together: NDArray[np.bool_]) -> Floats:
    """1 and one more for each system of the same group with a higher score."""
    ahead = scores[:, None, :] > scores[:, :, None] + _SAME
    ranks: Floats = 1.0 + (ahead & together).sum(axis=2)
    return ranks


def _spread(best: Floats, drawn: Floats) -> tuple[list[float], list[float], list[float]]:
    """Estimates, and the ends of 95 % of the draws; these are widened where needed to hold the estimate itself."""
    estimate = best[0]
    low, high = np.quantile(drawn if len(drawn) else best, (0.025, 0.975), axis=0, method="inverted_cdf")
    return estimate.tolist(), np.minimum(low, estimate).tolist(), np.maximum(high, estimate).tolist()
