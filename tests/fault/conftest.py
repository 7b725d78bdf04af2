"""Whatever a fault test does, nothing may be left over: no task, no file descriptor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

_OPEN_FILES = Path("/proc/self/fd")


def _open_files() -> int:
    return sum(1 for _ in _OPEN_FILES.iterdir()) if _OPEN_FILES.exists() else 0


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """Each test has a loop of its own: no task may be left in it, and no more descriptors be open than before."""
    files = _open_files()
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert _open_files() <= files
