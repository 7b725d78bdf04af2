"""Slots that are lost: the best answer that was possible, and plain words about what is missing from it."""

from __future__ import annotations

import pytest

from moa.core.domain import FailureKind, Part, PromptStyle, Slot, Status
from moa.core.events import AgentStarted, Degraded, Event, LayerStarted
from moa.core.view import PanelStatus, RunView, fold, fold_all
from tests.fault.laws import FAILED_TEXT, failure_of, proposal_of
from tests.fault.playing import AGAIN, play, played, reasons
from tests.support.mixtures import of_type, recipe, stage
from tests.support.server import Answer, Gate, HttpError, hang

pytestmark = pytest.mark.usefixtures("nothing_left")
AGGREGATOR, FALLBACK = Slot(2, 1), Slot(2, 2)
DROPS = Answer(f"{FAILED_TEXT} " + "word " * 9, break_after=8)


def _prompt(events: list[Event], slot: Slot) -> str:
    return next(e.messages[0].text for e in of_type(events, AgentStarted) if e.slot == slot)


@pytest.mark.parametrize(("quorum", "status"), [(2, Status.COMPLETE), (None, Status.DEGRADED), (3, Status.DEGRADED)])
async def test_F03_one_of_three_fails_for_ever(quorum: int | None, status: Status) -> None:
    async with stage(AGAIN) as at:
        at.server.script("b", HttpError(500))
        events, result = await played(at, recipe("a", "b", "c", layer={"quorum": quorum}))
        failure = failure_of(result, Slot(1, 2))
        assert (failure.kind, failure.attempts) == (FailureKind.OVERLOADED, 3)
        assert (result.status, result.answer) == (status, "Hello from agg.")
        assert reasons(result) == [("1.2", "provider error")]  # "2 of 3": the page counts what is missing
        assert [d.because.label for d in of_type(events, Degraded)] == ["B"]
        prompt = _prompt(events, AGGREGATOR)
        assert [name in prompt for name in ("from a.", "from b.", "from c.")] == [True, False, True]


async def test_F03_a_quorum_waits_no_longer_than_its_grace() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("c", hang(gate))
        async with play(at, recipe("a", "b", "c", layer={"quorum": 2, "grace_s": 4})) as playing:
            await gate.arrived()
            await playing.finished(Slot(1, 1), Slot(1, 2))
            at.clock.advance(3.999)
            await playing.turned()
            assert at.server.active == 1
            at.clock.advance(0.001)
            result = await playing.rest()
        failure = failure_of(result, Slot(1, 3))
        assert (failure.kind, failure.duration_ms) == (FailureKind.LATE, 4000)
        assert (result.status, result.answer) == (Status.COMPLETE, "Hello from agg.")


@pytest.mark.parametrize("quorum", [None, 2])
async def test_F03_below_quorum_at_the_deadline_goes_on_with_what_is_there(quorum: int | None) -> None:
    async with stage() as at:
        gate = Gate()
        for name in "bc":
            at.server.script(name, hang(gate))
        async with play(at, recipe("a", "b", "c", layer={"quorum": quorum, "deadline_s": 20})) as playing:
            await gate.arrived(2)
            await playing.finished(Slot(1, 1))
            at.clock.advance(20)
            result = await playing.rest()
        assert [f.kind for f in result.failures] == [FailureKind.LATE] * 2
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from agg.")


@pytest.mark.parametrize("style", list(PromptStyle))
async def test_F04_without_any_proposal_the_aggregator_answers_alone(style: PromptStyle) -> None:
    async with stage() as at:
        for name in "ab":
            at.server.script(name, HttpError(500))
        events, result = await played(at, recipe("a", "b", style=style), "Why?")
        [asked] = at.server.requests_for("agg")
        assert asked.messages == [{"role": "user", "content": "Why?"}]
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from agg.")
        assert [why for _, why in reasons(result)] == ["provider error"] * 2
        assert [e.part for e in of_type(events, LayerStarted)] == [Part.PROPOSER, Part.AGGREGATOR]


async def test_F04_a_layer_lost_as_a_whole_is_skipped() -> None:
    async with stage() as at:
        for name in "ab":
            at.server.script(name, Answer(f"First of {name}."), HttpError(500))
        events, result = await played(at, recipe("a", "b", layers=3))
        assert "First of a." in _prompt(events, Slot(3, 1))
        assert (result.status, [s for s, _ in reasons(result)]) == (Status.DEGRADED, ["2.1", "2.2"])


