"""Conversation trees to take along: one with a bit of everything, and strategies for many more."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, is_dataclass, replace
from typing import Any

from hypothesis import strategies as st

from moa.chat.trees import placed
from moa.chat.values import Comparison, ConversationRecord, ConversationTree, RunRecord, SavedCall, TurnRecord
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

NOON = dt.datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=dt.UTC)
ONE = Agent("p/one", sampling=Sampling(temperature=0.7, max_tokens=500), label="Sceptic", system="Doubt everything.")
TWO = Agent("p/two")
WRITER = Agent("p/writer", Part.AGGREGATOR)
RECIPE = Recipe("two", "Two and a writer", (Layer((ONE, TWO), quorum=1),), WRITER, system="Be brief.")
QUESTION, ANSWER = "Why is the sky blue?", "Because of Rayleigh."


def run(key: str = "run-a", turn: str = "turn-a", attempt: int = 1, **more: Any) -> RunRecord:
    """A run of which one proposer failed."""
    sent = (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, QUESTION))
    one = Proposal(
        Slot(1, 1), ONE, "Blue light scatters.", Finish.LENGTH, Usage(10, 20), 2, 300, 1_500, 40, "Hm. Light…"
    )
    two = Failure(Slot(1, 2), TWO, FailureKind.CALL_TIMEOUT, "The answer took too long.", True, 3, 9_000, "It is")
    writer = Proposal(Slot(2, 1), WRITER, ANSWER, usage=Usage(50, 5, estimated=True), duration_ms=800)
    result = RunResult(
        Status.DEGRADED, ANSWER, Slot(2, 1), (two, one, writer), (Missing(Slot(1, 2), "Two", "timed out"),),
        Usage(60, 25, estimated=True), None, 3, 400, 9_900,
    )  # fmt: skip
    calls = (
        SavedCall(one.slot, ONE, sent, LeftOut(2, 0), one),
        SavedCall(two.slot, TWO, sent[1:], LeftOut(), two),
        SavedCall(writer.slot, WRITER, (*sent, Message(Role.ASSISTANT, ANSWER)), LeftOut(), writer),
    )
    record = RunRecord(
        key, turn, attempt, RECIPE, 2**62 + 1, Status.DEGRADED, NOON, (one, two, writer), {one.slot: LeftOut(2, 0)},
        result, {}, NOON + dt.timedelta(seconds=9.9), calls,
    )  # fmt: skip
    return replace(record, **more)


def turn(key: str = "turn-a", parent: str | None = None, runs: int = 1, **more: Any) -> TurnRecord:
    """A question; the newest run is shown."""
    made = tuple(run(f"{key}-run{n}", key, n) for n in range(1, runs + 1))
    return replace(TurnRecord(key, "conversation", parent, 0, QUESTION, NOON, made, made[-1].id), **more)


def tree(*turns: TurnRecord, **more: Any) -> ConversationTree:
    """A conversation, by default of one turn with two runs and two that follow it side by side."""
    given = placed(turns or (turn(runs=2), turn("turn-b", "turn-a", question="Go on."), turn("turn-c", "turn-a")))
    made = ConversationTree("conversation", "Skies", NOON, NOON + dt.timedelta(days=1), given[-1].id, given)
    return replace(made, **more)


def record(*turns: TurnRecord, title: str = "Skies") -> ConversationRecord:
    """A path to show."""
    return ConversationRecord("conversation", title, turns[-1].id, placed(turns))


def without_ids(value: Any) -> Any:
    """A tree with its ids as numbers in the order in which they come up."""
    numbers: dict[str, str] = {}

    def walk(value: Any, name: str = "") -> Any:
        if isinstance(value, str) and ("id" in name.split("_") or name in ("siblings", "head")):
            return numbers.setdefault(value, f"#{len(numbers)}")
        if isinstance(value, tuple):
            return tuple(walk(item, name) for item in value)
        if is_dataclass(value) and {"turns", "runs", "turn_id"} & {f.name for f in fields(value)}:
            return {f.name: walk(getattr(value, f.name), f.name) for f in fields(value) if f.name != "conversation_id"}
        return value

    walked = walk(value)
    return {key: item for key, item in walked.items() if key != "id"}


# Whatever a store can hold and a file may hold: cleaned text, numbers within the format's bounds.
_CLEAN = st.text(st.characters(codec=None), max_size=30).map(clean)
_COUNT = st.integers(0, 10**12)
_MAYBE_COUNT, _MAYBE_TEXT = st.none() | _COUNT, st.none() | _CLEAN
_SECONDS = st.floats(0, 86_400)
_AT = st.integers(1, 200_000_000 * 10**9).map(
    lambda us: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(0, 0, us)
)
_USAGE = st.none() | st.builds(Usage, _COUNT, _COUNT, st.booleans())
_SAMPLING = st.builds(
    Sampling, st.none() | st.floats(0, 2), st.none() | st.floats(0, 1), st.none() | st.integers(1, 10**6),
    st.none() | st.integers(0, 2**63 - 1), st.lists(_CLEAN, max_size=2).map(tuple),
)  # fmt: skip
_AGENT = st.builds(Agent, _CLEAN, st.sampled_from(Part), _SAMPLING, _MAYBE_TEXT, _MAYBE_TEXT)
_AGENTS = st.lists(_AGENT, min_size=1, max_size=2).map(tuple)
_RECIPE = st.builds(
    Recipe, _CLEAN, _CLEAN,
    st.lists(st.builds(Layer, _AGENTS, st.none() | st.integers(1, 3), _SECONDS, _SECONDS), max_size=2).map(tuple),
    _AGENT, st.just(()) | _AGENTS, st.sampled_from(PromptStyle), _MAYBE_TEXT,
    st.builds(Budget, st.none() | st.integers(1, 10_000), _MAYBE_COUNT, _SECONDS), _CLEAN,
)  # fmt: skip
_SLOT = st.builds(Slot, st.integers(1, 12), st.integers(1, 12))
_OUTCOME = st.builds(
    Proposal, _SLOT, _AGENT, _CLEAN, st.sampled_from(Finish), _USAGE, st.integers(1, 9), _MAYBE_COUNT, _COUNT,
    _MAYBE_COUNT, _CLEAN, st.booleans(),
) | st.builds(
    Failure, _SLOT, _AGENT, st.sampled_from(FailureKind), _CLEAN, st.booleans(), st.integers(1, 9), _COUNT, _CLEAN,
    _CLEAN,
)  # fmt: skip
_LEFT_OUT = st.builds(LeftOut, _COUNT, _COUNT)
_MISSING = st.builds(Missing, st.none() | _SLOT, _CLEAN, _CLEAN)
_ENDED = st.sampled_from([status for status in Status if status is not Status.RUNNING])
_QUESTION = _CLEAN.filter(lambda text: text.strip())


@st.composite
def runs(draw: st.DrawFn, key: str, turn_id: str, attempt: int, texts: list[str]) -> RunRecord:
    """A run as a store gives it. ``texts`` are the conversation's, which calls are likely to repeat."""
    outcomes = sorted(
        draw(st.lists(_OUTCOME, max_size=3, unique_by=lambda o: o.slot)), key=lambda outcome: outcome.slot
    )
    told = draw(st.permutations(outcomes))[: draw(st.integers(0, len(outcomes)))]
    result = RunResult(
        draw(_ENDED), draw(_CLEAN), draw(st.none() | _SLOT), tuple(told),
        tuple(draw(st.lists(_MISSING, max_size=2))), draw(_USAGE), draw(_MAYBE_COUNT), draw(_COUNT),
        draw(_MAYBE_COUNT), draw(_COUNT),
    )  # fmt: skip
    texts.append(result.answer)
    message = st.builds(Message, st.sampled_from(Role), _CLEAN | st.sampled_from([*texts]))
    calls = tuple(
        SavedCall(o.slot, o.agent, tuple(draw(st.lists(message, max_size=4))), draw(_LEFT_OUT), o) for o in outcomes
    )
    left_out = {call.slot: call.left_out for call in calls if call.left_out}
    at = draw(_AT)
    return RunRecord(
        key, turn_id, attempt, draw(_RECIPE), draw(st.integers(0, 2**63 - 1)), result.status, at, tuple(outcomes),
        left_out, result, {}, draw(_AT), calls,
    )  # fmt: skip


