"""Votes between two answers, and how often each system won.

One treatment of draws holds in this whole room: a vote that names no winner, ``tie`` or ``both_bad``, counts half a
win for each side, in win rates as in Bradley–Terry. ``both_bad`` is also counted apart, for it says something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from moa.evals.style import Style

Outcome = Literal["left", "right", "tie", "both_bad"]

_MIRRORED: dict[Outcome, Outcome] = {"left": "right", "right": "left", "tie": "tie", "both_bad": "both_bad"}
_POINTS: dict[Outcome, float] = {"left": 1.0, "right": 0.0, "tie": 0.5, "both_bad": 0.5}


@dataclass(frozen=True, slots=True)
class Vote:
    """What one reader thought of two answers to one question; ``left`` and ``right`` name the systems that gave them.

    Raises ``ValueError`` for a system compared with itself, which says nothing of either.
    """

    left: str
    right: str
    outcome: Outcome
    left_chars: int
    right_chars: int
    left_style: Style
    right_style: Style
    at: datetime
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.left == self.right:
            raise ValueError(f"A vote compares two systems, not {self.left!r} with itself.")

    @property
    def points(self) -> float:
        """The left side's share of the win: 1, a half or 0. The right side has the rest."""
        return _POINTS[self.outcome]

    def mirrored(self) -> Vote:
        """The same vote with its sides swapped."""
        return Vote(
            self.right, self.left, _MIRRORED[self.outcome], self.right_chars, self.left_chars,
            self.right_style, self.left_style, self.at, self.tags,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """One side's record. ``ties`` are those of the outcome ``tie`` alone; ``both_bad`` stands beside them."""

    wins: int = 0
    losses: int = 0
    ties: int = 0
    both_bad: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.wins + other.wins, self.losses + other.losses, self.ties + other.ties, self.both_bad + other.both_bad
        )

    @property
    def n(self) -> int:
        """All votes of this record."""
        return self.wins + self.losses + self.ties + self.both_bad

    @property
    def points(self) -> float:
        """Wins, with half a win for each vote that names no winner."""
        return self.wins + (self.ties + self.both_bad) / 2

    @property
    def rate(self) -> float | None:
        """Points a vote, from 0 to 1; None without votes."""
        return self.points / self.n if self.n else None


def systems_of(votes: Iterable[Vote]) -> tuple[str, ...]:
    """The systems that were voted on, by name."""
    return tuple(sorted({name for vote in votes for name in (vote.left, vote.right)}))


def duels(votes: Iterable[Vote]) -> dict[tuple[str, str], Tally]:
    """``[one, other]``: the record of one system against another, for each ordered pair that met."""
    seen: Counter[tuple[str, str, Outcome]] = Counter()
    for vote in votes:
        seen[vote.left, vote.right, vote.outcome] += 1
        seen[vote.right, vote.left, _MIRRORED[vote.outcome]] += 1
    return {
        (one, other): Tally(*(seen[one, other, outcome] for outcome in _MIRRORED))
        for one, other in sorted({(one, other) for one, other, _ in seen})
    }


def tallies(votes: Iterable[Vote]) -> dict[str, Tally]:
    """The record of each system against all others, in the order of their names."""
    found: dict[str, Tally] = {}
    for (system, _), record in duels(votes).items():
        found[system] = found.get(system, Tally()) + record
    return found


def tagged(votes: Iterable[Vote], tag: str) -> tuple[Vote, ...]:
    """The votes that carry a tag."""
    return tuple(vote for vote in votes if tag in vote.tags)
