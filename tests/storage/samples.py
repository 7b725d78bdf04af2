"""Values to store, and strategies for many more."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from moa.chat.values import Actor, NewTurn, SavedCall
from moa.core.domain import (
    Agent,
    Budget,
    Failure,
    FailureKind,
    Finish,
    Layer,
    LeftOut,
    Message,
    Missing,
    Outcome,
    Part,
    PromptStyle,
    Proposal,
    Recipe,
    Role,
    RunResult,
    Sampling,
    Slot,
    Status,
    Usage,
)
from moa.core.text import clean

ADA = Actor("ada")
BOB = Actor("bob")
FIRST, SECOND, LAST = Slot(1, 1), Slot(1, 2), Slot(2, 1)
PROPOSERS = (Agent("p/one", label="One"), Agent("p/two"))
WRITER = Agent("p/writer", Part.AGGREGATOR)
RECIPE = Recipe("two", "Two and a writer", (Layer(PROPOSERS),), WRITER)


def question(text: str = "Why is the sky blue?", key: str = "key", **more: Any) -> NewTurn:
    return NewTurn(text, RECIPE, 7, key, **more)


def agent_of(slot: Slot) -> Agent:
    return WRITER if slot == LAST else PROPOSERS[slot.position - 1]


def proposal(slot: Slot, text: str = "Because of Rayleigh.", **more: Any) -> Proposal:
    return Proposal(slot, agent_of(slot), text, usage=Usage(10, 20), cost_microusd=5, duration_ms=40, **more)


def failure(slot: Slot, kind: FailureKind = FailureKind.OVERLOADED, **more: Any) -> Failure:
    return Failure(slot, agent_of(slot), kind, "The provider has a problem right now.", **more)


def call(outcome: Outcome, left_out: LeftOut = LeftOut()) -> SavedCall:
    sent = (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Why is the sky blue?"))
    return SavedCall(outcome.slot, outcome.agent, sent, left_out, outcome)


def result(*outcomes: Outcome, status: Status = Status.COMPLETE) -> RunResult:
    last = outcomes[-1]
    answer = last.text if isinstance(last, Proposal) else last.partial
    return RunResult(
        status, answer, last.slot, outcomes, usage=Usage(30, 60), cost_microusd=15, calls=3, duration_ms=99
    )


# Text as it is after the door: whatever Unicode has, cleaned.
TEXT = st.text(st.characters(codec=None), max_size=40).map(clean)
COUNT = st.integers(0, 2**62)
_MAYBE_TEXT = st.none() | TEXT
_MAYBE_COUNT = st.none() | COUNT
_FLOAT = st.floats(0, 1e6, allow_nan=False)
SLOT = st.builds(Slot, st.integers(1, 9), st.integers(1, 9))
USAGE = st.none() | st.builds(Usage, COUNT, COUNT, st.booleans())
SAMPLING = st.builds(
    Sampling, st.none() | _FLOAT, st.none() | _FLOAT, _MAYBE_COUNT, _MAYBE_COUNT, st.lists(TEXT, max_size=3).map(tuple)
)
AGENT = st.builds(Agent, TEXT, st.sampled_from(Part), SAMPLING, _MAYBE_TEXT, _MAYBE_TEXT)
LAYER = st.builds(Layer, st.lists(AGENT, min_size=1, max_size=3).map(tuple), st.none() | st.integers(1, 3), _FLOAT)
RECIPES = st.builds(
    Recipe, TEXT, TEXT, st.lists(LAYER, max_size=3).map(tuple), AGENT, st.lists(AGENT, max_size=2).map(tuple),
    st.sampled_from(PromptStyle), _MAYBE_TEXT, st.builds(Budget, _MAYBE_COUNT, _MAYBE_COUNT, _FLOAT), TEXT,
)  # fmt: skip
MESSAGES = st.lists(st.builds(Message, st.sampled_from(Role), TEXT), max_size=4).map(tuple)
LEFT_OUT = st.builds(LeftOut, st.integers(0, 99), COUNT)
PROPOSALS = st.builds(
    Proposal, SLOT, AGENT, TEXT, st.sampled_from(Finish), USAGE, st.integers(1, 9), _MAYBE_COUNT, COUNT, _MAYBE_COUNT,
    TEXT, st.booleans(),
)  # fmt: skip
FAILURES = st.builds(
    Failure, SLOT, AGENT, st.sampled_from(FailureKind), TEXT, st.booleans(), st.integers(1, 9), COUNT, TEXT, TEXT
)
OUTCOMES = st.lists(PROPOSALS | FAILURES, max_size=6, unique_by=lambda o: o.slot).map(tuple)
RESULTS = st.builds(
    RunResult, st.sampled_from([s for s in Status if s is not Status.RUNNING]), TEXT, st.none() | SLOT, OUTCOMES,
    st.lists(st.builds(Missing, st.none() | SLOT, TEXT, TEXT), max_size=3).map(tuple), USAGE, _MAYBE_COUNT,
    st.integers(0, 99), _MAYBE_COUNT, COUNT,
)  # fmt: skip
