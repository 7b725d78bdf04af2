"""The laws of a run's events, as one check that every fault test ends with."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from moa.core.domain import Failure, Outcome, Part, Proposal, RunResult, Slot, Status
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    AgentStarted,
    Event,
    LayerFinished,
    LayerStarted,
    ReasoningDelta,
    RunEnded,
    RunStarted,
    TextDelta,
)
from moa.core.view import RunView, fold_all, replay

FAILED_TEXT = "BROKEN-OFF"
"""Written by scripted models whose call is going to fail: no prompt may ever hold it."""


def check_laws(events: Sequence[Event]) -> RunResult:
    """Assert the event laws on a whole run; gives its result."""
    assert isinstance(events[0], RunStarted)
    assert [type(event) for event in events].count(RunStarted) == 1
    last = events[-1]
    assert isinstance(last, RunEnded)
    assert [type(event) for event in events].count(RunEnded) == 1
    assert all(a.seq < b.seq and a.at_ms <= b.at_ms for a, b in itertools.pairwise(events))
    ended = _check_slots(events)
    assert tuple(outcome for _, outcome in sorted(ended.items())) == last.result.outcomes
    _check_views(events, last.result)
    _check_result(last.result)
    _check_prompts(events)
    return last.result


def _check_slots(events: Sequence[Event]) -> dict[Slot, Outcome]:
    """Each started slot ends once, in a layer that is open, and its deltas add up to its text."""
    texts: dict[Slot, tuple[str, str]] = {}
    ended: dict[Slot, Outcome] = {}
    layers: list[int] = []
    for event in events:
        match event:
            case LayerStarted(layer=layer):
                assert not layers
                layers.append(layer)
            case LayerFinished(layer=layer):
                assert layers.pop() == layer
                assert texts.keys() == ended.keys()
            case AgentStarted(slot=slot):
                assert slot not in texts
                texts[slot] = ("", "")
            case TextDelta(slot=slot, text=text):
                assert text
                assert slot not in ended
                texts[slot] = (texts[slot][0] + text, texts[slot][1])
            case ReasoningDelta(slot=slot, text=text):
                assert text
                assert slot not in ended
                texts[slot] = (texts[slot][0], texts[slot][1] + text)
            case AgentRetrying(slot=slot):
                assert slot not in ended
                texts[slot] = ("", "")
            case AgentFinished(slot=slot, proposal=outcome) | AgentFailed(slot=slot, failure=outcome):
                assert slot in texts
                assert slot not in ended
                assert outcome.slot == slot
                ended[slot] = outcome
    for slot, outcome in ended.items():
        if not (isinstance(outcome, Proposal) and outcome.reused):
            text = outcome.text if isinstance(outcome, Proposal) else outcome.partial
            assert texts[slot] == (text, outcome.reasoning)
    assert texts.keys() == ended.keys()
    return ended


def _check_views(events: Sequence[Event], result: RunResult) -> None:
    """Any prefix folds, and the whole folds to what is rebuilt from the outcomes."""
    view = RunView()
    for event in events:
        view = fold_all([event], view)
    begun = events[0]
    assert isinstance(begun, RunStarted)
    left_out = {event.slot: event.left_out for event in events if isinstance(event, AgentStarted)}
    stored = fold_all(replay(begun.recipe, begun.plan, result.outcomes, result, left_out))
    assert replace(view, seq=0, at_ms=0) == replace(stored, seq=0, at_ms=0)


def _check_result(result: RunResult) -> None:
    if result.status in (Status.COMPLETE, Status.DEGRADED):
        assert result.answer.strip()
        assert result.answer_slot in {proposal.slot for proposal in result.proposals}
    if result.status is Status.DEGRADED:
        assert result.degraded_because
    if result.status is Status.FAILED:
        assert {proposal.agent.part for proposal in result.proposals} <= {Part.ANALYST}  # else there was an answer
    for failure in result.failures:
        assert failure.public


def _check_prompts(events: Sequence[Event]) -> None:
    """The text of a slot that failed is in no prompt."""
    for event in events:
        if isinstance(event, AgentStarted):
            assert not any(FAILED_TEXT in message.text for message in event.messages)


def failure_of(result: RunResult, slot: Slot) -> Failure:
    """The failure of a slot."""
    return next(failure for failure in result.failures if failure.slot == slot)


def proposal_of(result: RunResult, slot: Slot) -> Proposal:
    """The proposal of a slot."""
    return next(proposal for proposal in result.proposals if proposal.slot == slot)
