"""Notices when the event loop is blocked, and logs where: whatever blocks it delays every page and every stream."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger("moa.stalls")
EVERY_S = 0.5
STALL_S = 1.0


def log_stall(stack: str) -> None:
    """The operator's log: the blocked thread's stack, once a stall."""
    _log.warning("the event loop is blocked for more than %g s:\n%s", STALL_S, stack)


@contextmanager
def watching(
    *, every_s: float = EVERY_S, stall_s: float = STALL_S, report: Callable[[str], None] = log_stall
) -> Iterator[None]:
    """Watch the running loop from a thread of its own while the block lasts. Reports each stall once."""
    loop, blocked, over = asyncio.get_running_loop(), threading.get_ident(), threading.Event()

    def watch() -> None:
        while not over.wait(every_s):
            answered = threading.Event()
            try:
                loop.call_soon_threadsafe(answered.set)
            except RuntimeError:  # the loop has ended
                return
            if not answered.wait(stall_s) and not over.is_set():
                report("".join(traceback.format_stack(sys._current_frames().get(blocked))))  # noqa: SLF001 - its use
                answered.wait()

    thread = threading.Thread(target=watch, name="stalls", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
