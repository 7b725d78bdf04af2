"""What models are told of earlier turns, and pages of runs elsewhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from moa.chat.history import messages_of, view_of
from moa.chat.values import TIE, Comparison, RunRecord, TurnRecord, Vote
from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Message,
    Outcome,
    PromptStyle,
    Proposal,
    Recipe,
    Role,
    RunResult,
    Slot,
    Status,
)
from moa.core.view import PanelStatus, RunView
from tests.chat.conftest import MIXTURE

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def turn(question: str, answer: str | None, status: Status = Status.COMPLETE) -> TurnRecord:
    result = None if answer is None else RunResult(status, answer, None, ())
    run = RunRecord("r", "t", 1, MIXTURE, 0, status, NOW, result=result)
    return TurnRecord("t", "c", None, 0, question, NOW, (run,), "r")


def test_history_is_questions_and_final_answers() -> None:
    earlier = [turn("One?", "Uno."), turn("Two?", "Dos.", Status.DEGRADED)]
    assert messages_of(earlier, "Three?") == (
        Message(Role.USER, "One?"),
        Message(Role.ASSISTANT, "Uno."),
        Message(Role.USER, "Two?"),
        Message(Role.ASSISTANT, "Dos."),
        Message(Role.USER, "Three?"),
    )


def test_a_turn_without_any_answer_is_left_out_and_a_stopped_one_counts_as_far_as_it_came() -> None:
    earlier = [turn("Lost?", "", Status.FAILED), turn("Cut?", None), turn("Stopped?", "Half", Status.CANCELLED)]
    assert messages_of(earlier, "Now?") == (
        Message(Role.USER, "Stopped?"),
        Message(Role.ASSISTANT, "Half"),
        Message(Role.USER, "Now?"),
    )


def compared(question: str, answer: str, *further: RunRecord, vote: Vote | None = None) -> TurnRecord:
    order = tuple(range(1, len(further) + 2))
    return replace(turn(question, answer), further=further, comparison=Comparison(order, blind=False), vote=vote)


def test_what_answers_in_a_column_sees_what_it_said_wherever_it_stood_and_the_paths_where_it_said_nothing() -> None:
    one, other = (replace(MIXTURE, title="Renamed", system=system) for system in ("One.", "Other."))
    own = replace(turn("Q", "Own.").shown, id="own", column=2, recipe=one)
    foreign = replace(turn("Q", "Foreign.").shown, id="foreign", column=2, recipe=other)
    silent = replace(turn("Q", "").shown, id="silent", column=2, recipe=one)
    earlier = [
        compared("One?", "Uno.", replace(own, id="old"), own),
        turn("Two?", "Dos."),
        compared("Three?", "Tres.", silent),
        compared("Four?", "", own),
        compared("Five?", "Cinco.", foreign, replace(own, column=3)),
    ]
    assert [m.text for m in messages_of(earlier, "Now?", one)] == [
        "One?", "Own.", "Two?", "Dos.", "Three?", "Tres.", "Four?", "Own.", "Five?", "Own.", "Now?",
    ]  # fmt: skip
    for recipe in (None, MIXTURE):
        assert [m.text for m in messages_of(earlier, "Now?", recipe)] == [
            "One?", "Uno.", "Two?", "Dos.", "Three?", "Tres.", "Five?", "Cinco.", "Now?",
        ]  # fmt: skip
    assert [m.text for m in messages_of(earlier[4:], "Now?", other)] == ["Five?", "Foreign.", "Now?"]


def test_the_chat_goes_on_from_the_answer_that_was_preferred() -> None:
    second = replace(turn("Q", "Second.").shown, id="second", column=2)
    for choice, answer in (("second", "Second."), ("r", "First."), (TIE, "First."), ("an earlier attempt", "First.")):
        voted = compared("Q?", "First.", second, vote=Vote(choice, ("r", "second"), blind=True, at=NOW))
        assert [m.text for m in messages_of([voted], "Now?")] == ["Q?", answer, "Now?"]


def test_an_attempt_without_an_answer_hides_none_that_has_one() -> None:
    good = replace(turn("Q", "Good.").shown, id="good", column=2)
    failed = replace(turn("Q", "", Status.FAILED).shown, id="failed", column=2)
    shown = compared("Q?", "First.", good, failed)
    assert [run.id for run in shown.columns] == ["good"]
    assert [run.id for run in compared("Q?", "First.", failed).columns] == ["failed"]
    again = replace(failed, id="again", status=Status.RUNNING)
    assert [run.id for run in compared("Q?", "First.", good, failed, again).columns] == ["again"]
    first = replace(shown, runs=(replace(good, id="r", column=1), replace(failed, column=1)), shown_run_id="failed")
    assert first.shown.id == "r"


def running(*outcomes: Outcome, growing: dict[Slot, str], seconds: float, recipe: Recipe = MIXTURE) -> RunView:
    """The view of a run that goes on in another process, whose last word was so long after its beginning."""
    beat = NOW + dt.timedelta(seconds=seconds)
    return view_of(RunRecord("r", "t", 1, recipe, 0, Status.RUNNING, NOW, outcomes, growing=growing, heartbeat_at=beat))


def told(position: int, seconds: float, *, reused: bool = False, layer: int = 1) -> Proposal:
    slot = Slot(layer, position)
    return Proposal(slot, Agent("x"), f"{slot}", duration_ms=round(seconds * 1000), reused=reused)


def test_a_run_elsewhere_stands_as_of_its_last_heartbeat() -> None:
    view = running(told(1, 2), growing={Slot(1, 2): "half", Slot(1, 3): ""}, seconds=4.5)
    assert (view.status, view.at_ms, view.result) == (Status.RUNNING, 4500, None)
    found = {slot: (panel.status, panel.text, panel.started_ms) for slot, panel in view.panels.items()}
    assert found == {
        Slot(1, 1): (PanelStatus.DONE, "1.1", None), Slot(1, 2): (PanelStatus.RUNNING, "half", 0),
        Slot(1, 3): (PanelStatus.RUNNING, "", 0), Slot(2, 1): (PanelStatus.WAITING, "", None),
    }  # fmt: skip


def test_a_later_slot_counts_from_when_those_before_it_were_in() -> None:
    growing = {Slot(2, 1): "An"}
    assert running(told(1, 2), told(2, 3), told(3, 1), growing=growing, seconds=5).panels[Slot(2, 1)].started_ms == 3000
    again = [told(1, 2, reused=True), told(2, 3, reused=True), told(3, 1)]
    assert running(*again, growing=growing, seconds=5).panels[Slot(2, 1)].started_ms == 1000
    slow = [told(1, 9), told(2, 9), told(3, 9)]
    assert running(*slow, growing=growing, seconds=5).panels[Slot(2, 1)].started_ms == 5000


def test_those_who_write_the_answer_take_turns() -> None:
    spare = Agent("spare")
    recipe = replace(MIXTURE, prompt_style=PromptStyle.ANALYSIS, fallbacks=(spare,))
    before = [told(1, 2), told(2, 3), told(3, 1), told(1, 4, layer=2)]
    failed = Failure(Slot(2, 2), MIXTURE.aggregator, FailureKind.DROPPED, "The connection was lost.", duration_ms=1000)
    view = running(*before, failed, growing={Slot(2, 3): "An"}, seconds=20, recipe=recipe)
    answer = view.answer()
    assert answer is not None
    assert (answer.agent.model, answer.started_ms, answer.text) == ("spare", 8000, "An")
