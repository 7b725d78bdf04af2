from __future__ import annotations

import pytest

from moa.chat.values import ConversationView, TurnView
from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Finish,
    Layer,
    LeftOut,
    Message,
    Missing,
    Part,
    Proposal,
    Recipe,
    Role,
    RunResult,
    Slot,
    Status,
    Usage,
)
from moa.core.errors import public_text
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    AgentStarted,
    Degraded,
    Event,
    LayerStarted,
    RunEnded,
    RunStarted,
    TextDelta,
)
from moa.core.money import money
from moa.core.view import RunView, fold_all
from moa.ui import render

CAREFUL = Agent("embedded/small", label="Careful")
PLAIN = Agent("embedded/small", label="Plain")
WRITER = Agent("embedded/small", Part.AGGREGATOR)
RECIPE = Recipe("local", "Built in", (Layer((CAREFUL, PLAIN)),), WRITER)
PLAN = ((Slot(1, 1), CAREFUL), (Slot(1, 2), PLAIN), (Slot(2, 1), WRITER))
BEGUN: list[Event] = [
    RunStarted(0, 0, RECIPE, PLAN, 7),
    LayerStarted(1, 1, 1, Part.PROPOSER, PLAN[:2]),
    AgentStarted(2, 1_000, Slot(1, 1), CAREFUL, (Message(Role.USER, "Hi"),)),
    AgentStarted(3, 1_000, Slot(1, 2), PLAIN, (Message(Role.USER, "Hi"),)),
]


def proposal(slot: Slot, agent: Agent, text: str = "Hello.", **more: object) -> Proposal:
    return Proposal(slot, agent, text, duration_ms=1_250, usage=Usage(10, 5), **more)  # type: ignore[arg-type]


def failure(slot: Slot, agent: Agent, kind: FailureKind) -> Failure:
    return Failure(slot, agent, kind, public_text(kind), duration_ms=30_000, partial="Half")


def label(model_id: str) -> str:
    return {"embedded/small": "Small"}.get(model_id, model_id)


def turn(view: RunView, *, turn_id: str = "t1", live: bool = False) -> TurnView:
    return TurnView(turn_id, "c1", "Hi?", f"run-{turn_id}", view, live)


