"""From stored turns to what models see and pages show. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace

from moa.chat.values import RunRecord, TurnRecord
from moa.core.domain import Agent, Message, Part, Proposal, Recipe, Role, RunResult, Slot, Status
from moa.core.events import AgentStarted, Event, LayerStarted, TextDelta
from moa.core.view import RunView, fold_all, replay
from moa.engine.plans import plan_of


def messages_of(earlier: Iterable[TurnRecord], question: str, of: Recipe | None = None) -> tuple[Message, ...]:
    """The conversation as every agent sees it: user turns and *final* answers of the path, then the question.

    Earlier proposals are never part of it (paper, section 3.1 and its ``bot.py``). A turn without any answer
    (failed, or stopped before its first word) is left out: a question without a reply would read as part of
    the next one. What answers in a column of a comparison, ``of``, sees what it said itself in earlier ones, whichever
    column it stood in then, and the answers of the path where it said nothing.
    """
    messages: list[Message] = []
    for turn in earlier:
        answer = _own_answer(turn, of) or _path_answer(turn)
        if answer:
            messages += (Message(Role.USER, turn.question), Message(Role.ASSISTANT, answer))
    return (*messages, Message(Role.USER, question))


def _own_answer(turn: TurnRecord, recipe: Recipe | None) -> str:
    if recipe is None or turn.comparison is None:
        return ""
    digest = recipe.digest
    own = next((run for run in (turn.shown, *turn.columns) if run.recipe.digest == digest), None)
    return _answer(own.result) if own else ""


def _path_answer(turn: TurnRecord) -> str:
    """What the chat goes on from: of a comparison the answer that its owner preferred, else the first column's."""
    chosen = next((run for run in turn.columns if turn.vote and run.id == turn.vote.choice), turn.shown)
    return _answer(chosen.result) or _answer(turn.shown.result)


def view_of(run: RunRecord) -> RunView:
    """The view of a stored run, by the same reducer that a live one is shown with.

    One under way in another process stands as of its last heartbeat.
    """
    plan = plan_of(run.recipe).slots()
    view = fold_all(replay(run.recipe, plan, run.outcomes, run.result, run.left_out))
    if run.status is not Status.RUNNING:
        return view
    at_ms = max(0, ((run.heartbeat_at or run.started_at) - run.started_at) // dt.timedelta(milliseconds=1))
    return replace(fold_all(_under_way(run, dict(plan), view.seq, at_ms), view), at_ms=at_ms)


def _under_way(run: RunRecord, plan: dict[Slot, Agent], seq: int, at_ms: int) -> Iterator[Event]:
    """What has happened by now to the slots that still grow."""
    for slot, text in sorted(run.growing.items()):
        agent, called_ms = plan.get(slot) or _fallback(run.recipe, plan, slot), min(at_ms, _called_ms(run, slot))
        yield LayerStarted(seq := seq + 1, called_ms, slot.layer, agent.part, ((slot, agent),))
        yield AgentStarted(seq := seq + 1, called_ms, slot, agent, ())
        yield TextDelta(seq := seq + 1, at_ms, slot, text)


def _fallback(recipe: Recipe, plan: dict[Slot, Agent], slot: Slot) -> Agent:
    """The agent of a slot beyond the plan: one that writes the answer when those before it have failed."""
    planned = sum(other.layer == slot.layer for other in plan)
    return replace(recipe.fallbacks[slot.position - planned - 1], part=Part.AGGREGATOR)


def _called_ms(run: RunRecord, slot: Slot) -> int:
    """When what a slot waits for was there: each layer waits for the one before, and in the last one all take turns."""

    def step(of: Slot) -> Slot:
        return of if of.layer == run.recipe.layer_count else Slot(of.layer, 0)

    took: dict[Slot, int] = {}
    for outcome in run.outcomes:
        at = step(outcome.slot)
        if at < step(slot) and not (isinstance(outcome, Proposal) and outcome.reused):
            took[at] = max(took.get(at, 0), outcome.duration_ms)
    return sum(took.values())


def _answer(result: RunResult | None) -> str:
    return result.answer.strip() if result else ""
