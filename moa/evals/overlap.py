"""How much of an answer's wording each proposal has: the paper's figure 4 measures it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from moa.evals.grams import grams
from moa.evals.words import tokens


@dataclass(frozen=True, slots=True)
class Overlap:
    """One proposal's part in an answer. BLEU is from 0 to 1, of the answer with the proposal as its only reference.

    ``share`` is the mean of the three over that of all proposals together: they add up to 1, or are all 0 where
    nothing overlaps.
    """

    bleu3: float
    bleu4: float
    bleu5: float
    share: float

    @property
    def mean(self) -> float:
        """The mean of the three."""
        return (self.bleu3 + self.bleu4 + self.bleu5) / 3


def overlap(answer: str, proposals: Sequence[str]) -> tuple[Overlap, ...]:
    """The overlap of an answer with each of its proposals.

    sacrebleu's sentence BLEU with its defaults: exponential smoothing, effective order, here up to 3, 4 and 5 tokens.
    Tokens are this room's, in lower case, for sacrebleu's own cut no East Asian text without further packages; and
    they are counted once for all proposals and orders, where sacrebleu would count them anew for each.
    """
    cut = [tokens(text) for text in (answer, *proposals)]
    matches = [np.minimum(one.counts[0], one.counts[1:]).sum(axis=1).tolist() for one in grams(cut, 5)]
    scores = [
        _bleus(own, len(cut[0]), len(text)) for own, text in zip(zip(*matches, strict=True), cut[1:], strict=True)
    ]
    total = sum(sum(three) for three in scores)
    return tuple(Overlap(*three, share=sum(three) / total if total else 0.0) for three in scores)


def _bleus(matches: Sequence[int], answer: int, proposal: int) -> tuple[float, float, float]:
    """BLEU up to 3, 4 and 5 tokens, of so many matches of each length between texts of so many tokens."""
    return _bleu(matches[:3], answer, proposal), _bleu(matches[:4], answer, proposal), _bleu(matches, answer, proposal)


def _bleu(matches: Sequence[int], answer: int, proposal: int) -> float:
    runs = [max(0, answer - i) for i in range(len(matches))]
    score = BLEU.compute_bleu(
        list(matches), runs, answer, proposal,
        smooth_method="exp", effective_order=True, max_ngram_order=len(matches),
    ).score  # fmt: skip
    return min(1.0, score / 100)
