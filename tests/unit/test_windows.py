from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.core.domain import Agent, LeftOut, Message, Part, PromptStyle, Proposal, Role, Slot
from moa.engine.plans import PlannedCall
from moa.engine.prompts import Composed, compose
from moa.engine.windows import estimate_prompt, fit
from tests.support.mixtures import ask


class Composer:
    """The real prompts around these proposals; counts how often it is asked."""

    def __init__(self, *texts: str, style: PromptStyle = PromptStyle.PAPER) -> None:
        proposals = tuple(Proposal(Slot(1, n), Agent("m"), text) for n, text in enumerate(texts, 1))
        self.call = PlannedCall(Slot(2, 1), Agent("agg", Part.AGGREGATOR), proposals)
        self.style = style
        self.asked = 0

    def __call__(self, conversation: Sequence[Message], chars: int) -> Composed:
        self.asked += 1
        return compose(self.call, conversation, style=self.style, system="Be kind.", seed=7, proposal_chars=chars)

    def fitted(
        self, talk: Sequence[Message], window: int | None, max_tokens: int | None = 100, chars: int = 12_000
    ) -> Composed:
        return fit(
            self, talk, context_tokens=window, max_tokens=max_tokens, proposal_chars=chars,
            proposals=len(self.call.proposals),
        )  # fmt: skip


def turns(count: int, words: int = 40) -> list[tuple[str, str]]:
    return [(f"Question {n}?", f"Answer {n}. " + "word " * words) for n in range(1, count + 1)]


def asked(composed: Composed) -> list[str]:
    return [m.text for m in composed.messages if m.role is Role.USER]


def test_what_fits_is_left_alone() -> None:
    composer = Composer("One.", "Two.")
    talk = ask("Last?", *turns(3))
    for window in (None, 1_000_000):
        assert composer.fitted(talk, window) == composer(talk, 12_000)


def test_the_oldest_turns_go_first_and_whole() -> None:
    talk = ask("Last?", *turns(10))
    composed = Composer().fitted(talk, 500)
    kept = asked(composed)
    assert kept[-1] == "Last?"
    assert 1 < len(kept) < 11
    assert kept[:-1] == [f"Question {n}?" for n in range(12 - len(kept), 11)]
    assert composed.left_out == LeftOut(turns=11 - len(kept))
    assert composed.messages[0] == Message(Role.SYSTEM, "Be kind.")
    assert [m.role for m in composed.messages[1:]] == [Role.USER, Role.ASSISTANT] * (len(kept) - 1) + [Role.USER]
    assert estimate_prompt(composed.messages) <= 500 * 0.95 - 100
    one_more = talk[-2 * len(kept) - 1 :]
    assert estimate_prompt(Composer()(one_more, 0).messages) > 500 * 0.95 - 100


def test_turns_go_before_proposals_that_take_no_more_than_their_half() -> None:
    proposals = ["alpha " * 250, "beta " * 300]
    composed = Composer(*proposals).fitted(ask("Last?", *turns(40)), 2_400)
    assert composed.left_out.turns > 0
    assert composed.left_out.proposal_chars == 0
    assert "alpha " * 249 in composed.messages[0].text


def test_proposals_are_cut_before_they_push_out_all_history() -> None:
    composed = Composer("alpha " * 2_000, "beta " * 2_000).fitted(ask("Last?", *turns(4, words=10)), 1_500)
    assert composed.left_out.turns == 0
    assert composed.left_out.proposal_chars > 0
    assert estimate_prompt(composed.messages) <= 1_500 * 0.95 - 100


def test_only_the_longest_proposals_are_cut_and_no_more_than_needed() -> None:
    composer = Composer("long " * 2_000, "short answer")
    composed = composer.fitted(ask("Last?"), 2_000)
    room = 2_000 * 0.95 - 100
    assert composed.messages[0].text.endswith("\n2. short answer")
    assert room - 30 <= estimate_prompt(composed.messages) <= room


@pytest.mark.parametrize("style", list(PromptStyle))
def test_the_last_question_is_never_cut_even_where_nothing_fits(style: PromptStyle) -> None:
    question = "long question " * 500
    composed = Composer("a" * 1_000, "b" * 1_000, style=style).fitted(ask(question, *turns(3)), 300)
    assert asked(composed)[-1].startswith(question)
    assert len(asked(composed)) == 1
    assert composed.left_out == LeftOut(turns=3, proposal_chars=1_600)


def test_room_for_the_answer_is_kept() -> None:
    talk = ask("Last?", *turns(30))
    kept = {tokens: estimate_prompt(Composer().fitted(talk, 1_000, tokens).messages) for tokens in (100, 400, None)}
    assert kept[100] <= 850
    assert kept[400] <= 550
    assert kept[None] <= 700  # a quarter of the window
    assert kept[400] < kept[None] < kept[100]


def test_an_answer_as_long_as_the_window_leaves_half_for_the_prompt() -> None:
    """A max_tokens of the window's size must not throw away every turn."""
    composed = Composer().fitted(ask("Last?", *turns(30)), 1_000, max_tokens=1_000)
    assert 300 <= estimate_prompt(composed.messages) <= 450


def test_cutting_takes_few_tries() -> None:
    """It runs in the event loop: a cut that walks down one character at a time would hold up everybody."""
    composer = Composer(*("word " * 400 for _ in range(6)))
    whole = estimate_prompt(composer(ask("Last?"), 12_000).messages)
    composer.asked = 0
    composed = composer.fitted(ask("Last?"), int((whole + 100 - 1) / 0.95))
    assert composed.left_out.proposal_chars > 0
    assert composer.asked < 25


@settings(max_examples=60, deadline=None)
@given(
    st.integers(200, 3_000), st.integers(0, 8), st.lists(st.integers(0, 3_000), max_size=4),
    st.sampled_from(list(PromptStyle)), st.sampled_from(["word ", "界", "ш"]),
)  # fmt: skip
def test_it_fits_or_everything_that_may_go_has_gone(
    window: int, history: int, lengths: list[int], style: PromptStyle, word: str
) -> None:
    composer = Composer(*((word * n)[:n] or "x" for n in lengths), style=style)
    talk = ask("Last?", *turns(history))
    composed = composer.fitted(talk, window)
    room = int(window * 0.95) - min(100, window // 2)
    kept = len(asked(composed))
    assert asked(composed)[-1].startswith("Last?")
    assert composed.left_out.turns == history + 1 - kept
    if estimate_prompt(composed.messages) > room:
        assert kept == 1
        assert composed == Composed(composer(talk[-1:], 200).messages, composed.left_out)


def test_an_estimate_counts_each_message() -> None:
    assert estimate_prompt(()) == 0
    assert estimate_prompt(ask("four")) == 1 + 6
    assert estimate_prompt(ask("four", ("Hi", "你好"))) == 1 + 1 + 2 + 18
