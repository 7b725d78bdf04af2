"""What a reader said of answers that stood side by side, as the results page takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Literal

from moa.evals.style import Style
from moa.evals.votes import Vote


@dataclass(frozen=True, slots=True)
class Side:
    """One answer: the system that gave it, its length in characters, its style, and what it took. None is unknown.
    0 characters are those of a system that failed to answer.

    ``overlaps`` are, for a mixture, how much of the answer each proposer's text shares with it, by the proposer's name
    as a system.
    """

    system: str
    chars: int
    style: Style
    cost_microusd: int | None = None
    duration_ms: int | None = None
    first_token_ms: int | None = None
    tokens: int | None = None
    overlaps: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two or more answers to one question. ``outcome`` is the index of the best side, or ``tie``, or ``bad`` for all.
    ``blind``: it was given before the names were shown.

    Raises ``ValueError`` for fewer than two sides, or a winner that is none of them.
    """

    sides: tuple[Side, ...]
    outcome: int | Literal["tie", "bad"]
    at: datetime
    tags: tuple[str, ...] = ()
    blind: bool = False

    def __post_init__(self) -> None:
        if len(self.sides) < 2:
            raise ValueError("A comparison has at least two sides.")
        if isinstance(self.outcome, int) and not 0 <= self.outcome < len(self.sides):
            raise ValueError(f"Side {self.outcome} can't win among {len(self.sides)}.")

    @property
    def systems(self) -> tuple[str, ...]:
        """The different systems that were compared, by name."""
        return tuple(sorted({side.system for side in self.sides}))


def votes_of(comparisons: Iterable[Comparison]) -> tuple[Vote, ...]:
    """The comparisons as votes between two: the winner beats each other side, of which none beats another; a tie, or
    all bad, holds for every pair. Two answers of one system say nothing of it and are left out."""
    return tuple(vote for comparison in comparisons for vote in _pairs(comparison))


def _pairs(comparison: Comparison) -> Iterator[Vote]:
    for (i, one), (j, other) in combinations(enumerate(comparison.sides), 2):
        if one.system == other.system:
            continue
        if comparison.outcome == "tie":
            yield _vote(comparison, one, other, "tie")
        elif comparison.outcome == "bad":
            yield _vote(comparison, one, other, "both_bad")
        elif comparison.outcome == i:
            yield _vote(comparison, one, other, "left")
        elif comparison.outcome == j:
            yield _vote(comparison, one, other, "right")


def _vote(
    comparison: Comparison, left: Side, right: Side, outcome: Literal["left", "right", "tie", "both_bad"]
) -> Vote:
    """An answer that isn't there has no style to hold equal: it gets the other's, so that they don't differ in it."""
    ours, theirs = (left if left.chars else right), (right if right.chars else left)
    return Vote(
        left.system, right.system, outcome, ours.chars, theirs.chars, ours.style, theirs.style,
        comparison.at, comparison.tags,
    )  # fmt: skip
