"""An event loop that moves a manual clock whenever all tasks wait: hours of faults in milliseconds.

    run_jumping(clock, main)      # main() is awaited; whenever nothing else is ready, the clock jumps to its next timer

For tests without sockets and threads. Tasks that wait for nothing that could come are an error, not a hang.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.support.clock import ManualClock

T = TypeVar("T")


class StuckError(BaseException):
    """All tasks wait and no timer is set."""


class _Jumping(selectors.DefaultSelector):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Asyncio asks without a bound only when no task is ready."""
        if timeout is None and not self._clock.jump():
            raise StuckError
        return super().select(0)


def run_jumping(clock: ManualClock, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of ``main``; afterwards no other task may be left and no timer set."""

    async def whole() -> T:
        result = await main()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_Jumping(clock))) as runner:
        result = runner.run(whole())
    assert clock.pending == 0
    return result
