from __future__ import annotations

from dataclasses import replace

import pytest

from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    LeftOut,
    Missing,
    Outcome,
    Part,
    PromptStyle,
    Proposal,
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
from moa.core.view import PanelStatus, Retrying, RunView, fold, fold_all, replay
from moa.engine.plans import plan_of
from tests.support.mixtures import recipe

A, B, AGG, FALLBACK = Slot(1, 1), Slot(1, 2), Slot(2, 1), Slot(2, 2)
MIXTURE = recipe("a", "b", fallbacks=("f",))
PLAN = plan_of(MIXTURE).slots()
AGENTS = dict(PLAN)
WRITER = Agent("f", Part.AGGREGATOR)


def proposal(slot: Slot, text: str, agent: Agent | None = None, usage: Usage | None = None) -> Proposal:
    return Proposal(slot, agent or AGENTS[slot], text, usage=usage, reasoning="Hm." if slot == A else "")


def failure(slot: Slot, kind: FailureKind = FailureKind.DROPPED) -> Failure:
    return Failure(slot, AGENTS[slot], kind, "Lost.", partial="Half", reasoning="Half a thought")


OUTCOMES: tuple[Outcome, ...] = (
    proposal(A, "Yes.", usage=Usage(3, 1)), failure(B), failure(AGG), proposal(FALLBACK, "So.", WRITER, Usage(9, 2)),
)  # fmt: skip
MISSING = (Missing(B, "B", "connection lost"), Missing(AGG, "AGG", "connection lost"))
RESULT = RunResult(Status.DEGRADED, "So.", FALLBACK, OUTCOMES, MISSING, Usage(12, 3), duration_ms=90)
LIVE: list[Event] = [
    RunStarted(1, 0, MIXTURE, PLAN, 7),
    LayerStarted(2, 0, 1, Part.PROPOSER, ((A, AGENTS[A]), (B, AGENTS[B]))),
    AgentStarted(3, 1, A, AGENTS[A], ()),
    AgentStarted(4, 1, B, AGENTS[B], (), LeftOut(turns=2)),
    ReasoningDelta(5, 2, A, "Hm."),
    TextDelta(6, 3, A, "Ye"),
    TextDelta(7, 3, B, "Gone"),
    AgentRetrying(8, 4, B, 2, FailureKind.OVERLOADED, 500),
    TextDelta(9, 5, B, "Half"),
    TextDelta(10, 6, A, "s."),
    AgentFinished(11, 7, A, proposal(A, "Yes.", usage=Usage(3, 1))),
    AgentFailed(12, 8, B, failure(B)),
    LayerFinished(13, 8, 1),
    Degraded(14, 8, MISSING[0]),
    LayerStarted(15, 8, 2, Part.AGGREGATOR, ((AGG, AGENTS[AGG]),)),
    AgentStarted(16, 8, AGG, AGENTS[AGG], ()),
    AgentFailed(17, 9, AGG, failure(AGG)),
    LayerFinished(18, 9, 2),
    Degraded(19, 9, MISSING[1]),
    LayerStarted(20, 9, 2, Part.AGGREGATOR, ((FALLBACK, WRITER),)),
    AgentStarted(21, 9, FALLBACK, WRITER, ()),
    TextDelta(22, 50, FALLBACK, "So."),
    AgentFinished(23, 80, FALLBACK, proposal(FALLBACK, "So.", WRITER, Usage(9, 2))),
    LayerFinished(24, 80, 2),
    RunEnded(25, 90, RESULT),
]


