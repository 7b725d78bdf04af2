"""F21: Stop at every event of a run: calls end, connections close, what had arrived is kept."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from moa.core.domain import FailureKind, PromptStyle, Recipe, Slot, Status
from moa.core.events import Event, LayerStarted, RunEnded, TextDelta
from moa.core.policy import Limits, Policy
from moa.core.view import PanelStatus
from tests.fault.laws import check_laws, failure_of
from tests.fault.playing import AGAIN, play, played
from tests.fault.rooms import ANNA, room
from tests.support.mixtures import SEED, Stage, ask, recipe, stage
from tests.support.server import Answer, Gate, HttpError, hang_after

pytestmark = pytest.mark.usefixtures("nothing_left")
MIXTURE = recipe("a", "flaky", layers=3, style=PromptStyle.FENCED)


def _script(at: Stage) -> None:
    at.server.script("flaky", HttpError(500), Answer("It works now."))


async def _stopped_at(index: int, mixture: Recipe, *, at_once: bool) -> list[Event]:
    """A run that is stopped at its event of this index: while it is told, or by whoever reads it."""
    events: list[Event] = []
    async with stage(AGAIN) as at:
        _script(at)

        def told(event: Event) -> None:
            events.append(event)
            if len(events) == index:
                run.stop()

        run = at.engine.run(mixture, ask(), seed=SEED, sink=told if at_once else None)
        async with run:
            if at_once:
                await run.wait()
            else:
                async for event in run:
                    told(event)
        await at.server.idle()  # ended by the run, before the client closes
    return events


@pytest.mark.parametrize("at_once", [True, False], ids=["while told", "by the reader"])
async def test_F21_stop_at_every_event(at_once: bool) -> None:
    for index in itertools.count(1):
        events = await _stopped_at(index, MIXTURE, at_once=at_once)
        result = check_laws(events)
        if len(events) == index:  # nothing came after it
            assert isinstance(events[-1], RunEnded)
            assert index > 20
            assert result.status is Status.COMPLETE or not at_once
            return
        if at_once:
            assert result.status is Status.CANCELLED
            assert not any(isinstance(event, TextDelta | LayerStarted) for event in events[index:])  # silence
            assert {failure.kind for failure in result.failures} <= {FailureKind.STOPPED}


async def test_F21_what_waits_in_a_queue_or_for_a_retry_stops_too() -> None:
    async with stage(Policy(limits=Limits(concurrency=1))) as at:
        gate = Gate()
        at.server.script("a", HttpError(429, headers={"Retry-After": "60"}))
        at.server.script("b", hang_after(1, gate))
        async with play(at, recipe("a", "b", "c")) as playing:
            await at.clock.sleeping()
            await gate.arrived()
            playing.run.stop()
            result = await playing.rest()
        assert [(f.slot.position, f.kind) for f in result.failures] == [(n, FailureKind.STOPPED) for n in (1, 2, 3)]
        assert [len(at.server.requests_for(name)) for name in "abc"] == [1, 1, 0]


async def test_F21_stopping_one_slot_leaves_the_run_going() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("a", hang_after(1, gate))
        async with play(at, recipe("a", "b")) as playing:
            await playing.said(Slot(1, 1), "one ")
            playing.run.stop_slot(Slot(1, 1))
            result = await playing.rest()
        assert (failure_of(result, Slot(1, 1)).kind, failure_of(result, Slot(1, 1)).partial) == (
            FailureKind.STOPPED, "one ",
        )  # fmt: skip
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from agg.")


async def test_F21_leaving_the_handle_is_stopping() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("a", hang_after(1, gate))
        async with play(at, recipe("a", "b")) as playing:
            await playing.said(Slot(1, 1), "one ")
        await at.server.idle()
        assert playing.run.result is not None
        assert playing.run.result.status is Status.CANCELLED
        _, other = await played(at, recipe("b"))
        assert other.status is Status.COMPLETE


@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_F21_a_stopped_run_is_stored_as_cancelled_with_its_partial_texts(tmp_path: Path, after: int) -> None:
    async with room(tmp_path) as here:
        gate, server = Gate(), here.at.server
        server.script("agg", hang_after(after, gate, "one two three"))
        started = await here.send(recipe("a", "b"))
        said = "one two three "[: (0, 4, 8, 13)[after]]
        async for view in here.chat.watch(ANNA, started.run_id, every_s=0):
            answer = view.view.answer()
            if gate.arrivals and answer is not None and answer.text == said:
                break
            if after == 0 and answer is not None and answer.status is PanelStatus.RUNNING:
                await gate.arrived()
                break
        await here.chat.stop(ANNA, started.run_id)
        await server.idle()
        stored = await here.stored(started)
        result = stored.view.result
        assert result is not None
        assert (stored.view.status, result.answer, stored.live) == (Status.CANCELLED, said, False)
        assert [p.text for p in result.proposals] == ["Hello from a.", "Hello from b."]
        assert failure_of(result, Slot(2, 1)).kind is FailureKind.STOPPED
        assert (await here.views(started))[-1].view.result == result
