"""Pure planners: given what is finished, which calls come next, and which text is the answer.

The engine carries any plan out; resume, retry of one slot and re-aggregation are the same plan with fewer
slots left to fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from moa.core.domain import (
    Agent,
    FailureKind,
    Finish,
    Outcome,
    Part,
    PromptStyle,
    Proposal,
    Recipe,
    Slot,
    Status,
)


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One slot to fill. ``proposals`` are what its prompt puts before the agent; ``analysis`` the analyst's text."""

    slot: Slot
    agent: Agent
    proposals: tuple[Proposal, ...] = ()
    analysis: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Calls that go out together. ``quorum`` counts answers of the whole layer, those already in included."""

    layer: int
    part: Part
    calls: tuple[PlannedCall, ...]
    have: int = 0
    quorum: int | None = None
    grace_s: float = 10.0
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing is left to call. ``whole`` is False when the answer is not what the recipe asked for."""

    status: Status
    answer_slot: Slot | None
    whole: bool = True


class Plan(Protocol):
    """What a recipe's kind of mixture does next."""

    def slots(self) -> tuple[tuple[Slot, Agent], ...]:
        """Every slot that is filled when nothing fails, in order."""
        ...

    def next(self, done: Mapping[Slot, Outcome]) -> Step | Settled:
        """The next calls, or the end. Pure: the same outcomes give the same step."""
        ...


class LayersPlan:
    """The paper's mixture (section 2.2): every agent of a layer sees all answers of the layer before.

    The last layer has the aggregator at its first position and the recipe's fallbacks behind it; with the
    ``analysis`` style the analyst has the first position and writes before them.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._last = recipe.layer_count
        self._analyst = recipe.prompt_style is PromptStyle.ANALYSIS and bool(recipe.layers)

    def slots(self) -> tuple[tuple[Slot, Agent], ...]:
        """Proposers by layer, the analyst if there is one, the aggregator."""
        proposers = [
            (Slot(number, position), agent)
            for number, layer in enumerate(self._recipe.layers, 1)
            for position, agent in enumerate(layer.agents, 1)
        ]
        return (*proposers, *self._writers()[: 1 + self._analyst])

    def next(self, done: Mapping[Slot, Outcome]) -> Step | Settled:
        """See ``Plan.next``."""
        for number in range(1, self._last):
            step = self._layer_step(number, done)
            if step is not None:
                return step
        return self._last_step(done)

    def _writers(self) -> list[tuple[Slot, Agent]]:
        recipe = self._recipe
        analyst = [_as_analyst(recipe.aggregator)] if self._analyst else []
        agents = [*analyst, recipe.aggregator, *recipe.fallbacks]
        return [(Slot(self._last, position), agent) for position, agent in enumerate(agents, 1)]

    def _layer_step(self, number: int, done: Mapping[Slot, Outcome]) -> Step | None:
        layer = self._recipe.layers[number - 1]
        slots = [Slot(number, position) for position in range(1, len(layer.agents) + 1)]
        sources = self._sources(number - 1, done)
        calls = tuple(
            PlannedCall(slot, agent, sources)
            for slot, agent in zip(slots, layer.agents, strict=True)
            if slot not in done
        )
        if not calls:
            return None
        have = sum(isinstance(done.get(slot), Proposal) for slot in slots)
        return Step(number, Part.PROPOSER, calls, have, layer.quorum, layer.grace_s, layer.deadline_s)

    def _last_step(self, done: Mapping[Slot, Outcome]) -> Step | Settled:
        sources = self._sources(self._last - 1, done)
        writers = self._writers()
        analysis, analysed = None, not self._analyst
        if self._analyst:
            (slot, agent), *writers = writers
            if sources and slot not in done:
                return Step(self._last, Part.ANALYST, (PlannedCall(slot, agent, sources),))
            found = done.get(slot)
            if isinstance(found, Proposal):
                analysis, analysed = found.text, True
        may_call = True
        for place, (slot, agent) in enumerate(writers):
            outcome = done.get(slot)
            if isinstance(outcome, Proposal):
                return Settled(Status.COMPLETE, slot, whole=place == 0 and analysed)
            if outcome is None and may_call:
                return Step(self._last, Part.AGGREGATOR, (PlannedCall(slot, agent, sources, analysis),))
            # No fallback is called after that, but one whose text is reused stands.
            may_call &= outcome is not None and outcome.kind not in (FailureKind.STOPPED, FailureKind.BUDGET)
        best = best_single(sources)
        return Settled(Status.COMPLETE, best.slot, whole=False) if best else Settled(Status.FAILED, None, whole=False)

    def _sources(self, layer: int, done: Mapping[Slot, Outcome]) -> tuple[Proposal, ...]:
        """The newest layer up to ``layer`` that has any proposal: a layer that failed as a whole is skipped."""
        for number in range(layer, 0, -1):
            found = [o for s, o in sorted(done.items()) if s.layer == number and isinstance(o, Proposal)]
            if found:
                return tuple(found)
        return ()


def plan_of(recipe: Recipe) -> Plan:
    """The planner for a recipe."""
    return LayersPlan(recipe)


def quorum_met(recipe: Recipe, done: Mapping[Slot, Outcome]) -> bool:
    """Whether each layer that lost a proposer has a quorum and reached it."""
    for number, layer in enumerate(recipe.layers, 1):
        have = sum(isinstance(o, Proposal) for s, o in done.items() if s.layer == number)
        if have < len(layer.agents) and (layer.quorum is None or have < layer.quorum):
            return False
    return True


def best_single(proposals: Iterable[Proposal]) -> Proposal | None:
    """The proposal that shares most words with the others: what several say is likelier to be right.

    Texts cut by a limit come last; ties go to the earlier position.
    """
    found = list(proposals)
    words = [frozenset(p.text.lower().split()) for p in found]

    def agreement(i: int) -> float:
        return sum(_jaccard(words[i], other) for j, other in enumerate(words) if j != i)

    ranked = sorted(range(len(found)), key=lambda i: (found[i].finish is Finish.LENGTH, -agreement(i), i))
    return found[ranked[0]] if ranked else None


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


def _as_analyst(agent: Agent) -> Agent:
    """The aggregator's model, asked for an analysis first."""
    return Agent(agent.model, Part.ANALYST, agent.sampling, None, "Analyst")