def ended(status: Status, *outcomes: Proposal | Failure, missing: tuple[Missing, ...] = (), **more: object) -> RunView:
    events: list[Event] = list(BEGUN)
    for seq, outcome in enumerate(outcomes, start=10):
        if outcome.slot.layer == 2:
            events.append(AgentStarted(seq * 2, 2_000, outcome.slot, outcome.agent, ()))
        done = AgentFinished if isinstance(outcome, Proposal) else AgentFailed
        events.append(done(seq * 2 + 1, 2_250, outcome.slot, outcome))  # type: ignore[arg-type]
    answered = next((o for o in outcomes if o.slot.layer == 2 and isinstance(o, Proposal)), None)
    result = RunResult(
        status, answered.text if answered else "", answered.slot if answered else None, outcomes, missing,
        usage=Usage(30, 15), calls=3, duration_ms=4_200, **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return fold_all([*events, RunEnded(99, 4_200, result)])


@pytest.mark.parametrize(
    ("microusd", "shown"),
    [
        (None, None), (0, "free"), (1, "$0.000001"), (12, "$0.000012"), (1_234, "$0.0012"), (12_345, "$0.012"),
        (123_456, "$0.12"), (1_234_567, "$1.23"), (2_500_000_000, "$2,500.00"),
    ],
)  # fmt: skip
def test_money_is_unknown_or_exact_and_never_a_bare_zero(microusd: int | None, shown: str | None) -> None:
    assert money(microusd) == shown


def test_a_running_turn_shows_waiting_running_and_seconds_so_far() -> None:
    view = fold_all([*BEGUN, TextDelta(4, 3_400, Slot(1, 1), "The sky")])
    shown = render.turn_json(turn(view, live=True), label)
    first, second = shown["layers"][0]["panels"]
    assert (first["slot"], first["model"], first["label"]) == ("1.1", "Small", "Careful")
    assert (first["status"], first["text"], first["seconds"]) == ("running", "The sky", 2.4)
    assert (second["status"], second["text"]) == ("running", "")
    assert shown["answer"] is not None
    assert (shown["answer"]["status"], shown["answer"]["seconds"]) == ("waiting", None)
    assert shown["totals"] == {
        "seconds": 3.4,
        "first": None,
        "calls": 2,
        "tokens": None,
        "estimated": False,
        "cost": None,
    }
    assert (shown["status"], shown["notice"], shown["mend"]) == ("running", None, None)


def test_the_aggregators_panel_is_the_answer_and_in_no_layer() -> None:
    done = [proposal(Slot(1, 1), CAREFUL), proposal(Slot(1, 2), PLAIN), proposal(Slot(2, 1), WRITER, "Final.")]
    shown = render.turn_json(turn(ended(Status.COMPLETE, *done, cost_microusd=900)), label)
    assert [layer["number"] for layer in shown["layers"]] == [1]
    assert shown["answer"] is not None
    assert (shown["answer"]["text"], shown["answer"]["tokens"], shown["answer"]["seconds"]) == ("Final.", 5, 1.2)
    assert shown["totals"] == {
        "seconds": 4.2,
        "first": None,
        "calls": 3,
        "tokens": 45,
        "estimated": False,
        "cost": "$0.00090",
    }


def test_a_missing_proposer_is_named_with_its_reason() -> None:
    missing = Missing(Slot(1, 1), "Careful", "timed out")
    outcomes: list[Proposal | Failure] = [
        failure(Slot(1, 1), CAREFUL, FailureKind.FIRST_TOKEN_TIMEOUT), proposal(Slot(1, 2), PLAIN),
        proposal(Slot(2, 1), WRITER),
    ]  # fmt: skip
    shown = render.turn_json(turn(ended(Status.DEGRADED, *outcomes, missing=(missing,))), label)
    assert shown["notice"] == "1 of 2 proposers · missing Careful (timed out)"
    panel = shown["layers"][0]["panels"][0]
    assert (panel["status"], panel["error"], panel["text"]) == ("failed", "No answer began in time.", "Half")
    assert panel["cost"] is None


def test_what_is_missing_is_said_while_the_run_goes_on() -> None:
    view = fold_all([*BEGUN, Degraded(5, 2_000, Missing(Slot(1, 2), "Plain", "refused"))])
    assert render.notice(view) == "0 of 2 proposers · missing Plain (refused)"


def test_a_reason_that_concerns_the_run_stands_by_itself() -> None:
    missing = (Missing(Slot(2, 1), "Writer", "dropped"), Missing(None, "", "best single proposal"))
    view = ended(Status.DEGRADED, proposal(Slot(1, 1), CAREFUL), proposal(Slot(1, 2), PLAIN), missing=missing)
    assert render.notice(view) == "Writer: dropped · best single proposal"


@pytest.mark.parametrize(
    ("status", "notice"),
    [
        (Status.CANCELLED, "Stopped."),
        (Status.INTERRUPTED, "The app stopped while this was written."),
        (Status.FAILED, "No answer came. The provider can't be reached."),
    ],
)
def test_a_run_without_an_answer_says_what_happened_and_offers_retry(status: Status, notice: str) -> None:
    outcomes: list[Proposal | Failure] = [failure(slot, agent, FailureKind.UNREACHABLE) for slot, agent in PLAN]
    shown = render.turn_json(turn(ended(status, *outcomes)), label)
    assert (shown["notice"], shown["mend"], shown["status"]) == (notice, "retry", status.value)


def test_notes_say_waiting_cutting_and_trimming() -> None:
    retrying = fold_all([*BEGUN, AgentRetrying(9, 2_000, Slot(1, 1), 2, FailureKind.RATE_LIMITED, 2_600)])
    assert render.turn_json(turn(retrying), label)["layers"][0]["panels"][0]["note"] == "waiting 3 s"
    trimmed = AgentStarted(9, 2_000, Slot(1, 1), CAREFUL, (), LeftOut(turns=2, proposal_chars=1_200))
    cut = AgentFinished(10, 2_500, Slot(1, 1), proposal(Slot(1, 1), CAREFUL, finish=Finish.LENGTH, reused=True))
    panel = render.turn_json(turn(fold_all([*BEGUN, trimmed, cut])), label)["layers"][0]["panels"][0]
    assert panel["note"] == "cut at its limit · reused · left out: 2 turns and 1,200 characters of proposals"


def test_cost_so_far_is_unknown_as_soon_as_one_part_is() -> None:
    known = AgentFinished(5, 2_000, Slot(1, 1), proposal(Slot(1, 1), CAREFUL, cost_microusd=1_000))
    unknown = AgentFinished(6, 2_100, Slot(1, 2), proposal(Slot(1, 2), PLAIN))
    assert render.turn_json(turn(fold_all([*BEGUN, known])), label)["totals"]["cost"] == "$0.0010"
    assert render.turn_json(turn(fold_all([*BEGUN, known, unknown])), label)["totals"]["cost"] is None


def test_only_the_newest_settled_turn_carries_its_proposals_and_none_that_runs_is_settled() -> None:
    done = ended(Status.COMPLETE, *[proposal(slot, agent) for slot, agent in PLAN])
    turns = (
        turn(done, turn_id="t1"), turn(done, turn_id="t2"), turn(fold_all(BEGUN), turn_id="t3", live=True),
    )  # fmt: skip
    shown = render.settled(ConversationView("c1", "Hi", "t3", turns), label)
    texts = [[panel["text"] for panel in t["layers"][0]["panels"]] for t in shown["turns"]]
    assert texts == [[None, None], ["Hello.", "Hello."]]
    assert [t["answer"] and t["answer"]["text"] for t in shown["turns"]] == ["Hello.", "Hello."]


def test_an_analysis_is_a_layer_of_its_own_kind() -> None:
    analyst = Agent("embedded/small", Part.ANALYST)
    view = fold_all([*BEGUN, LayerStarted(9, 2_000, 2, Part.ANALYST, ((Slot(2, 2), analyst),))])
    shown = render.turn_json(turn(view), label)
    assert [(layer["number"], layer["kind"]) for layer in shown["layers"]] == [(1, "proposers"), (2, "analysis")]


def test_a_run_that_is_not_saved_yet_says_so() -> None:
    missing = Missing(Slot(1, 2), "Plain", "refused")
    view = fold_all([*BEGUN, Degraded(5, 2_000, missing)])
    shown = render.turn_json(TurnView("t1", "c1", "Hi?", "r1", view, live=True, saved=False), label)
    assert shown["notice"] is not None
    assert shown["notice"].startswith("0 of 2 proposers · missing Plain (refused) · Not saved yet")
