"""F31: a blocked event loop is told to the operator, with the place that blocks it."""

from __future__ import annotations

import threading

from moa.api.stalls import watching


def block_the_loop(until: threading.Event) -> bool:
    return until.wait(30)


async def test_F31_the_stack_of_what_blocks_the_loop_is_reported() -> None:
    seen: list[str] = []
    reported = threading.Event()

    def report(stack: str) -> None:
        seen.append(stack)
        reported.set()

    with watching(every_s=0.001, stall_s=0.01, report=report):
        assert block_the_loop(reported)
    assert "block_the_loop" in seen[0]
    assert len(seen) == 1
