"""F36: whatever goes wrong, at whichever step: the laws of events hold, the run ends, and nothing is left over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from moa.chat.service import ChatService
from moa.chat.values import Started, TurnView
from moa.core.domain import FailureKind, PromptStyle, Recipe, Slot, Status
from moa.core.errors import (
    FinalCall,
    MoaError,
    NotFound,
    RateLimited,
    RetryableCall,
    StoreBusy,
    StoreError,
    StoreReadOnly,
)
from moa.core.events import Event
from moa.engine.engine import Engine
from moa.engine.run import Run
from tests.fault.laws import check_laws
from tests.fault.loops import run_jumping
from tests.fault.scripted import ANNA, Fault, MemoryStore, ScriptedDirectory, ScriptedProvider, Trap
from tests.support.clock import ManualClock
from tests.support.mixtures import SEED, ask, recipe

RECIPES: dict[str, Recipe] = {
    "mixture": recipe("a", "b", layers=3, style=PromptStyle.FENCED, fallbacks=["spare"]),
    "quorum": recipe("a", "b", "c", layer={"quorum": 2}),
    "analysis": recipe("a", "b", style=PromptStyle.ANALYSIS),
    "single": recipe(),
}
STEPS = {"mixture": 30, "quorum": 24, "analysis": 24, "single": 6}
PASSING: dict[str, Fault] = {  # called again, these are got over
    "dropped": lambda: RetryableCall(FailureKind.DROPPED),
    "limited": lambda: RateLimited(retry_after_s=2),
    "unreachable": lambda: RetryableCall(FailureKind.UNREACHABLE),
    "hang": lambda: None,
}
LASTING: dict[str, Fault] = {
    "rejected": lambda: FinalCall(FailureKind.REJECTED),
    "bad key": lambda: FinalCall(FailureKind.BAD_KEY),
    "defect": lambda: RuntimeError("a defect"),
    "cancelled": asyncio.CancelledError,
}
REFUSING: dict[str, Fault] = {
    "busy": lambda: StoreBusy("The database is busy."),
    "full": lambda: StoreReadOnly("The disk is full."),
    "store": lambda: StoreError("The database reported an error."),
}
BROKEN: dict[str, Fault] = {
    "gone": lambda: NotFound("answer"),
    "defect": lambda: RuntimeError("a defect"),
}


class Sweep:
    """One run on a clock of its own, with a fault at the ``at``-th step of its provider."""

    def __init__(
        self, at: int = 0, fault: Fault | None = None, store_at: int = 0, store_fault: Fault | None = None
    ) -> None:
        self.clock = ManualClock()
        self.trap = Trap(at, fault)
        self.provider = ScriptedProvider(self.trap)
        self.memory = MemoryStore(Trap(store_at, store_fault))
        self.engine = Engine(ScriptedDirectory(self.provider), clock=self.clock, seed=SEED)
        self.events: list[Event] = []
        self.run: Run | None = None

    async def play(self, mixture: Recipe) -> None:
        """The whole run, its events kept."""
        async with self.engine.run(mixture, ask(), seed=SEED, sink=self.events.append) as self.run:
            await self.run.wait()

    def stopping(self) -> BaseException | None:
        """A fault that is the user's: Stop."""
        assert self.run is not None
        self.run.stop()
        return None


def _swept(name: str, fault: Callable[[Sweep], Fault]) -> list[Status]:
    """The statuses of runs with the fault at the first step, the second, and so on until it is not reached any more."""
    statuses: list[Status] = []
    while True:
        sweep = Sweep(at=len(statuses) + 1)
        sweep.trap.fault = fault(sweep)
        run_jumping(sweep.clock, lambda sweep=sweep: sweep.play(RECIPES[name]))  # type: ignore[misc]
        result = check_laws(sweep.events)
        sweep.provider.check()
        if not sweep.trap.sprung:
            assert result.status is Status.COMPLETE
            return statuses
        statuses.append(result.status)


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("name", RECIPES)
def test_F36_a_passing_fault_at_any_step_of_a_provider_is_got_over(name: str, fault: str) -> None:
    statuses = _swept(name, lambda _: PASSING[fault])
    assert len(statuses) == STEPS[name]
    assert set(statuses) == {Status.COMPLETE}


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("name", RECIPES)
def test_F36_a_lasting_fault_at_any_step_of_a_provider_costs_one_slot(name: str, fault: str) -> None:
    statuses = _swept(name, lambda _: LASTING[fault])
    proposers = STEPS[name] - 6
    assert len(statuses) == STEPS[name]
    alone = Status.FAILED if name == "single" else Status.DEGRADED
    assert statuses[proposers:] == [alone] * 6
    assert set(statuses[:proposers]) <= {Status.COMPLETE if name == "quorum" else Status.DEGRADED}


@pytest.mark.parametrize("name", RECIPES)
def test_F36_stop_at_any_step_of_a_provider_is_a_cancelled_run(name: str) -> None:
    statuses = _swept(name, lambda sweep: sweep.stopping)
    assert statuses == [Status.CANCELLED] * STEPS[name]


