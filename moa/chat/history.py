"""From stored turns to what models see and pages show. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from moa.chat.values import RunRecord, TurnRecord
from moa.core.domain import Message, Role, RunResult
from moa.core.view import RunView, fold_all, replay
from moa.engine.plans import plan_of


def messages_of(earlier: Iterable[TurnRecord], question: str) -> tuple[Message, ...]:
    """The conversation as every agent sees it: user turns and *final* answers of the path, then the question.

    Earlier proposals are never part of it (paper, section 3.1 and its ``bot.py``). A turn without any answer
    (failed, or stopped before its first word) is left out: a question without a reply would read as part of
    the next one.
    """
    messages: list[Message] = []
    for turn in earlier:
        answer = _answer(turn.shown.result)
        if answer:
            messages += (Message(Role.USER, turn.question), Message(Role.ASSISTANT, answer))
    return (*messages, Message(Role.USER, question))


def view_of(run: RunRecord) -> RunView:
    """The view of a stored run, by the same reducer that a live one is shown with."""
    return fold_all(replay(run.recipe, plan_of(run.recipe).slots(), run.outcomes, run.result, run.left_out))


def _answer(result: RunResult | None) -> str:
    return result.answer.strip() if result else ""
