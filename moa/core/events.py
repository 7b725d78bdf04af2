"""The closed union of what happens in a run.

Laws (property-tested): ``seq`` strictly increases; ``RunEnded`` comes last and once; each started slot ends
once; a slot's deltas since its last restart add up to its text; any prefix of a run's events folds.
``at_ms`` is on the monotonic clock, counted from the run's start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    LeftOut,
    Message,
    Missing,
    Part,
    Proposal,
    Recipe,
    RunResult,
    Slot,
)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """First event of every run. ``plan`` holds every slot that the run expects to fill, in order."""

    seq: int
    at_ms: int
    recipe: Recipe
    plan: tuple[tuple[Slot, Agent], ...]
    seed: int


@dataclass(frozen=True, slots=True)
class LayerStarted:
    """The calls of a layer go out together. Slots outside the plan (fallbacks) appear here first."""

    seq: int
    at_ms: int
    layer: int
    part: Part
    agents: tuple[tuple[Slot, Agent], ...]


@dataclass(frozen=True, slots=True)
class AgentStarted:
    """One slot's call begins. ``messages`` is exactly what is sent."""

    seq: int
    at_ms: int
    slot: Slot
    agent: Agent
    messages: tuple[Message, ...]
    left_out: LeftOut = LeftOut()


class TextDelta(NamedTuple):
    """More of a slot's text. A tuple, as one is made for each chunk, in half of a frozen dataclass's time."""

    seq: int
    at_ms: int
    slot: Slot
    text: str


class ReasoningDelta(NamedTuple):
    """More of what a reasoning model thinks aloud; never part of a proposal."""

    seq: int
    at_ms: int
    slot: Slot
    text: str


@dataclass(frozen=True, slots=True)
class AgentRetrying:
    """A call failed and is made again after ``wait_ms``; the slot's text starts over."""

    seq: int
    at_ms: int
    slot: Slot
    attempt: int
    kind: FailureKind
    wait_ms: int


@dataclass(frozen=True, slots=True)
class AgentFinished:
    """A slot has its text."""

    seq: int
    at_ms: int
    slot: Slot
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class AgentFailed:
    """A slot ended without one."""

    seq: int
    at_ms: int
    slot: Slot
    failure: Failure


@dataclass(frozen=True, slots=True)
class LayerFinished:
    """Nothing of this layer runs any more."""

    seq: int
    at_ms: int
    layer: int


@dataclass(frozen=True, slots=True)
class Degraded:
    """The answer will be less than asked for, and why."""

    seq: int
    at_ms: int
    because: Missing


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Last event of every run."""

    seq: int
    at_ms: int
    result: RunResult


Event = (
    RunStarted
    | LayerStarted
    | AgentStarted
    | TextDelta
    | ReasoningDelta
    | AgentRetrying
    | AgentFinished
    | AgentFailed
    | LayerFinished
    | Degraded
    | RunEnded
)