@st.composite
def trees(draw: st.DrawFn) -> ConversationTree:
    """A whole conversation that has ended."""
    turns: list[TurnRecord] = []
    texts: list[str] = []
    for number in range(draw(st.integers(1, 4))):
        key, parent = f"turn{number}", draw(st.sampled_from([None, *(t.id for t in turns)]))
        question = draw(_QUESTION)
        texts.append(question)
        made = [draw(runs(f"{key}.{n}", key, n, texts)) for n in range(1, draw(st.integers(1, 2)) + 1)]
        shown = draw(st.sampled_from(made)).id
        beside = [
            replace(draw(runs(f"{key}.{column}.{n}", key, n, texts)), column=column)
            for column in range(2, draw(st.integers(1, 3)) + 1)
            for n in range(1, draw(st.integers(1, 2)) + 1)
        ]
        columns = max((run.column for run in beside), default=1)
        order = tuple(draw(st.permutations(range(1, columns + 1))))
        comparison = Comparison(order, draw(st.booleans())) if beside else None
        turns.append(
            TurnRecord(
                key,
                "conversation",
                parent,
                0,
                question,
                draw(_AT),
                tuple(made),
                shown,
                further=tuple(beside),
                comparison=comparison,
            )
        )
    head = draw(st.sampled_from(turns)).id
    return ConversationTree("conversation", draw(_CLEAN), draw(_AT), draw(_AT), head, placed(turns))