def test_a_panel_follows_its_slot() -> None:
    view = fold_all(LIVE[:1])
    assert [p.status for p in view.panels.values()] == [PanelStatus.WAITING] * 3
    panel = fold_all(LIVE[:7]).panels[B]
    assert (panel.status, panel.text, panel.started_ms, panel.left_out) == (
        PanelStatus.RUNNING, "Gone", 1, LeftOut(turns=2),
    )  # fmt: skip
    panel = fold_all(LIVE[:8]).panels[B]
    assert (panel.text, panel.retrying) == ("", Retrying(2, FailureKind.OVERLOADED, 500))
    panel = fold_all(LIVE[:9]).panels[B]
    assert (panel.text, panel.retrying) == ("Half", None)
    view = fold_all(LIVE[:12])
    assert (view.panels[A].status, view.panels[A].text, view.panels[A].reasoning) == (PanelStatus.DONE, "Yes.", "Hm.")
    assert (view.panels[B].status, view.panels[B].text) == (PanelStatus.FAILED, "Half")
    assert view.panels[B].started_ms is None


def test_the_view_at_the_end() -> None:
    view = fold_all(LIVE)
    assert (view.status, view.result, view.degraded, view.seq, view.at_ms) == (Status.DEGRADED, RESULT, MISSING, 25, 90)
    answer = view.answer()
    assert answer is not None
    assert (answer.slot, answer.text) == (FALLBACK, "So.")
    assert [(n, [p.slot for p in panels]) for n, panels in view.layers()] == [(1, [A, B])]
    assert view.usage() == Usage(12, 3)


def test_any_prefix_folds_and_any_event_alone() -> None:
    view = RunView()
    for event in LIVE:
        fold(RunView(), event)
        view = fold(view, event)
        assert (view.seq, view.at_ms) == (event.seq, event.at_ms)
    assert view == fold_all(LIVE)
    assert RunView().usage() is None
    assert RunView().answer() is None
    assert RunView().layers() == []


def test_a_stored_run_folds_to_the_view_that_watched_it() -> None:
    stored = fold_all(replay(MIXTURE, PLAN, OUTCOMES, RESULT, {B: LeftOut(turns=2)}))
    assert replace(stored, seq=0, at_ms=0) == replace(fold_all(LIVE), seq=0, at_ms=0)


def test_a_stored_run_that_has_not_ended_is_running() -> None:
    stored = fold_all(replay(MIXTURE, PLAN, OUTCOMES[:1], None))
    assert (stored.status, stored.result) == (Status.RUNNING, None)
    assert [p.status for p in stored.panels.values()] == [PanelStatus.DONE, PanelStatus.WAITING, PanelStatus.WAITING]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FailureKind.STOPPED, PanelStatus.STOPPED),
        (FailureKind.LATE, PanelStatus.STOPPED),
        (FailureKind.INTERRUPTED, PanelStatus.STOPPED),
        (FailureKind.EMPTY, PanelStatus.FAILED),
        (FailureKind.BUDGET, PanelStatus.FAILED),
    ],
)
def test_stopped_is_not_failed(kind: FailureKind, status: PanelStatus) -> None:
    assert fold_all([*LIVE[:4], AgentFailed(5, 5, B, failure(B, kind))]).panels[B].status is status


def test_what_never_ran_is_stopped_with_its_run() -> None:
    ended = RunEnded(7, 9, RunResult(Status.CANCELLED, "", None, ()))
    view = fold_all([*LIVE[:6], ended])
    assert {p.status for p in view.panels.values()} == {PanelStatus.STOPPED}
    assert view.panels[A].text == "Ye"
    assert view.panels[A].started_ms is None


def test_an_analyst_stands_with_the_proposers_and_not_as_the_answer() -> None:
    mixture = recipe("a", "b", style=PromptStyle.ANALYSIS)
    view = fold_all([RunStarted(1, 0, mixture, plan_of(mixture).slots(), 7)])
    assert [(n, len(panels)) for n, panels in view.layers()] == [(1, 2), (2, 1)]
    answer = view.answer()
    assert answer is not None
    assert (answer.slot, answer.agent.part) == (Slot(2, 2), Part.AGGREGATOR)


def test_a_view_is_never_changed_in_place() -> None:
    before = fold_all(LIVE[:6])
    panels = dict(before.panels)
    fold_all(LIVE[6:], before)
    assert before.panels == panels
