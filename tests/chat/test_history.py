"""What models are told of earlier turns."""

from __future__ import annotations

import datetime as dt

from moa.chat.history import messages_of
from moa.chat.values import RunRecord, TurnRecord
from moa.core.domain import Message, Role, RunResult, Status
from tests.chat.conftest import MIXTURE

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def turn(question: str, answer: str | None, status: Status = Status.COMPLETE) -> TurnRecord:
    result = None if answer is None else RunResult(status, answer, None, ())
    run = RunRecord("r", "t", 1, MIXTURE, 0, status, NOW, result=result)
    return TurnRecord("t", "c", None, 0, question, NOW, (run,), "r")


def test_history_is_questions_and_final_answers() -> None:
    earlier = [turn("One?", "Uno."), turn("Two?", "Dos.", Status.DEGRADED)]
    assert messages_of(earlier, "Three?") == (
        Message(Role.USER, "One?"),
        Message(Role.ASSISTANT, "Uno."),
        Message(Role.USER, "Two?"),
        Message(Role.ASSISTANT, "Dos."),
        Message(Role.USER, "Three?"),
    )


def test_a_turn_without_any_answer_is_left_out_and_a_stopped_one_counts_as_far_as_it_came() -> None:
    earlier = [turn("Lost?", "", Status.FAILED), turn("Cut?", None), turn("Stopped?", "Half", Status.CANCELLED)]
    assert messages_of(earlier, "Now?") == (
        Message(Role.USER, "Stopped?"),
        Message(Role.ASSISTANT, "Half"),
        Message(Role.USER, "Now?"),
    )
