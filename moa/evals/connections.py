"""Which systems the votes connect, and whether they connect them both ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moa.evals.votes import Vote, duels


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """``together``: whether a chain of votes, won or lost, leads from one system to another. ``separable``: whether
    some such pair has no chain of wins one way or the other, so that their distance has no maximum likelihood (Ford,
    Am. Math. Monthly 64, 1957)."""

    together: NDArray[np.bool_]
    separable: bool

    def named(self, systems: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """The connected groups by name, largest first."""
        groups = {tuple(s for s, linked in zip(systems, row, strict=True) if linked) for row in self.together}
        return tuple(sorted(groups, key=lambda group: (-len(group), group)))


def connected(votes: Iterable[Vote], systems: Sequence[str]) -> Connections:
    """How the votes connect these systems. A vote without a winner connects both ways."""
    column = {system: i for i, system in enumerate(systems)}
    won = np.eye(len(systems), dtype=np.bool_)
    for (one, other), record in duels(votes).items():
        won[column[one], column[other]] = record.points > 0
    beats, together = _closed(won), _closed(won | won.T)
    return Connections(together, bool((together & ~beats).any()))


def _closed(links: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The links and all chains of them: each squaring doubles the length of the chains that are known."""
    for _ in range(len(links).bit_length()):
        links = links @ links
    return links
