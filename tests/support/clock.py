"""A clock that stands still until a test moves it.

    clock = ManualClock()
    engine = Engine(directory, clock=clock)
    ...
    await clock.sleeping()     # somebody waits on it: a retry's pause
    clock.advance(30)          # every timer of the next 30 s fires now, in order, each at its own time
    clock.jump()               # straight to the next timer
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from tests.support.gates import Watched


class _Timer:
    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """Implements ``moa.engine.ports.Clock``. Timers fire inside ``advance``, ``jump`` and nowhere else."""

    def __init__(self, start_s: float = 1000.0) -> None:
        self._now = start_s
        self._order = itertools.count()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._sleepers = Watched()
        self.slept: list[float] = []

    def now(self) -> float:
        """Seconds."""
        return self._now

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> _Timer:
        """Fire once when the clock is moved that far; equal times in order of registration."""
        timer = _Timer(self._now + max(0.0, delay_s), callback)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    async def sleep(self, delay_s: float) -> None:
        """Wait until the clock is moved that far; ``slept`` keeps what was asked for."""
        woken = asyncio.Event()
        timer = self.call_later(delay_s, woken.set)
        self.slept.append(delay_s)
        self._sleepers.add()
        try:
            await woken.wait()
        finally:
            timer.cancel()
            self._sleepers.add(-1)

    @property
    def pending(self) -> int:
        """Timers that are set."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    def advance(self, seconds: float) -> None:
        """Move on. Timers that a firing timer sets fire too, if they are due by then; woken tasks run later."""
        self._advance_to(self._now + seconds)

    def jump(self) -> bool:
        """Move to the next timer and fire it, with all of the same time; False when there is none."""
        due = self._next_due()
        if due is None:
            return False
        self._advance_to(due)
        return True

    def _advance_to(self, end: float) -> None:
        while (due := self._next_due()) is not None and due <= end:
            _, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, due)
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
        self._now = end

    def _next_due(self) -> float | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    async def sleeping(self, count: int = 1) -> None:
        """Wait until at least ``count`` tasks sleep on this clock."""
        await self._sleepers.until(lambda n: n >= count)
