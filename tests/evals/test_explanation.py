from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.evals.agreement import agreement, dissent
from moa.evals.attribution import attribution
from moa.evals.explanation import explain
from moa.evals.overlap import overlap
from moa.evals.reading import NEAR
from moa.evals.sentences import sentences
from tests.evals.made import published
from tests.evals.texts import HOSTILE, texts

RAIN = "Rain falls when small drops of water grow together in a cloud. Then they are too heavy to float."
ICE = "Most rain begins as ice high up in the cold part of a cloud. Then they are too heavy to float."
MYTH = "Rain is sent by the gods of the mountain to punish farmers. Then they are too heavy to float."
ANSWER = (
    "# Rain\n\nMost rain begins as ice high up in the cold. Small drops of water grow together in a cloud.\n"
    "Then they are too heavy to float. Umbrellas have nothing to do with any of it!"
)
several = st.lists(texts, max_size=4)


def said(text: str, found: object) -> str:
    span = found.span  # type: ignore[attr-defined]  # an Origin or a Dissent
    return text[span.start : span.end]


def test_each_sentence_is_given_to_the_proposal_that_it_is_nearest_to() -> None:
    found = {said(ANSWER, origin): origin for origin in attribution(ANSWER, (RAIN, ICE, MYTH))}
    assert found["Most rain begins as ice high up in the cold."].proposal == 1
    assert found["Most rain begins as ice high up in the cold."].score == 1
    assert found["Small drops of water grow together in a cloud."].near == (0,)
    assert found["Then they are too heavy to float."].near == (0, 1, 2)
    assert found["Umbrellas have nothing to do with any of it!"].proposal is None
    assert found["Umbrellas have nothing to do with any of it!"].score < NEAR


def test_dissent_is_what_one_proposal_says_alone() -> None:
    rain, ice, myth = dissent((RAIN, ICE, MYTH))
    assert [said(RAIN, one) for one in rain] == ["Rain falls when small drops of water grow together in a cloud."]
    assert [said(ICE, one) for one in ice] == ["Most rain begins as ice high up in the cold part of a cloud."]
    assert [said(MYTH, one) for one in myth] == ["Rain is sent by the gods of the mountain to punish farmers."]
    assert dissent((RAIN, RAIN)) == ((), ())
    assert dissent((RAIN,)) == ((),)


def test_dissent_shows_five_at_most_the_long_ones_first() -> None:
    odd = " ".join(f"{name} {' '.join(name * n for n in range(2, size))}." for size, name in enumerate("abcdefgh", 4))
    first, _ = dissent((odd, RAIN))
    lengths = [one.span.end - one.span.start for one in first]
    assert len(lengths) == 5
    assert lengths == sorted(lengths, reverse=True)


def test_agreement_tells_who_says_the_same() -> None:
    found = agreement((RAIN, RAIN.upper(), ICE, "今天下雨。"))
    assert found[0][1] == 1
    assert 0.2 < found[0][2] < 0.8
    assert found[0][3] == 0
    assert agreement(("天空是蓝色的", "天空是红色的"))[0][1] > 0.2


def test_one_word_answers_are_read_too() -> None:
    found = explain("42", ["42", "It is 42.", "It is 43."])
    assert found.origins[0].near == (0, 1)
    assert found.overlaps[0].share > found.overlaps[1].share > found.overlaps[2].share == 0


@settings(deadline=None)
@given(texts, several)
def test_attribution_covers_each_sentence_in_order(answer: str, proposals: list[str]) -> None:
    found = attribution(answer, proposals)
    assert tuple(origin.span for origin in found) == sentences(answer)
    for origin in found:
        assert 0 <= origin.score <= 1
        assert (origin.proposal is not None) == (origin.score >= NEAR and bool(proposals))
        assert set(origin.near) <= set(range(len(proposals)))


@settings(deadline=None)
@given(texts, several)
def test_a_copied_sentence_is_nearest_to_where_it_was_copied_from(answer: str, proposals: list[str]) -> None:
    copied = attribution(answer, [*proposals, answer])
    for origin in copied:
        if any(char.isalnum() and char.isascii() for char in said(answer, origin)):
            assert origin.score == 1
            assert len(proposals) in origin.near


@settings(deadline=None)
@given(several)
def test_agreement_is_symmetric_and_whole_with_oneself(proposals: list[str]) -> None:
    found = agreement(proposals)
    for i, row in enumerate(found):
        assert row[i] == 1
        for j, value in enumerate(row):
            assert 0 <= value <= 1
            assert value == found[j][i]
    twice = agreement([*proposals, *proposals])
    assert all(twice[i][i + len(proposals)] in (0, 1) for i in range(len(proposals)))


@settings(deadline=None)
@given(texts, several, st.randoms(use_true_random=False))
def test_the_order_of_proposals_changes_only_their_numbers(answer: str, proposals: list[str], chance: object) -> None:
    order = list(range(len(proposals)))
    chance.shuffle(order)  # type: ignore[attr-defined]  # random.Random
    moved = [proposals[i] for i in order]
    before, after = explain(answer, proposals), explain(answer, moved)
    for one, other in zip(before.origins, after.origins, strict=True):
        assert other.score == pytest.approx(one.score)
        assert {order[i] for i in other.near} == set(one.near)
    for place, i in enumerate(order):
        assert after.dissents[place] == before.dissents[i]
        assert [after.agreement[place][k] for k in range(len(order))] == [before.agreement[i][j] for j in order]


@settings(deadline=None)
@given(texts, several)
def test_an_explanation_is_all_its_parts(answer: str, proposals: list[str]) -> None:
    found = explain(answer, proposals)
    assert found.overlaps == overlap(answer, proposals)
    assert found.origins == attribution(answer, proposals)
    assert found.agreement == agreement(proposals)
    assert found.dissents == dissent(proposals)
    assert all(one.distance > 1 - NEAR for own in found.dissents for one in own)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_is_too_hostile_to_explain(name: str) -> None:
    answer = HOSTILE[name]
    found = explain(answer, [answer[start : start + 12_000] for start in range(0, 12_000, 1_000)])
    assert len(found.origins) == len(sentences(answer))
    assert len(found.overlaps) == len(found.agreement) == len(found.dissents) == 12


def test_published_answers_are_near_to_those_of_the_same_question_only() -> None:
    mixture = published("outputs-Together-MoA")[:30]
    models = [published(f"outputs-{name}")[:31] for name in ("Qwen1.5-110B-Chat", "Meta-Llama-3-70B-Instruct")]
    near = [
        [bool(origin.near) for i, one in enumerate(mixture)
         for origin in attribution(one["output"], [model[i + shift]["output"] for model in models])
         if origin.span.end - origin.span.start > 30]
        for shift in (0, 1)
    ]  # fmt: skip
    own, others = (sum(found) / len(found) for found in near)
    assert own > 0.2
    assert others < 0.02
