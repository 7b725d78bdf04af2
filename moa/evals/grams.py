"""Runs of n tokens, as numbers that are equal where the runs are, across several texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """All runs of ``order`` tokens within the texts: which run each is, and at which token it begins, counted through
    all texts. ``counts`` has a row for each text and a column for each distinct run."""

    order: int
    ids: Ints
    starts: Ints
    counts: Ints


def grams(texts: Sequence[Sequence[str]], orders: int) -> Iterator[Grams]:
    """The runs of one token, of two, and so on up to ``orders``. Two runs have the same number only if they are equal:
    no hash stands for them. One length after another, for the counts of long texts take megabytes."""
    flat = [token for text in texts for token in text]
    owner = np.repeat(np.arange(len(texts)), np.array([len(text) for text in texts], dtype=np.int64))
    numbers = {token: i for i, token in enumerate(dict.fromkeys(flat))}
    single = np.fromiter(map(numbers.__getitem__, flat), np.int64, len(flat))
    ids = single
    for order in range(1, orders + 1):
        if order > 1:  # a run is the run shorter by one, and its last token
            ids = np.unique(ids[:-1] * len(numbers) + single[order - 1 :], return_inverse=True)[1]
        yield _within(ids, owner, order, len(texts))


def _within(ids: Ints, owner: Ints, order: int, texts: int) -> Grams:
    """Those runs that don't go over the end of their text."""
    starts = np.flatnonzero(owner[: len(ids)] == owner[order - 1 :])
    width = int(ids.max(initial=-1)) + 1
    counts = np.bincount(owner[starts] * width + ids[starts], minlength=texts * width).reshape(texts, width)
    return Grams(order, ids[starts], starts, counts)
