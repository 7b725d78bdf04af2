"""Letting other tasks run, without time passing."""

from __future__ import annotations

import asyncio


async def settle(turns: int = 20) -> None:
    """Give every ready task of the loop so many turns."""
    for _ in range(turns):
        await asyncio.sleep(0)
