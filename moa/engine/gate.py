"""When a layer is over: all in, or a quorum and its grace period, or the hard deadline, or closed by hand."""

from __future__ import annotations

import asyncio
import math

from moa.engine.ports import Clock, Timer


class Gate:
    """Opened by the calls of one step as they settle. Times in seconds on the engine's clock."""

    def __init__(
        self, clock: Clock, *, have: int, calls: int, quorum: int | None, grace_s: float, deadline_s: float
    ) -> None:  # fmt: skip
        self._clock = clock
        self._answers = have
        self._open = calls
        self._quorum = quorum
        self._grace_s = grace_s
        self._over = asyncio.Event()
        self._deadline: Timer = clock.call_later(max(0.0, deadline_s), self.close)
        self._grace: Timer | None = None

    def settled(self, *, answered: bool) -> None:
        """One call has ended."""
        self._open -= 1
        self._answers += answered
        if self._open <= 0:
            self.close()
        elif self._grace is None and not self._over.is_set() and self._answers >= (self._quorum or math.inf):
            self._grace = self._clock.call_later(self._grace_s, self.close)

    def close(self) -> None:
        """Nothing more is waited for."""
        self._over.set()

    async def wait(self) -> None:
        """Return when the step is over."""
        await self._over.wait()

    def end(self) -> None:
        """Take the timers back."""
        self._deadline.cancel()
        if self._grace is not None:
            self._grace.cancel()
