"""A run as lines for a terminal, from its events."""

from __future__ import annotations

import pytest

from moa.cli.arguments import question
from moa.cli.lines import Line, lines, notice, summary
from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Finish,
    Layer,
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
from moa.core.errors import InputRefused
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    AgentStarted,
    Event,
    ReasoningDelta,
    RunEnded,
    RunStarted,
    TextDelta,
)
from moa.core.view import RunView, fold_all

A, B, C = Agent("p/a"), Agent("p/b", label="Careful"), Agent("p/c")
WRITER = Agent("p/agg", Part.AGGREGATOR)
RECIPE = Recipe("r", "R", (Layer((A, B, C)),), WRITER)
SLOTS = ((Slot(1, 1), A), (Slot(1, 2), B), (Slot(1, 3), C), (Slot(2, 1), WRITER))
BEGUN = RunStarted(0, 0, RECIPE, SLOTS, 1)


def sent(place: int, at_ms: int = 0) -> AgentStarted:
    slot, agent = SLOTS[place]
    return AgentStarted(1, at_ms, slot, agent, (Message(Role.USER, "Why?"),))


def view(*events: Event) -> RunView:
    return fold_all([BEGUN, *events])


def shown(place: int, *events: Event, note: str | None = None) -> Line:
    return lines(view(*events), lambda id_: id_.upper(), lambda _: note)[place]


def test_an_agent_before_its_turn_and_while_it_works() -> None:
    slot = Slot(1, 2)
    writing = TextDelta(2, 2500, slot, "x" * 40)
    assert shown(1) == Line(" ", "layer 1", "Careful", "waits", "", "")
    assert shown(1, sent(1, 500), TextDelta(2, 900, Slot(1, 1), "")) == Line(
        "…", "layer 1", "Careful", "asked", "0.4 s", ""
    )
    assert shown(1, sent(1), note="Loading model").status == "Loading model"
    assert shown(1, sent(1), ReasoningDelta(2, 10, slot, "Hm."), note="Loading model").status == "thinks"
    assert shown(1, sent(1, 500), writing) == Line("…", "layer 1", "Careful", "writes", "2.0 s", "~10 tokens")
    again = AgentRetrying(3, 2600, slot, 2, FailureKind.RATE_LIMITED, 2_100)
    assert shown(1, sent(1), writing, again).status == "rate limited, again in 3 s"


def test_an_agent_that_has_ended() -> None:
    done = Proposal(Slot(1, 1), A, "text", usage=Usage(9, 1), duration_ms=1_240)
    cut = Proposal(Slot(1, 1), A, "text", finish=Finish.LENGTH, usage=Usage(9, 1_204, estimated=True))
    failed = Failure(Slot(1, 1), A, FailureKind.CALL_TIMEOUT, "The answer took too long.", duration_ms=60_000)
    late = Failure(Slot(1, 1), A, FailureKind.LATE, "Too late for this layer.")
    assert shown(0, sent(0), AgentFinished(2, 1, Slot(1, 1), done)) == Line(
        "✓", "layer 1", "P/A", "done", "1.2 s", "1 token"
    )
    assert shown(0, sent(0), AgentFinished(2, 1, Slot(1, 1), cut)).status == "cut off at its limit"
    assert shown(0, sent(0), AgentFinished(2, 1, Slot(1, 1), cut)).tokens == "~1,204 tokens"
    assert shown(0, sent(0), AgentFailed(2, 1, Slot(1, 1), failed)) == Line(
        "✗", "layer 1", "P/A", "timed out", "60.0 s", ""
    )
    assert shown(0, sent(0), AgentFailed(2, 1, Slot(1, 1), late)).mark == "■"


def test_agents_stand_in_order_of_their_slots_with_the_writer_last() -> None:
    order = [line.where for line in lines(view(sent(3), sent(0)), str)]
    assert order == ["layer 1", "layer 1", "layer 1", "answer"]


def test_a_name_cannot_steer_the_terminal() -> None:
    assert lines(view(), lambda _: "Nice\x1b[2J\nmodel\x07")[0].label == "Nice[2J model"


def ended(status: Status, *missing: Missing, **told: int) -> RunView:
    failure = Failure(Slot(2, 1), WRITER, FailureKind.BAD_KEY, "The provider refused the key.")
    result = RunResult(status, "text", None, (), missing, duration_ms=3_210, **told)  # type: ignore[arg-type]
    return view(sent(3), AgentFailed(2, 1, Slot(2, 1), failure), RunEnded(3, 1, result))


def test_the_whole_run_in_one_line() -> None:
    known = RunResult(
        Status.COMPLETE,
        "text",
        Slot(2, 1),
        (),
        usage=Usage(1_000, 204),
        cost_microusd=2_100,
        calls=4,
        duration_ms=3_210,
    )
    assert summary(view(RunEnded(1, 1, known))) == "2 layers · 4 calls · 3.2 s · 1,204 tokens · $0.0021"
    assert summary(ended(Status.FAILED, calls=1)) == "2 layers · 1 call · 3.2 s"
    assert summary(view()) == ""


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (view(), ""),
        (ended(Status.COMPLETE), ""),
        (ended(Status.FAILED), "No answer. The provider refused the key."),
        (ended(Status.CANCELLED), "Stopped before there was an answer."),
        (ended(Status.INTERRUPTED), "The app ended before there was an answer."),
        (
            ended(Status.DEGRADED, Missing(Slot(1, 2), "Careful", "timed out"), Missing(None, "", "budget used up")),
            "Missing: Careful (timed out), budget used up",
        ),
    ],
)
def test_what_went_wrong_is_one_line(of: RunView, words: str) -> None:
    assert notice(of) == words


def test_a_dash_in_a_terminal_is_told_to_have_nothing_to_read() -> None:
    with pytest.raises(InputRefused, match="There is nothing to read"):
        question(["-"], None)
