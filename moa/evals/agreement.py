"""Where proposals agree, and what only one of them says: in their wording, for meaning is not looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moa.evals.reading import NEAR, Reading, read
from moa.evals.sentences import Span

_SHORTEST = 4  # words; fewer are a heading or a label
_MOST = 5

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Dissent:
    """A sentence of a proposal, and how far the nearest other proposal is from it: over 0.6, where nearness ends, and
    1 at most."""

    span: Span
    distance: float


def agreement(proposals: Sequence[str]) -> Matrix:
    """How alike each two proposals are, from 0 to 1: the share of their distinct words and pairs of words that both
    have (Dice, Ecology 26, 1945). The matrix is symmetric; a text agrees wholly with itself, even one without words."""
    return alike(read(proposals), 0)


def alike(reading: Reading, first: int) -> Matrix:
    """``agreement`` of the texts of a reading from ``first`` on."""
    said = reading.said[first:].astype(np.float32)  # float, for whole numbers are multiplied slowly; exact up to 2**24
    common = (said @ said.T).astype(np.float64)
    sizes = np.diag(common)
    both = sizes[:, None] + sizes
    shares = np.divide(2 * common, both, out=np.zeros_like(common), where=both > 0)
    np.fill_diagonal(shares, 1.0)
    return tuple(tuple(row) for row in shares.tolist())


def dissent(proposals: Sequence[str]) -> tuple[tuple[Dissent, ...], ...]:
    """For each proposal, the sentences that no other comes near: five at most, those first that are long and far from
    all others. Nothing for a single proposal, which has no other to differ from."""
    return alone(read(proposals), 0)


def alone(reading: Reading, first: int) -> tuple[tuple[Dissent, ...], ...]:
    """``dissent`` of the texts of a reading from ``first`` on."""
    texts = range(first, len(reading.nearness))
    if len(texts) < 2:
        return tuple(() for _ in texts)
    return tuple(_dissents(reading, first, text) for text in texts)


def _dissents(reading: Reading, first: int, text: int) -> tuple[Dissent, ...]:
    own = [i for i in reading.of(text) if reading.sizes[i] >= _SHORTEST]
    others = np.delete(reading.nearness[first:], text - first, axis=0)[:, own]
    distances = (1 - others.max(axis=0)).tolist()
    far = [(distance, i) for distance, i in zip(distances, own, strict=True) if distance > 1 - NEAR]
    far.sort(key=lambda item: (-item[0] * int(reading.sizes[item[1]]), item[1]))
    return tuple(Dissent(reading.spans[i], distance) for distance, i in far[:_MOST])
