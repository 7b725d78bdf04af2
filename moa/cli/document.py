"""A whole run as one JSON document, for programs. Pure."""

from __future__ import annotations

from typing import Any

from moa.chat.values import TurnView
from moa.core.domain import Failure, Proposal, Usage
from moa.core.view import Panel


def document(turn: TurnView) -> dict[str, Any]:
    """A run that has ended: recipe, proposals by layer, the answer and what all took.

    Times are milliseconds, money is micro-dollars; what is unknown is null. ``answer`` is null where there is none, and
    ``written_by`` names the slot whose text it is.
    """
    view, result = turn.view, turn.view.result
    recipe, writer = view.recipe, view.answer()
    return {
        "conversation": turn.conversation_id,
        "turn": turn.id,
        "run": turn.run_id,
        "question": turn.question,
        "status": view.status.value,
        "recipe": {"id": recipe.id, "title": recipe.title, "layers": recipe.layer_count} if recipe else None,
        "layers": [{"layer": number, "proposals": [_agent(panel) for panel in row]} for number, row in view.layers()],
        "aggregators": [_agent(panel) for panel in _aggregators(turn)],
        "answer": (result.answer if result else "") or None,
        "written_by": str(writer.slot) if writer else None,
        "missing": [{"slot": str(m.slot) if m.slot else None, "label": m.label, "why": m.why} for m in view.degraded],
        "totals": {
            "duration_ms": result.duration_ms if result else None,
            "first_answer_ms": result.first_answer_ms if result else None,
            "calls": result.calls if result else None,
            **_usage(result.usage if result else None),
            "cost_microusd": result.cost_microusd if result else None,
        },
    }


def _aggregators(turn: TurnView) -> list[Panel]:
    """Whoever wrote, or tried to write, the answer: the aggregator and its fallbacks."""
    told = {panel.slot for _, row in turn.view.layers() for panel in row}
    return [panel for slot, panel in sorted(turn.view.panels.items()) if slot not in told]


def _agent(panel: Panel) -> dict[str, Any]:
    outcome = panel.outcome
    done = outcome if isinstance(outcome, Proposal) else None
    failed = outcome if isinstance(outcome, Failure) else None
    return {
        "slot": str(panel.slot),
        "part": panel.agent.part.value,
        "model": panel.agent.model,
        "label": panel.agent.label,
        "status": panel.status.value,
        "error": {"kind": failed.kind.value, "text": failed.public} if failed else None,
        "text": panel.text,
        "finish": done.finish.value if done else None,
        "attempts": outcome.attempts if outcome else None,
        "first_token_ms": done.first_token_ms if done else None,
        "duration_ms": outcome.duration_ms if outcome else None,
        **_usage(done.usage if done else None),
        "cost_microusd": done.cost_microusd if done else None,
    }


def _usage(usage: Usage | None) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "tokens_estimated": usage.estimated if usage else None,
    }
