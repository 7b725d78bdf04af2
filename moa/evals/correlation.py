"""Whether two measures put things into the same order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MeanCorrelation:
    """The mean of the items' correlations; None when no item has one. ``items`` have one, ``undefined`` have none."""

    mean: float | None
    items: int
    undefined: int


def average_ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Ranks from 1, the smallest value first; equal values share the mean of their ranks."""
    _, group, sizes = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks: NDArray[np.float64] = (last - (sizes - 1) / 2)[group]
    return ranks


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation, from -1 to 1: Pearson's of the average ranks (Spearman, Am. J. Psychol. 15, 1904).

    None where it is undefined: fewer than two pairs, a side whose values are all equal, or a value that is no finite
    number. Raises ``ValueError`` for sides of different lengths.
    """
    if len(one) != len(other):
        raise ValueError(f"{len(one)} values can't be paired with {len(other)}.")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return None
    ours, theirs = (ranks - (len(one) + 1) / 2 for ranks in (average_ranks(one), average_ranks(other)))
    scale = float(np.sqrt((ours @ ours) * (theirs @ theirs)))
    return max(-1.0, min(1.0, float(ours @ theirs) / scale)) if scale else None


def mean_spearman(items: Iterable[tuple[Sequence[float], Sequence[float]]]) -> MeanCorrelation:
    """The correlation within each item, then its mean over the items: how the paper's figure 4 relates the overlap of
    an answer with its proposals to the judge's preference between them."""
    found = [spearman(one, other) for one, other in items]
    known = [value for value in found if value is not None]
    return MeanCorrelation(float(np.mean(known)) if known else None, len(known), len(found) - len(known))
