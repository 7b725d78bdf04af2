"""F32: a flood before a limited provider: most are refused at once, and those that wait cost next to nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest

from moa.core.domain import FailureKind, Slot, Status
from moa.core.errors import FinalCall
from moa.core.policy import Limits, Policy, Retries
from moa.engine.limits import Limiter
from tests.fault.laws import check_laws, failure_of
from tests.support.mixtures import ask, recipe, stage
from tests.support.server import Gate, hang

TWENTY_A_SECOND = Limits(requests_per_minute=1200)
ADMITTED = TWENTY_A_SECOND.concurrency + TWENTY_A_SECOND.queue


@pytest.mark.usefixtures("nothing_left")
async def test_F32_a_flood_fills_a_bounded_queue_and_the_rest_is_refused_at_once() -> None:
    async with stage(Policy(limits=TWENTY_A_SECOND, retries=Retries(attempts=1))) as at:
        gate = Gate()
        at.server.script("agg", hang(gate))
        runs = [at.engine.run(recipe(), ask()) for _ in range(500)]
        for run in runs:
            await run.__aenter__()
        await gate.arrived(TWENTY_A_SECOND.concurrency)
        refused = [run.result for run in runs if run.result is not None]
        assert len(refused) == 500 - ADMITTED
        for result in refused:
            assert (result.status, failure_of(result, Slot(1, 1)).kind) == (Status.FAILED, FailureKind.QUEUE_FULL)
        for run in runs:
            run.stop()
        for run in runs:
            await run.__aexit__(None, None, None)
        await at.server.idle()
        events = [[event async for event in run] for run in runs]
        assert [check_laws(told).status for told in events].count(Status.CANCELLED) == ADMITTED
        assert len(at.server.requests) == TWENTY_A_SECOND.concurrency
        assert not at.engine.resting("agg")  # a full queue is not the model's fault
        async with at.engine.run(recipe(aggregator="other"), ask()) as after:
            assert (await after.wait()).status is Status.COMPLETE


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts the timers that are set: each wake-up of a task that polls sets one."""

    timers = 0

    def call_at(  # type: ignore[override]  # typeshed ties the arguments to the callback's; they are passed on as they are
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(when, callback, *args, context=context)


def test_F32_only_one_of_all_who_wait_polls() -> None:
    async def flood() -> float:
        limiter = Limiter(TWENTY_A_SECOND)
        through: asyncio.Queue[None] = asyncio.Queue()

        async def call() -> bool:
            try:
                async with limiter.place():
                    through.put_nowait(None)
            except FinalCall:
                return False
            return True

        begun = time.monotonic()
        calls = [asyncio.create_task(call()) for _ in range(500)]
        for _ in range(25):  # twenty pass at once and leave their places to others; five more pass a second later
            await through.get()
        took_s = time.monotonic() - begun
        refused = [task for task in calls if task.done() and not task.result()]
        assert len(refused) == 500 - 20 - ADMITTED
        assert 0 < limiter.waiting < TWENTY_A_SECOND.queue
        for task in calls:
            task.cancel()
        await asyncio.wait(calls)
        assert limiter.waiting == 0
        return took_s

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        took_s = runner.run(flood())
        loop = runner.get_loop()
        assert isinstance(loop, CountingLoop)
        assert loop.timers <= took_s / 0.01 + 5  # one poller looks each 10 ms; 64 would set 64 times as many


@pytest.mark.usefixtures("nothing_left")
async def test_F32_places_are_given_back_whatever_happens() -> None:
    limiter = Limiter(Limits(concurrency=2, queue=3))
    entered: asyncio.Queue[None] = asyncio.Queue()

    async def hold() -> None:
        async with limiter.place():
            entered.put_nowait(None)
            await asyncio.get_running_loop().create_future()

    holding = [asyncio.create_task(hold()) for _ in range(5)]
    for _ in range(2):
        await entered.get()
    with pytest.raises(FinalCall):
        async with limiter.place():
            pass
    holding[3].cancel()  # one that waits
    holding[0].cancel()  # one that holds a place: the next in line gets it
    await entered.get()
    for task in holding:
        task.cancel()
    await asyncio.wait(holding)
    for _ in range(2):
        async with limiter.place(), limiter.place():
            assert limiter.waiting == 0
