"""What a provider may be asked for: requests a minute, calls at once, callers that wait, and retries.

asyncio-throttle polls every 10 ms while it waits, so only one caller at a time stands before it; the others
wait on locks, which cost nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncio_throttle.throttler import Throttler

from moa.core.domain import FailureKind
from moa.core.errors import FinalCall
from moa.core.policy import Limits, Retries

_MINUTE_S = 60.0
_FREE_RETRIES = 10


class Limiter:
    """Admission to one provider."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(limits.concurrency)
        self._waiting = 0
        self._turn = asyncio.Lock()
        rate = limits.requests_per_minute
        self._throttler = _throttler(rate) if rate else None

    @property
    def waiting(self) -> int:
        """Callers that wait now."""
        return self._waiting

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one of the provider's places. Raises FinalCall(QUEUE_FULL) at once when too many wait."""
        if self._places.locked():
            await self._wait_for_place()
        else:
            await self._places.acquire()
        try:
            if self._throttler is not None:
                async with self._turn:
                    await self._throttler.acquire()  # type: ignore[no-untyped-call]  # it has no types
            yield
        finally:
            self._places.release()

    async def _wait_for_place(self) -> None:
        if self._waiting >= self._limits.queue:
            raise FinalCall(FailureKind.QUEUE_FULL)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1


def _throttler(per_minute: int) -> Throttler:
    """Spread over the minute where that is possible: 1,200 a minute are 20 a second, not 1,200 at once."""
    if per_minute % 60 == 0:
        return Throttler(rate_limit=per_minute // 60, period=1.0)
    return Throttler(rate_limit=per_minute, period=_MINUTE_S)


class RetryBudget:
    """At most a share of the last minute's calls to a provider may be retries, so that a provider in trouble
    is not asked even more. The first ten in a minute are free: few calls would else allow none."""

    def __init__(self, retries: Retries) -> None:
        self._share = retries.share
        self._calls: deque[float] = deque()
        self._retries: deque[float] = deque()

    def called(self, now: float) -> None:
        """Count one call."""
        self._calls.append(now)
        _forget(self._calls, now)

    def may_retry(self, now: float) -> bool:
        """Whether one more retry fits; counts it if so."""
        _forget(self._calls, now)
        _forget(self._retries, now)
        if len(self._retries) >= max(_FREE_RETRIES, self._share * len(self._calls)):
            return False
        self._retries.append(now)
        return True


def _forget(times: deque[float], now: float) -> None:
    while times and times[0] <= now - _MINUTE_S:
        times.popleft()
