"""The engine's clock for real use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from moa.engine.ports import Timer


class SystemClock:
    """Monotonic time, and the running event loop's timers."""

    # Seconds, from an arbitrary start. Not the loop's own time: uvloop reads that once an iteration. Read for each
    # streamed chunk, so there is no function of ours around it.
    now = staticmethod(time.monotonic)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call back once after the delay, unless cancelled."""
        return asyncio.get_running_loop().call_later(delay_s, callback)

    async def sleep(self, delay_s: float) -> None:
        """Wait; cancellable."""
        await asyncio.sleep(delay_s)
