"""Which finished outcomes a further attempt takes over, so that nothing is called or paid twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from moa.chat.values import RunRecord
from moa.core.domain import Agent, Outcome, Part, Proposal, Recipe, Slot
from moa.core.errors import InputRefused

Reuse = dict[Slot, Outcome]


def for_resume(run: RunRecord) -> Reuse:
    """Everything that has a text: only the slots that are missing or failed are called."""
    return _by_slot(o for o in run.outcomes if isinstance(o, Proposal))


def for_answer(run: RunRecord) -> Reuse:
    """All proposals, and the failures among them as they are: only the answer is written again."""
    return _by_slot(o for o in run.outcomes if o.slot.layer < run.recipe.layer_count)


def for_slot(run: RunRecord, slot: Slot) -> Reuse:
    """All but one slot of its layer and what came after that layer."""
    if slot.layer >= run.recipe.layer_count:
        return for_answer(run)
    return _by_slot(o for o in run.outcomes if o.slot.layer <= slot.layer and o.slot != slot)


def with_model(recipe: Recipe, slot: Slot, model: str) -> Recipe:
    """The recipe with another model in one slot. Raises InputRefused when it has no such slot."""
    custom = replace(recipe, id="custom", title="Custom mixture")
    if slot == Slot(recipe.layer_count, 1):
        return replace(custom, aggregator=Agent(model, Part.AGGREGATOR, recipe.aggregator.sampling))
    if not (1 <= slot.layer < recipe.layer_count and 1 <= slot.position <= len(recipe.layers[slot.layer - 1].agents)):
        raise InputRefused("This answer has no such proposer.")
    layer = recipe.layers[slot.layer - 1]
    agents = list(layer.agents)
    agents[slot.position - 1] = replace(agents[slot.position - 1], model=model, label=None)
    layers = list(recipe.layers)
    layers[slot.layer - 1] = replace(layer, agents=tuple(agents))
    return replace(custom, layers=tuple(layers))


def _by_slot(outcomes: Iterable[Outcome]) -> Reuse:
    return {outcome.slot: outcome for outcome in outcomes}
