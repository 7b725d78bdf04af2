"""One text for the answer and one for what was thought before it, whoever writes at the same time."""

from __future__ import annotations

from moa.api.telling import Telling
from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Part,
    Proposal,
    RunResult,
    Slot,
    Status,
)
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    Event,
    LayerStarted,
    ReasoningDelta,
    RunEnded,
    TextDelta,
)

A, B, W, F = Slot(1, 1), Slot(1, 2), Slot(2, 1), Slot(2, 2)
ONE, TWO = Agent("a"), Agent("b", label="Careful")
WRITER, SPARE = Agent("w", Part.AGGREGATOR), Agent("f", Part.AGGREGATOR)
LAYER = LayerStarted(0, 0, 1, Part.PROPOSER, ((A, ONE), (B, TWO)))
LAST = LayerStarted(0, 0, 2, Part.AGGREGATOR, ((W, WRITER),))
NEXT = LayerStarted(0, 0, 2, Part.AGGREGATOR, ((F, SPARE),))
HEAD_A, HEAD_B = "### A · layer 1\n\n", "### Careful (B) · layer 1\n\n"


def text(slot: Slot, words: str) -> Event:
    return TextDelta(0, 0, slot, words)


def done(slot: Slot) -> Event:
    return AgentFinished(0, 0, slot, Proposal(slot, ONE, "x"))


def failed(slot: Slot) -> Event:
    return AgentFailed(0, 0, slot, Failure(slot, ONE, FailureKind.DROPPED, "Lost."))


def again(slot: Slot) -> Event:
    return AgentRetrying(0, 0, slot, 2, FailureKind.DROPPED, 0)


def ended(slot: Slot | None, answer: str = "x", status: Status = Status.COMPLETE) -> Event:
    return RunEnded(0, 0, RunResult(status, answer, slot, ()))


def told(*events: Event) -> tuple[str, str, str]:
    """What was thought, what was answered, and how it ended."""
    thought: list[str] = []
    answer: list[str] = []
    end: list[str] = []
    telling = Telling(
        str.upper, answer=answer.append, thought=thought.append,
        broke=lambda failure: end.append("broke" if failure is None else failure.public),
        over=lambda result: end.append(result.status),
    )  # fmt: skip
    for event in events:
        telling.take(event)
    return "".join(thought), "".join(answer), " ".join(end)


def test_the_first_that_writes_is_told_as_it_writes_and_the_others_in_their_turn() -> None:
    begun = (LAYER, text(B, "b1 "), text(A, "a1 "))
    assert told(*begun) == (f"{HEAD_A}a1 ", "", "")
    going = (*begun, text(B, "b2 "), text(A, "a2"), done(A))
    assert told(*going) == (f"{HEAD_A}a1 a2\n\n{HEAD_B}b1 b2 ", "", "")
    whole = (*going, text(B, "b3"), done(B), LAST, text(W, "w1 "), text(W, "w2"), done(W), ended(W))
    assert told(*whole) == (f"{HEAD_A}a1 a2\n\n{HEAD_B}b1 b2 b3", "w1 w2", "complete")


def test_who_ends_before_their_turn_is_told_whole() -> None:
    assert told(LAYER, text(B, "b"), done(B), text(A, "a"), done(A))[0] == f"{HEAD_A}a\n\n{HEAD_B}b"


def test_who_fails_says_so_and_who_begins_again_too() -> None:
    assert told(LAYER, text(A, "a"), failed(A), failed(B))[0] == f"{HEAD_A}a\n\n*Lost.*\n\n{HEAD_B}*Lost.*"
    twice = (LAYER, text(A, "a"), again(A), text(A, "aa"), text(B, "b"), again(B), text(B, "bb"), done(A))
    assert told(*twice)[0] == f"{HEAD_A}a\n\n*Attempt 2:*\n\naa\n\n{HEAD_B}bb"


def test_the_writer_thinks_aloud_below_a_heading_and_a_single_model_without() -> None:
    thinking = ReasoningDelta(0, 0, W, "Hm.")
    assert told(LAYER, ReasoningDelta(0, 0, A, "I think"), text(A, "a"), done(A), done(B), LAST, thinking)[0] == (
        f"{HEAD_A}a\n\n### W · layer 2\n\nHm."
    )
    assert told(LAST, thinking, text(W, "w"), ended(W)) == ("Hm.", "w", "complete")


def test_a_fallback_answers_where_nothing_was_answered_yet() -> None:
    assert told(LAST, failed(W), NEXT, text(F, "f"), done(F), ended(F, "f", Status.DEGRADED)) == ("", "f", "degraded")


def test_no_second_answer_follows_a_first_one() -> None:
    begun = (LAST, text(W, "w"))
    assert told(*begun, again(W), text(W, "ww"), ended(W)) == ("", "w", "broke")
    assert told(*begun, failed(W), NEXT, text(F, "f"), ended(F)) == ("", "w", "Lost.")
    assert told(*begun, ended(A)) == ("", "w", "broke")


def test_a_proposal_that_stands_in_is_the_answer() -> None:
    assert told(LAST, failed(W), ended(A, "a", Status.DEGRADED)) == ("", "a", "degraded")
    assert told(LAST, failed(W), ended(None, "", Status.FAILED)) == ("", "", "failed")