def _answers_shown(events: list[Event]) -> list[str]:
    """Every text that a page has shown as the answer."""
    view, shown = RunView(), []
    for event in events:
        view = fold(view, event)
        panel = view.answer()
        if panel is not None and panel.text not in shown:
            shown.append(panel.text)
    return shown


@pytest.mark.parametrize("fault", [HttpError(500), DROPS], ids=["down", "drops at 80 %"])
async def test_F05_a_fallback_takes_the_aggregators_place(fault: HttpError | Answer) -> None:
    async with stage(AGAIN) as at:
        at.server.script("agg", fault)
        at.server.script("spare", HttpError(502))
        at.server.script("last", Answer("A whole answer."))
        events, result = await played(at, recipe("a", "b", fallbacks=["spare", "last"]))
        assert (result.status, result.answer, result.answer_slot) == (Status.DEGRADED, "A whole answer.", Slot(2, 3))
        assert [slot for slot, _ in reasons(result)] == ["2.1", "2.2"]
        assert failure_of(result, AGGREGATOR).attempts == 3
        for text in _answers_shown(events):  # one text or the other, never both
            assert not (FAILED_TEXT in text and "whole" in text)
            assert text.count(FAILED_TEXT) <= 1
        prompts = [request.messages for request in at.server.requests_for("last")]
        assert prompts == [at.server.requests_for("agg")[0].messages]


async def test_F05_a_repeated_aggregator_replaces_its_own_partial_text() -> None:
    async with stage(AGAIN) as at:
        at.server.script("agg", DROPS, Answer("A whole answer."))
        events, result = await played(at, recipe("a", "b"))
        assert (result.status, result.answer, result.answer_slot) == (Status.COMPLETE, "A whole answer.", AGGREGATOR)
        assert not any(FAILED_TEXT in text and "whole" in text for text in _answers_shown(events))


@pytest.mark.parametrize("fault", [HttpError(500), DROPS], ids=["down", "drops at 80 %"])
async def test_F05_without_fallbacks_the_best_single_proposal_stands_labelled(fault: HttpError | Answer) -> None:
    async with stage(AGAIN) as at:
        at.server.script("agg", fault)
        at.server.script("a", Answer("Something else entirely."))
        for name in "bc":
            at.server.script(name, Answer("Light is scattered by the air."))
        events, result = await played(at, recipe("a", "b", "c"))
        assert (result.status, result.answer_slot) == (Status.DEGRADED, Slot(1, 2))
        assert result.answer == "Light is scattered by the air."
        assert [slot for slot, _ in reasons(result)] == ["2.1"]
        view = fold_all(events)
        answer = view.answer()
        assert answer is not None
        assert (answer.slot, answer.status) == (Slot(1, 2), PanelStatus.DONE)


async def test_F05_an_analyst_that_fails_costs_the_analysis_only() -> None:
    async with stage() as at:
        at.server.script("agg", HttpError(500), Answer("Without an analysis."))
        _, result = await played(at, recipe("a", "b", style=PromptStyle.ANALYSIS))
        assert (result.status, result.answer) == (Status.DEGRADED, "Without an analysis.")
        assert reasons(result) == [("2.1", "provider error")]


async def test_F06_everything_down_is_a_failed_run_with_plain_words() -> None:
    async with stage(AGAIN) as at:
        at.server.default = HttpError(503, "secret internals: <b>stack</b> 10.0.0.7")
        events, result = await played(at, recipe("a", "b", fallbacks=["spare"]))
        assert (result.status, result.answer, result.answer_slot) == (Status.FAILED, "", None)
        assert [slot for slot, _ in reasons(result)] == ["1.1", "1.2", "2.1", "2.2"]
        assert {f.public for f in result.failures} == {"The provider has a problem right now."}
        assert all(f.retryable for f in result.failures)
        assert "internals" not in repr(events)
        assert "10.0.0.7" not in repr(events)


async def test_other_runs_of_the_same_engine_notice_nothing() -> None:
    async with stage() as at:
        at.server.script("bad", HttpError(500))
        async with play(at, recipe("good", "other")) as calm:
            await calm.finished(Slot(1, 1))
            _, failed = await played(at, recipe("bad", aggregator="bad"))
            result = await calm.rest()
        assert (failed.status, result.status) == (Status.FAILED, Status.COMPLETE)
        assert proposal_of(result, AGGREGATOR).attempts == 1
