"""Rows to values and back. What was saved is what is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from moa.chat.values import RunRecord, SavedCall, TurnRecord, Vote
from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Finish,
    LeftOut,
    Outcome,
    Part,
    PromptStyle,
    Proposal,
    Recipe,
    RunResult,
    Slot,
    Status,
    Usage,
)
from moa.core.errors import public_text
from storage.models import ResponseRow, RunRow, Stage, TurnRow, VoteRow


def agent_at(recipe: Recipe, slot: Slot) -> Agent:
    """The agent that a recipe has at a place, for a response that was cut off before it told its own."""
    if slot.layer <= len(recipe.layers):
        agents = recipe.layers[slot.layer - 1].agents
        return agents[min(slot.position, len(agents)) - 1]
    writers = [replace(agent, part=Part.AGGREGATOR) for agent in (recipe.aggregator, *recipe.fallbacks)]
    if recipe.prompt_style is PromptStyle.ANALYSIS and recipe.layers:
        writers.insert(0, replace(recipe.aggregator, part=Part.ANALYST))
    return writers[min(slot.position, len(writers)) - 1]


def slot_of(row: ResponseRow) -> Slot:
    """Where it stands in the run."""
    return Slot(row.layer, row.position)


def outcome_of(row: ResponseRow, recipe: Recipe) -> Outcome:
    """The outcome of a response that has ended."""
    agent = row.agent or agent_at(recipe, slot_of(row))
    if row.stage is Stage.DONE:
        return Proposal(
            slot_of(row), agent, row.text, row.finish or Finish.STOP, usage_of(row), row.attempts,
            row.first_token_ms, row.duration_ms, row.cost_microusd, row.reasoning, row.reused,
        )  # fmt: skip
    return Failure(
        slot_of(row), agent, row.error_kind or FailureKind.INTERNAL, row.error_public or "", bool(row.retryable),
        row.attempts, row.duration_ms, row.text, row.reasoning,
    )  # fmt: skip


def write_outcome(row: ResponseRow, outcome: Outcome) -> None:
    """Put an outcome into its row, over whatever it held of a growing text."""
    row.agent, row.attempts, row.duration_ms = outcome.agent, outcome.attempts, outcome.duration_ms
    row.reasoning = outcome.reasoning
    if isinstance(outcome, Proposal):
        row.stage, row.text, row.finish = Stage.DONE, outcome.text, outcome.finish
        row.error_kind = row.error_public = row.retryable = None
        row.first_token_ms, row.cost_microusd = outcome.first_token_ms, outcome.cost_microusd
        row.reused = outcome.reused
        _write_usage(row, outcome.usage)
    else:
        row.stage, row.text, row.finish = Stage.FAILED, outcome.partial, None
        row.error_kind, row.error_public, row.retryable = outcome.kind, outcome.public, outcome.retryable
        row.first_token_ms = row.cost_microusd = None
        row.reused = False
        _write_usage(row, None)


def cut_off(row: ResponseRow, recipe: Recipe, kind: FailureKind) -> None:
    """End a growing response where it is: its text stays, as the partial text of a failure."""
    slot = slot_of(row)
    agent = row.agent or agent_at(recipe, slot)
    write_outcome(row, Failure(slot, agent, kind, public_text(kind), partial=row.text, reasoning=row.reasoning))


def result_of(row: RunRow, responses: Iterable[ResponseRow]) -> RunResult | None:
    """The result of a run, its outcomes in the order in which it was told; None while it runs."""
    if row.status is Status.RUNNING:
        return None
    told = sorted((r for r in responses if r.ordinal is not None), key=lambda r: r.ordinal or 0)
    return RunResult(
        row.status, row.answer or "", answer_slot_of(row), tuple(outcome_of(r, row.recipe) for r in told),
        row.degraded or (), usage_of(row), row.cost_microusd, row.calls or 0, row.first_answer_ms, row.duration_ms or 0,
    )  # fmt: skip


def answer_slot_of(row: RunRow) -> Slot | None:
    """Whose text the answer is."""
    return Slot(row.answer_layer, row.answer_position) if row.answer_layer and row.answer_position else None


def write_result(row: RunRow, result: RunResult) -> None:
    """Put all of a result but its outcomes into the run."""
    row.status, row.answer = result.status, result.answer
    row.answer_layer, row.answer_position = result.answer_slot or (None, None)
    row.degraded, row.calls, row.cost_microusd = result.degraded_because, result.calls, result.cost_microusd
    row.first_answer_ms, row.duration_ms = result.first_answer_ms, result.duration_ms
    _write_usage(row, result.usage)


def run_of(row: RunRow, responses: Sequence[ResponseRow], *, calls: bool = False) -> RunRecord:
    """A run with the newest attempt of each slot that has ended, in order of slot; ``calls``: and what was sent."""
    newest = {slot_of(r): r for r in sorted(responses, key=lambda r: r.attempt)}
    shown = [newest[slot] for slot in sorted(newest) if newest[slot].stage is not Stage.GROWING]
    growing = {slot: r.text for slot, r in newest.items() if r.stage is Stage.GROWING}
    return RunRecord(
        row.id, row.turn_id, row.attempt, row.recipe, row.seed, row.status, row.started_at,
        tuple(outcome_of(r, row.recipe) for r in shown),
        {slot_of(r): r.left_out for r in shown if r.left_out},
        result_of(row, shown), growing, row.heartbeat_at,
        tuple(_call_of(r, row.recipe) for r in shown) if calls else (), row.column_no,
    )  # fmt: skip


def _call_of(row: ResponseRow, recipe: Recipe) -> SavedCall:
    outcome = outcome_of(row, recipe)
    return SavedCall(outcome.slot, outcome.agent, row.messages or (), row.left_out or LeftOut(), outcome)


def turn_of(
    row: TurnRow, runs: Iterable[RunRecord], siblings: Iterable[str], vote: VoteRow | None = None
) -> TurnRecord:
    """A turn with its runs, by column and oldest first, and those beside it."""
    ordered = tuple(runs)
    first = tuple(run for run in ordered if run.column == 1)
    shown = row.shown_run_id or first[-1].id
    return TurnRecord(
        row.id, row.conversation_id, row.parent_id, row.position, row.question, row.created_at, first, shown,
        tuple(siblings), ordered[len(first) :], row.comparison, vote_of(vote) if vote else None,
    )  # fmt: skip


def vote_of(row: VoteRow) -> Vote:
    """A vote as it stands."""
    return Vote(row.choice, row.sides, row.blind, row.updated_at, row.tags or ())


def usage_of(row: RunRow | ResponseRow) -> Usage | None:
    """What was used, when it is known."""
    if row.input_tokens is None or row.output_tokens is None:
        return None
    return Usage(row.input_tokens, row.output_tokens, bool(row.tokens_estimated))


def _write_usage(row: RunRow | ResponseRow, usage: Usage | None) -> None:
    row.input_tokens = usage.input_tokens if usage else None
    row.output_tokens = usage.output_tokens if usage else None
    row.tokens_estimated = usage.estimated if usage else None
