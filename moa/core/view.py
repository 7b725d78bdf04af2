"""One reducer for screen, journal, API and tests: ``fold(view, event)``.

A view rebuilt from storage is made by folding the events that ``replay`` makes from the stored outcomes, so
that a reloaded page cannot differ from the one that watched the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce

from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    LeftOut,
    Missing,
    Outcome,
    Part,
    Proposal,
    Recipe,
    RunResult,
    Slot,
    Status,
    Usage,
)
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    AgentStarted,
    Degraded,
    Event,
    LayerFinished,
    LayerStarted,
    ReasoningDelta,
    RunEnded,
    RunStarted,
    TextDelta,
)


class PanelStatus(StrEnum):
    """What a panel shows of its slot."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Retrying:
    """A wait before another attempt, as the panel shows it."""

    attempt: int
    kind: FailureKind
    wait_ms: int


@dataclass(frozen=True, slots=True)
class Panel:
    """One slot as it stands. ``started_ms`` is known only while it runs."""

    slot: Slot
    agent: Agent
    status: PanelStatus = PanelStatus.WAITING
    text: str = ""
    reasoning: str = ""
    started_ms: int | None = None
    retrying: Retrying | None = None
    outcome: Outcome | None = None
    left_out: LeftOut = LeftOut()


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands after some of its events."""

    status: Status = Status.RUNNING
    recipe: Recipe | None = None
    panels: Mapping[Slot, Panel] = field(default_factory=dict)
    degraded: tuple[Missing, ...] = ()
    result: RunResult | None = None
    at_ms: int = 0
    seq: int = 0

    def layers(self) -> list[tuple[int, list[Panel]]]:
        """The panels of proposers and analysts by layer, in order of slot."""
        shown: dict[int, list[Panel]] = {}
        for panel in sorted(self.panels.values(), key=lambda p: p.slot):
            if panel.agent.part is not Part.AGGREGATOR:
                shown.setdefault(panel.slot.layer, []).append(panel)
        return sorted(shown.items())

    def answer(self) -> Panel | None:
        """The slot that writes, or wrote, the answer: the result's, else the newest aggregator's."""
        if self.result is not None and self.result.answer_slot is not None:
            return self.panels.get(self.result.answer_slot)
        writers = [p for p in self.panels.values() if p.agent.part is Part.AGGREGATOR]
        return max(writers, key=lambda p: p.slot, default=None)

    def usage(self) -> Usage | None:
        """Tokens so far; ``None`` while no slot has told any."""
        known = [p.outcome.usage for p in self.panels.values() if isinstance(p.outcome, Proposal) and p.outcome.usage]
        return reduce(Usage.__add__, known) if known else None


def fold(view: RunView, event: Event) -> RunView:
    """The view after one more event. Never fails on any prefix of a run's events."""
    match event:
        case TextDelta(slot=slot, text=text):
            view = _panel(view, slot, lambda p: replace(p, text=p.text + text, retrying=None))
        case ReasoningDelta(slot=slot, text=text):
            view = _panel(view, slot, lambda p: replace(p, reasoning=p.reasoning + text, retrying=None))
        case AgentStarted():
            view = replace(view, panels={**view.panels, event.slot: _begun(event)})
        case AgentRetrying(attempt=attempt, kind=kind, wait_ms=wait_ms):
            again = Retrying(attempt, kind, wait_ms)
            view = _panel(view, event.slot, lambda p: replace(p, text="", reasoning="", retrying=again))
        case AgentFinished(slot=slot, proposal=done):
            view = _panel(view, slot, lambda p: _finished(p, done))
        case AgentFailed(slot=slot, failure=failure):
            view = _panel(view, slot, lambda p: _failed(p, failure))
        case RunStarted(recipe=recipe, plan=plan):
            view = replace(view, recipe=recipe, panels={s: Panel(s, a) for s, a in plan})
        case LayerStarted(agents=agents):
            new = {s: Panel(s, a) for s, a in agents if s not in view.panels}
            view = replace(view, panels={**view.panels, **new})
        case LayerFinished():
            pass
        case Degraded(because=because):
            view = replace(view, degraded=(*view.degraded, because))
        case RunEnded(result=result):
            view = _ended(view, result)
    return replace(view, at_ms=event.at_ms, seq=event.seq)


def fold_all(events: Iterable[Event], view: RunView | None = None) -> RunView:
    """``fold`` over many events."""
    return reduce(fold, events, view or RunView())


def replay(
    recipe: Recipe,
    plan: tuple[tuple[Slot, Agent], ...],
    outcomes: Iterable[Outcome],
    result: RunResult | None,
    left_out: Mapping[Slot, LeftOut] | None = None,
) -> Iterator[Event]:
    """Events that fold to the view of a stored run; ``result`` None is a run that has not ended.

    Timings between events are gone, the outcomes' stay.
    """
    at, seq = result.duration_ms if result else 0, 0
    yield RunStarted(seq, at, recipe, plan, 0)
    for outcome in outcomes:
        slot, agent = outcome.slot, outcome.agent
        yield LayerStarted(seq := seq + 1, at, slot.layer, agent.part, ((slot, agent),))
        yield AgentStarted(seq := seq + 1, at, slot, agent, (), (left_out or {}).get(slot, LeftOut()))
        if isinstance(outcome, Proposal):
            yield AgentFinished(seq := seq + 1, at, slot, outcome)
        else:
            yield AgentFailed(seq := seq + 1, at, slot, outcome)
    if result is not None:
        yield RunEnded(seq + 1, at, result)


def _panel(view: RunView, slot: Slot, change: Callable[[Panel], Panel]) -> RunView:
    panel = view.panels.get(slot)
    # A prefix may hold an event of a slot whose start it lacks; there is nothing to change then.
    return view if panel is None else replace(view, panels={**view.panels, slot: change(panel)})


def _begun(event: AgentStarted) -> Panel:
    return Panel(event.slot, event.agent, PanelStatus.RUNNING, started_ms=event.at_ms, left_out=event.left_out)


def _ended(view: RunView, result: RunResult) -> RunView:
    panels = {slot: _closed(panel) for slot, panel in view.panels.items()}
    return replace(view, status=result.status, result=result, panels=panels, degraded=result.degraded_because)


def _finished(panel: Panel, done: Proposal) -> Panel:
    return replace(
        panel,
        status=PanelStatus.DONE,
        text=done.text,
        reasoning=done.reasoning,
        agent=done.agent,
        started_ms=None,
        retrying=None,
        outcome=done,
    )


def _failed(panel: Panel, failure: Failure) -> Panel:
    stopped = failure.kind in (FailureKind.STOPPED, FailureKind.LATE, FailureKind.INTERRUPTED)
    return replace(
        panel,
        status=PanelStatus.STOPPED if stopped else PanelStatus.FAILED,
        text=failure.partial,
        reasoning=failure.reasoning,
        started_ms=None,
        retrying=None,
        outcome=failure,
    )


def _closed(panel: Panel) -> Panel:
    """A slot that never ended is stopped with its run."""
    if panel.outcome is not None:
        return panel
    return replace(panel, status=PanelStatus.STOPPED, started_ms=None, retrying=None)
