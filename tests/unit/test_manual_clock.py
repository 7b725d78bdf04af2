"""The clock that other tests move: a wrong one would hide what they look for."""

from __future__ import annotations

import asyncio

from tests.support.clock import ManualClock
from tests.support.loop import settle


def test_timers_fire_in_order_each_at_its_own_time() -> None:
    clock, fired = ManualClock(100.0), []
    for delay in (3.0, 1.0, 2.0, 1.0):
        clock.call_later(delay, lambda delay=delay: fired.append((delay, clock.now())))  # type: ignore[misc]
    clock.advance(0.5)
    assert fired == []
    clock.advance(2.0)
    assert fired == [(1.0, 101.0), (1.0, 101.0), (2.0, 102.0)]
    assert (clock.now(), clock.pending) == (102.5, 1)
    clock.advance(100)
    assert fired[-1] == (3.0, 103.0)


def test_a_timer_may_set_or_cancel_another() -> None:
    clock, fired = ManualClock(), []
    later = clock.call_later(3.0, lambda: fired.append("cancelled"))

    def first() -> None:
        fired.append("first")
        clock.call_later(1.0, lambda: fired.append("second"))

    clock.call_later(1.0, later.cancel)
    clock.call_later(1.0, first)
    clock.advance(5.0)
    assert fired == ["first", "second"]
    assert clock.pending == 0


def test_jump_goes_to_the_next_timer_and_no_further() -> None:
    clock, fired = ManualClock(0.1), []
    for delay in (0.7, 0.2, 0.7):
        clock.call_later(delay, lambda delay=delay: fired.append(delay))  # type: ignore[misc]
    assert clock.jump()
    assert fired == [0.2]
    assert clock.jump()
    assert fired == [0.2, 0.7, 0.7]
    assert not clock.jump()


async def test_sleepers_wake_in_order_and_can_be_cancelled() -> None:
    clock, woken = ManualClock(), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (2.0, 1.0, 3.0)]
    await clock.sleeping(3)
    tasks[2].cancel()
    clock.advance(1.5)
    await settle()
    assert woken == [1.0]
    clock.advance(1.5)
    await asyncio.wait(tasks)
    assert (woken, clock.pending, clock.slept) == ([1.0, 2.0], 0, [2.0, 1.0, 3.0])
