"""Win rates with their uncertainty, for each pair of systems."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from moa.evals.votes import Tally, Vote, duels, systems_of


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a rate lies; both ends are from 0 to 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Duel:
    """How ``system`` did against another. ``rate`` is None for two that never met; then the interval is 0 to 1."""

    system: str
    against: str
    record: Tally
    rate: float | None
    low: float
    high: float

    @property
    def n(self) -> int:
        """How often the two met."""
        return self.record.n


def wilson(points: float, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of ``points`` wins in ``n`` votes (Wilson, JASA 22, 1927; Brown, Cai and DasGupta,
    Statistical Science 16, 2001). Half wins are allowed: they vary less than wins and losses, so that the interval is
    then rather too wide. Without votes, all is possible: 0 to 1.

    Raises ``ValueError`` for points outside of 0 to ``n``.
    """
    if not 0 <= points <= n:
        raise ValueError(f"{points} wins in {n} votes is no rate.")
    if n == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate, spread = points / n, z * z / n
    centre = (rate + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (rate * (1 - rate) + spread / 4)) / (1 + spread)
    # At 0 and 1 an end is the rate itself; rounding must not put it beyond.
    return Interval(max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half)))


def matrix(votes: Iterable[Vote], confidence: float = 0.95) -> dict[tuple[str, str], Duel]:
    """``[system, against]`` for every ordered pair of the systems voted on, row after row by name."""
    votes = tuple(votes)
    met, systems = duels(votes), systems_of(votes)
    return {
        (one, other): _duel(one, other, met.get((one, other), Tally()), confidence)
        for one in systems
        for other in systems
        if one != other
    }


def _duel(system: str, against: str, record: Tally, confidence: float) -> Duel:
    interval = wilson(record.points, record.n, confidence)
    return Duel(system, against, record, record.rate, interval.low, interval.high)
