"""Waiting without sleeping: numbers that any task of any event loop can wait on, and gates made of them."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from typing import NamedTuple


class _Waiter(NamedTuple):
    wanted: Callable[[float], bool]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Watched:
    """A number. ``add`` may be called from any thread; ``until`` waits in whichever loop awaits it."""

    def __init__(self, value: float = 0) -> None:
        self._value = value
        self._waiters: list[_Waiter] = []
        self._lock = threading.Lock()

    @property
    def value(self) -> float:
        """The number now."""
        return self._value

    def add(self, amount: float = 1) -> float:
        """Change the number, wake those who waited for it, and return it."""
        with self._lock:
            self._value += amount
            ready = [w for w in self._waiters if w.wanted(self._value)]
            value = self._value
        for waiter in ready:
            waiter.loop.call_soon_threadsafe(_resolve, waiter.future)
        return value

    async def until(self, wanted: Callable[[float], bool]) -> None:
        """Return once ``wanted(number)`` is, or was at a change, true."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if wanted(self._value):
                return
            waiter = _Waiter(wanted, loop, loop.create_future())
            self._waiters.append(waiter)
        try:
            await waiter.future
        finally:
            with self._lock:
                self._waiters.remove(waiter)


class Gate:
    """Holds what comes to it until the test lets it pass.

    ``await gate.arrived()`` returns once something stands at the gate; ``gate.let()`` lets one pass;
    ``gate.open()`` lets everything pass from now on. Usable from any thread and any event loop.
    """

    def __init__(self) -> None:
        self._arrivals = Watched()
        self._permits = Watched()

    @property
    def arrivals(self) -> int:
        """How many have come so far, passed or not."""
        return int(self._arrivals.value)

    async def arrived(self, count: int = 1) -> None:
        """Wait until ``count`` in all have come."""
        await self._arrivals.until(lambda n: n >= count)

    def let(self, count: int = 1) -> None:
        """Let ``count`` more pass."""
        self._permits.add(count)

    def open(self) -> None:
        """Let all pass, those that come later too."""
        self._permits.add(math.inf)

    async def passage(self) -> None:
        """Come to the gate and wait to be let through, in order of arrival."""
        mine = self._arrivals.add()
        await self._permits.until(lambda n: n >= mine)
