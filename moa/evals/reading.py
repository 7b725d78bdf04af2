"""Several texts read together: their sentences, and how much of each sentence's wording every text has."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from moa.evals.grams import Grams, Ints, grams
from moa.evals.sentences import Span, sentences
from moa.evals.words import Word, words

# From here on a sentence counts as near to a text. Of the sentences in published answers of a mixture, four in
# a thousand come as near to four models' answers to another question, and four in ten to those to the same one.
NEAR = 0.4

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """``spans`` are the sentences of all texts, text after text; ``owners`` says whose each is and ``sizes`` how many
    words it has. ``nearness[text, sentence]`` is how much of its wording a text has, from 0 to 1. ``said[text]`` tells
    of each distinct word and pair of words in all texts whether this one has it."""

    spans: tuple[Span, ...]
    owners: Ints
    sizes: Ints
    nearness: Floats
    said: NDArray[np.bool_]

    def of(self, text: int) -> list[int]:
        """The numbers of one text's sentences."""
        first, end = np.searchsorted(self.owners, (text, text + 1)).tolist()
        return list(range(first, end))


def read(texts: Sequence[str]) -> Reading:
    """Read some texts. A sentence's nearness to a text is the share of its runs of one, two and three words that the
    text has as well, averaged over the three: 1 for a copy, 0 where not even a word is shared."""
    spans = [sentences(text) for text in texts]
    found = [words(text) for text in texts]
    offsets = [0, *accumulate(len(own) for own in spans)]
    where = np.array(
        [i for own, said, first in zip(spans, found, offsets, strict=False) for i in _sentence_of(own, said, first)],
        dtype=np.int64,
    )
    runs = [
        (*_shares(one, where, offsets[-1]), one.counts > 0)
        for one in grams([[word.text for word in text] for text in found], 3)
    ]
    shares, has, said = zip(*runs, strict=True)
    return Reading(
        tuple(span for own in spans for span in own),
        np.array([text for text, own in enumerate(spans) for _ in own], dtype=np.int64),
        np.bincount(where, minlength=offsets[-1]),
        sum(shares) / np.maximum(sum(has), 1),
        np.concatenate(said[:2], axis=1),
    )


def _sentence_of(spans: Sequence[Span], found: Sequence[Word], first: int) -> list[int]:
    """Which sentence each word of a text is in, when its first one has the number ``first``."""
    starts = [span.start for span in spans]
    return [first - 1 + bisect_right(starts, word.start) for word in found]


def _shares(one: Grams, where: Ints, sentences: int) -> tuple[Floats, NDArray[np.bool_]]:
    """The share of each sentence's runs of one length that each text has, and whether it has any such run."""
    inside = where[one.starts] == where[one.starts + one.order - 1]
    ids, where = one.ids[inside], where[one.starts[inside]]
    runs = np.bincount(where, minlength=sentences)
    held = [np.bincount(where, weights=counts[ids] > 0, minlength=sentences) for counts in one.counts]
    return np.array(held).reshape(len(held), sentences) / np.maximum(runs, 1), runs > 0
