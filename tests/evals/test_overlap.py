from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

from moa.evals.overlap import overlap
from moa.evals.words import tokens
from tests.evals.made import published
from tests.evals.texts import texts

ANSWER = "The sky is blue because air scatters blue light more than red light."
PROPOSALS = (
    "The sky is blue because air scatters blue light.",
    "Red light is scattered less by air, so that the sky is blue.",
    "Ask your teacher!",
)


def by_sacrebleu(answer: str, proposal: str, order: int) -> float:
    judge = BLEU(tokenize="none", effective_order=True, max_ngram_order=order)
    return judge.sentence_score(" ".join(tokens(answer)), [" ".join(tokens(proposal))]).score / 100


@settings(deadline=None)
@given(texts, st.lists(texts, max_size=3))
def test_overlap_is_the_sentence_bleu_of_sacrebleu(answer: str, proposals: list[str]) -> None:
    for proposal, found in zip(proposals, overlap(answer, proposals), strict=True):
        three = (found.bleu3, found.bleu4, found.bleu5)
        assert three == pytest.approx([by_sacrebleu(answer, proposal, order) for order in (3, 4, 5)], abs=1e-9)
        assert all(0 <= one <= 1 for one in three)


def test_overlap_follows_what_the_answer_took() -> None:
    most, some, none = overlap(ANSWER, PROPOSALS)
    assert most.bleu3 > some.bleu3 > 0
    assert (none.bleu3, none.bleu4, none.bleu5, none.share) == (0, 0, 0, 0)
    assert most.share > 0.7
    assert most.share + some.share == pytest.approx(1)
    assert most.mean == pytest.approx((most.bleu3 + most.bleu4 + most.bleu5) / 3)


def test_overlap_reads_chinese() -> None:
    copied, other = overlap("天空是蓝色的,因为空气散射蓝光。", ["天空是蓝色的,因为空气散射蓝光。", "我不知道答案。"])
    assert copied.bleu5 == pytest.approx(1)
    assert other.bleu5 < 0.1


def test_nothing_overlaps_with_nothing() -> None:
    assert overlap("", []) == ()
    assert [found.share for found in overlap("", ["", "x"])] == [0, 0]


@settings(deadline=None)
@given(texts, st.permutations(PROPOSALS))
def test_the_order_of_proposals_changes_only_the_order(answer: str, proposals: list[str]) -> None:
    found = dict(zip(PROPOSALS, overlap(answer, PROPOSALS), strict=True))
    moved = dict(zip(proposals, overlap(answer, proposals), strict=True))
    for proposal, one in found.items():
        assert moved[proposal].mean == one.mean
        assert moved[proposal].share == pytest.approx(one.share)


def test_a_published_mixture_overlaps_more_with_answers_to_its_own_question() -> None:
    mixture, model = published("outputs-Together-MoA")[:40], published("outputs-Qwen1.5-110B-Chat")[:41]
    own, others = (sum(overlap(one["output"], [model[i + shift]["output"]])[0].mean for i, one in enumerate(mixture))
                   for shift in (0, 1))  # fmt: skip
    assert own > 3 * others
