"""Deadlines of one call, kept by one timer: first token, silence, whole call."""

from __future__ import annotations

import asyncio
from types import TracebackType

from moa.core.domain import FailureKind
from moa.core.errors import RetryableCall
from moa.core.policy import Deadlines
from moa.engine.ports import Clock, Timer

_STALL_S = 0.25


class Watchdog:
    """Cancels the task that entered it when a deadline passes, and turns that into the right error.

    ``content`` is called for each piece of content and costs one clock reading: the timer is not touched then
    but looks, when it fires, at what has come since. When the event loop itself was blocked, what arrived
    meanwhile gets its chance first: our own stall is not the provider's fault.
    """

    def __init__(self, clock: Clock, deadlines: Deadlines) -> None:
        self._clock = clock
        self._deadlines = deadlines
        self._timer: Timer | None = None
        self._expired: FailureKind | None = None
        self._last: float | None = None
        self._due = 0.0

    def __enter__(self) -> Watchdog:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a watchdog watches a task")
        self._task = task
        self._begun = self._clock.now()
        self._ends = self._begun + self._deadlines.total_s
        self._arm(self._next_due())
        return self

    def content(self) -> None:
        """A piece of content has come."""
        self._last = self._clock.now()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._expired is None:
            return
        # Somebody else's cancellation (Stop, a late layer) that came together with ours stays one.
        still_cancelled = self._task.uncancel() > 0
        if isinstance(error, asyncio.CancelledError) and not still_cancelled:
            raise RetryableCall(self._expired) from None

    def _next_due(self) -> float:
        if self._last is None:
            return min(self._ends, self._begun + self._deadlines.first_token_s)
        return min(self._ends, self._last + self._deadlines.idle_s)

    def _arm(self, due: float) -> None:
        self._due = due
        self._timer = self._clock.call_later(max(0.0, due - self._clock.now()), self._fire)

    def _fire(self) -> None:
        now = self._clock.now()
        due = self._next_due()
        if due > now:
            self._arm(due)
        elif now - self._due > _STALL_S:
            self._arm(now + _STALL_S)
        else:
            self._expire(now)

    def _expire(self, now: float) -> None:
        if now >= self._ends:
            self._expired = FailureKind.CALL_TIMEOUT
        elif self._last is None:
            self._expired = FailureKind.FIRST_TOKEN_TIMEOUT
        else:
            self._expired = FailureKind.IDLE_TIMEOUT
        self._task.cancel()
