"""Names of processes, as runs in the store have them."""

from __future__ import annotations

import subprocess
import sys

from storage.processes import this_process

ELSEWHERE = "0123456789abcdef.7.0123456789abcdef"
"""A process on another machine: whether it lives can't be known here."""


def named(number: int) -> str:
    """A process of this machine with this number."""
    return f"{this_process().partition('.')[0]}.{number}.0123456789abcdef"


def dead_process() -> str:
    """A process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as ended:
        ended.wait()
    return named(ended.pid)
