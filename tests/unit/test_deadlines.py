"""The watchdog alone; with a server that is silent in tests/fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from moa.core.domain import FailureKind
from moa.core.errors import FinalCall, RetryableCall
from moa.core.policy import Deadlines
from moa.engine.deadlines import Watchdog
from tests.support.clock import ManualClock
from tests.support.loop import settle

DEADLINES = Deadlines(first_token_s=30, idle_s=20, total_s=100)


class Watched:
    """A task under a watchdog: it takes content when told to, and waits otherwise."""

    def __init__(self, body: Callable[[Watchdog], Awaitable[object]] | None = None) -> None:
        self.clock = ManualClock()
        self.done = asyncio.Event()
        self.dog: Watchdog | None = None
        self._body = body or (lambda _: self.done.wait())
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with Watchdog(self.clock, DEADLINES) as self.dog:
            await self._body(self.dog)

    async def pass_time(self, *seconds: float, content: bool = False) -> None:
        await settle(2)
        for some in seconds:
            self.clock.advance(some)
            await settle(3)
            if content and self.dog is not None:
                self.dog.content()

    async def kind(self) -> FailureKind:
        with pytest.raises(RetryableCall) as caught:
            await self.task
        assert self.clock.pending == 0
        assert self.task.cancelling() == 0
        return caught.value.kind


async def test_F08_no_first_token() -> None:
    one = Watched()
    await one.pass_time(29.9)
    assert not one.task.done()
    await one.pass_time(0.2)
    assert await one.kind() is FailureKind.FIRST_TOKEN_TIMEOUT


async def test_F09_silence_counts_from_the_last_content() -> None:
    one = Watched()
    await one.pass_time(19, 19, 19, content=True)
    await one.pass_time(19.9)
    assert not one.task.done()
    await one.pass_time(0.2)
    assert await one.kind() is FailureKind.IDLE_TIMEOUT


async def test_F10_a_slow_drip_ends_with_the_whole_call() -> None:
    one = Watched()
    await one.pass_time(*[9.0] * 11, content=True)
    assert not one.task.done()
    await one.pass_time(1.1)
    assert await one.kind() is FailureKind.CALL_TIMEOUT


async def test_who_ends_in_time_leaves_no_timer() -> None:
    one = Watched()
    await one.pass_time(29, content=True)
    one.done.set()
    await one.task
    assert one.clock.pending == 0
    one.clock.advance(1000)


async def test_an_error_of_the_body_stays_what_it_is() -> None:
    async def body(_: Watchdog) -> None:
        raise FinalCall(FailureKind.BAD_KEY)

    one = Watched(body)
    with pytest.raises(FinalCall):
        await one.task
    assert one.clock.pending == 0


async def test_an_error_that_answers_the_deadline_stays_what_it_is() -> None:
    """A provider that turns our cancellation into its own error loses nothing: the task is not left cancelled."""

    async def body(_: Watchdog) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RetryableCall(FailureKind.DROPPED) from None

    one = Watched(body)
    await one.pass_time(31)
    assert await one.kind() is FailureKind.DROPPED


async def test_a_stop_from_outside_is_no_timeout() -> None:
    one = Watched()
    await settle()
    one.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one.task
    assert one.clock.pending == 0


@pytest.mark.parametrize("stop_first", [True, False])
async def test_a_stop_that_comes_with_the_deadline_stays_a_stop(stop_first: bool) -> None:
    """Else a stopped call would be made again."""
    one = Watched()
    await settle()
    if stop_first:
        one.task.cancel()
        one.clock.advance(31)
    else:
        one.clock.advance(31)
        one.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one.task
    assert one.task.cancelled()


class Blocked(ManualClock):
    """A loop that was held up: time had gone on before any timer was looked at."""

    def hold_up(self, seconds: float) -> None:
        self._now += seconds


async def test_F31_what_came_while_the_loop_was_blocked_gets_its_chance() -> None:
    clock, done = Blocked(), asyncio.Event()
    dog = Watchdog(clock, DEADLINES)

    async def run() -> None:
        with dog:
            await done.wait()

    task = asyncio.create_task(run())
    await settle()
    clock.hold_up(32)
    clock.advance(0)  # the timer fires two seconds late
    await settle()
    assert not task.done()
    dog.content()  # and now what had arrived is read
    clock.advance(1)
    await settle()
    assert not task.done()
    done.set()
    await task


async def test_F31_real_silence_still_ends_it() -> None:
    clock = Blocked()

    async def run() -> None:
        with Watchdog(clock, DEADLINES):
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await settle()
    clock.hold_up(32)
    clock.advance(0)
    clock.advance(0.3)
    with pytest.raises(RetryableCall) as caught:
        await task
    assert caught.value.kind is FailureKind.FIRST_TOKEN_TIMEOUT


def test_it_needs_a_task() -> None:
    with pytest.raises(RuntimeError, match=r"no running event loop|watches a task"), Watchdog(ManualClock(), DEADLINES):
        raise AssertionError("entered")
