from __future__ import annotations

import asyncio

import pytest

from moa.core.domain import FailureKind
from moa.core.errors import FinalCall
from moa.core.policy import Limits, Retries
from moa.engine.limits import Limiter, RetryBudget
from tests.support.loop import settle


class Callers:
    """Tasks that hold a place until told to leave."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self.inside: list[int] = []
        self.most = 0
        self._leave = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def call(self, n: int) -> None:
        async with self.limiter.place():
            self.inside.append(n)
            self.most = max(self.most, len(self.inside))
            await self._leave.wait()
            self.inside.remove(n)

    async def come(self, count: int) -> None:
        self.tasks += [asyncio.create_task(self.call(len(self.tasks) + n)) for n in range(count)]
        await settle()

    async def leave(self) -> list[BaseException | None]:
        self._leave.set()
        return await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_no_more_are_inside_than_may_be_and_the_rest_wait_their_turn() -> None:
    callers = Callers(Limiter(Limits(concurrency=2, queue=3)))
    await callers.come(5)
    assert callers.inside == [0, 1]
    assert callers.limiter.waiting == 3
    assert await callers.leave() == [None] * 5
    assert callers.most == 2
    assert callers.limiter.waiting == 0


async def test_F32_one_more_than_the_queue_holds_is_refused_at_once() -> None:
    callers = Callers(Limiter(Limits(concurrency=2, queue=3)))
    await callers.come(500)
    refused = [task for task in callers.tasks if task.done()]
    assert len(refused) == 495
    for task in refused:
        error = task.exception()
        assert isinstance(error, FinalCall)
        assert error.kind is FailureKind.QUEUE_FULL
    ended = await callers.leave()
    assert ended.count(None) == 5


async def test_who_gives_up_waiting_leaves_no_hole() -> None:
    callers = Callers(Limiter(Limits(concurrency=1, queue=2)))
    await callers.come(3)
    callers.tasks[1].cancel()
    await settle()
    assert callers.limiter.waiting == 1
    await callers.come(2)
    assert callers.limiter.waiting == 2
    ended = await callers.leave()
    assert [type(end) for end in ended] == [
        type(None), asyncio.CancelledError, type(None), type(None), FinalCall,
    ]  # fmt: skip


async def test_a_place_is_given_back_whatever_happens_inside() -> None:
    limiter = Limiter(Limits(concurrency=1, queue=0))
    for error in (ValueError("ours"), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            async with limiter.place():
                raise error
    async with limiter.place():
        with pytest.raises(FinalCall):
            async with limiter.place():
                raise AssertionError("two in one place")


async def test_a_rate_lets_pass_what_it_allows_and_holds_the_next() -> None:
    """60 a minute: one now, the second not before a second has gone. Who leaves then gives the place back."""
    callers = Callers(Limiter(Limits(requests_per_minute=60, concurrency=3, queue=0)))
    await callers.come(3)
    assert callers.inside == [0]
    for task in callers.tasks[1:]:
        task.cancel()
    await settle()
    assert [task.cancelled() for task in callers.tasks] == [False, True, True]
    await callers.leave()


async def test_a_high_rate_holds_nobody() -> None:
    callers = Callers(Limiter(Limits(requests_per_minute=6_000, concurrency=50)))
    await callers.come(50)
    assert len(callers.inside) == 50
    await callers.leave()


def test_a_fifth_of_the_last_minutes_calls_may_be_retries_and_ten_are_free() -> None:
    budget = RetryBudget(Retries())
    for _ in range(10):
        assert budget.may_retry(0.0)
    assert not budget.may_retry(0.0)
    for _ in range(60):
        budget.called(1.0)
    assert [budget.may_retry(1.0) for _ in range(3)] == [True, True, False]  # 12 of 60
    assert budget.may_retry(60.0)  # those of second 0 are over a minute old
    assert sum(budget.may_retry(61.0) for _ in range(20)) == 9


def test_counts_are_forgotten_with_their_minute() -> None:
    budget = RetryBudget(Retries(share=0.5))
    for n in range(10_000):
        budget.called(n / 10)
    assert len(budget._calls) <= 600
