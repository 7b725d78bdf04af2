"""What a run is likely to take, said before it is sent. Everything here is an estimate and is shown as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moa.core.domain import Agent, Message, Part, PromptStyle, Proposal, Recipe, Slot, Usage
from moa.core.errors import CallError
from moa.engine.plans import PlannedCall, plan_of
from moa.engine.ports import Directory
from moa.engine.pricing import price_tokens
from moa.engine.prompts import compose
from moa.engine.windows import estimate_prompt

TYPICAL_ANSWER_TOKENS = 500
"""Assumed for an agent without ``max_tokens``; answers of chat models to chat questions tend to be about that."""

_FILLER = "word "  # five characters: what the estimate counts as about one token and a quarter


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls, tokens and micro-dollars of a run in which nothing fails. ``cost_microusd`` None: a price is unknown."""

    calls: int
    usage: Usage
    cost_microusd: int | None


def estimate_run(recipe: Recipe, conversation: Sequence[Message], directory: Directory) -> Estimate:
    """Go through the recipe's plan with made-up answers of typical length and add up what each call would take."""
    total, cost = Usage(0, 0, estimated=True), 0
    known = True
    answers: dict[int, list[Proposal]] = {}
    for slot, agent in plan_of(recipe).slots():
        usage = _call_usage(recipe, conversation, slot, agent, tuple(answers.get(slot.layer - 1, ())))
        total += usage
        price = _price(directory, agent.model, usage)
        cost, known = cost + (price or 0), known and price is not None
        text = _FILLER * (usage.output_tokens * 4 // len(_FILLER))
        answers.setdefault(slot.layer, []).append(Proposal(slot, agent, text))
    return Estimate(recipe.call_count, total, cost if known else None)


def _call_usage(
    recipe: Recipe, conversation: Sequence[Message], slot: Slot, agent: Agent, proposals: tuple[Proposal, ...]
) -> Usage:
    analysed = recipe.prompt_style is PromptStyle.ANALYSIS and agent.part is Part.AGGREGATOR and bool(proposals)
    call = PlannedCall(slot, agent, proposals, _FILLER * TYPICAL_ANSWER_TOKENS if analysed else None)
    composed = compose(
        call, conversation, style=recipe.prompt_style, system=recipe.system, seed=0, proposal_chars=12_000
    )
    output = min(agent.sampling.max_tokens or TYPICAL_ANSWER_TOKENS, TYPICAL_ANSWER_TOKENS)
    return Usage(estimate_prompt(composed.messages), output, estimated=True)


def _price(directory: Directory, model_id: str, usage: Usage) -> int | None:
    try:
        return price_tokens(directory.endpoint(model_id), usage)
    except CallError:
        return None