def test_F36_a_call_that_cancels_itself_is_replaced_like_any_that_fails() -> None:
    sweep = Sweep(STEPS["mixture"] - 3, asyncio.CancelledError)
    run_jumping(sweep.clock, lambda: sweep.play(RECIPES["mixture"]))
    result = check_laws(sweep.events)
    assert [(failure.slot, failure.kind) for failure in result.failures] == [(Slot(3, 1), FailureKind.INTERNAL)]
    assert (result.status, result.answer_slot) == (Status.DEGRADED, Slot(3, 2))


def test_F36_the_sweep_of_providers_has_at_least_500_cases() -> None:
    assert sum(STEPS.values()) * (len(PASSING) + len(LASTING) + 1) >= 500


@pytest.mark.parametrize("name", RECIPES)
def test_F36_the_owner_of_a_run_is_cancelled_at_any_turn_of_the_loop(name: str) -> None:
    turns = 0
    while True:
        turns += 1
        sweep = Sweep()

        async def main(sweep: Sweep = sweep, turns: int = turns) -> bool:
            owner = asyncio.create_task(sweep.play(RECIPES[name]))
            for _ in range(turns):
                await asyncio.sleep(0)
            cancelled = owner.cancel()
            await asyncio.wait([owner])
            return cancelled

        cancelled = run_jumping(sweep.clock, main)
        result = check_laws(sweep.events)
        sweep.provider.check()
        if not cancelled:
            assert result.status is Status.COMPLETE
            break
        assert result.status in (Status.CANCELLED, Status.COMPLETE)
    assert turns > STEPS[name] / 3


# -- the store


async def _asked(sweep: Sweep, name: str) -> tuple[ChatService, Started]:
    chat = ChatService(sweep.engine, sweep.memory.store)
    return chat, await chat.send(ANNA, question="Why?", recipe=RECIPES[name], request_key="key-1")


async def _watched(sweep: Sweep, chat: ChatService, started: Started) -> TurnView:
    views = []
    async for view in chat.watch(ANNA, started.run_id, every_s=0):
        views.append(view)
        if view.view.status is Status.COMPLETE:  # what is called done is stored
            assert sweep.memory.turns[view.id].shown.status is Status.COMPLETE
    await chat.drain(0)
    return views[-1]


def _store_swept(name: str, fault: Fault, check: Callable[[Sweep, TurnView], None]) -> int:
    """Every step of the store at which the fault met a run that had begun; gives how many."""
    met = 0
    while True:
        sweep = Sweep(store_at=met + 1, store_fault=fault)

        async def main(sweep: Sweep = sweep) -> TurnView | None:
            try:
                chat, started = await _asked(sweep, name)
            except (MoaError, RuntimeError):
                assert sweep.provider.calls == []
                return None
            return await _watched(sweep, chat, started)

        view = run_jumping(sweep.clock, main)
        sweep.provider.check()
        if view is not None:
            assert not view.live
            check(sweep, view)
        if not sweep.memory.trap.sprung:
            return met
        met += 1


def _stored_as_shown(sweep: Sweep, view: TurnView) -> None:
    stored = sweep.memory.turns[view.id].shown
    assert view.saved
    assert view.view.status is Status.COMPLETE
    assert (stored.status, stored.result) == (view.view.status, view.view.result)
    assert stored.result is not None
    assert stored.outcomes == stored.result.outcomes


def _ended(sweep: Sweep, view: TurnView) -> None:
    stored = sweep.memory.turns[view.id].shown
    if sweep.memory.ends == 0:
        assert (stored.status, view.view.status) == (Status.RUNNING, Status.FAILED)  # interrupted at the next start
    else:
        assert stored.status is Status.COMPLETE
        assert view.view.status in (Status.COMPLETE, Status.FAILED)
        assert stored.result is not None
        assert len(stored.outcomes) >= len(stored.result.outcomes) - 1  # one row may be lost, never those after it


@pytest.mark.parametrize("fault", REFUSING)
@pytest.mark.parametrize("name", RECIPES)
def test_F36_a_store_that_refuses_once_loses_nothing(name: str, fault: str) -> None:
    assert _store_swept(name, REFUSING[fault], _stored_as_shown) >= 6


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("name", RECIPES)
def test_F36_a_store_that_breaks_once_ends_no_run_and_no_page(name: str, fault: str) -> None:
    assert _store_swept(name, BROKEN[fault], _ended) >= 6


@pytest.mark.parametrize("name", RECIPES)
def test_F36_a_sender_that_goes_away_leaves_no_run_that_nobody_runs(name: str) -> None:
    turns = 0
    while True:
        turns += 1
        sweep = Sweep()

        async def main(sweep: Sweep = sweep, turns: int = turns) -> bool:
            chat = ChatService(sweep.engine, sweep.memory.store)
            sending = asyncio.create_task(
                chat.send(ANNA, question="Why?", recipe=RECIPES[name], request_key="key-1")
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            gone = sending.cancel()
            await asyncio.wait([sending])
            await chat.drain(0)
            return gone

        gone = run_jumping(sweep.clock, main)
        sweep.provider.check()
        statuses = {run.status for turn in sweep.memory.turns.values() for run in turn.runs}
        assert statuses <= {Status.COMPLETE, Status.INTERRUPTED}
        if not gone:
            break
    assert turns > 2
