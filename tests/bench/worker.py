"""One measured process: the engine, the baseline or the floor. Takes JSON commands on standard input.

    {"layers": 2, "runs": 5, "at_once": 1, "fast": false, "history": 0}

and answers each with a line of JSON: seconds to the first answer token of each run, CPU and wall seconds of all,
resident memory in MiB.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import uvloop

Runner = Callable[[int, list[dict[str, str]], str], Awaitable[float]]
"""``(layers, messages, model prefix)`` → seconds from its start to the first token of the answer."""


def _rss_mib() -> float:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _messages(history: int) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    for i in range(history):
        turns += [
            {"role": "user", "content": f"Question {i}: " + "why is the sky blue? " * 8},
            {"role": "assistant", "content": f"Answer {i}: " + "because of Rayleigh scattering. " * 30},
        ]
    return [*turns, {"role": "user", "content": "What is a mixture of agents?"}]


async def _measure(run: Runner, command: dict[str, Any]) -> dict[str, Any]:
    prefix = "fast-" if command["fast"] else ""
    messages = _messages(command["history"])
    queue = iter(range(command["runs"]))
    first: list[float] = []

    async def user() -> None:
        first.extend([await run(command["layers"], messages, prefix) for _ in queue])

    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(user() for _ in range(command["at_once"])))
    return {
        "first_s": first,
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "rss_mib": _rss_mib(),
    }


async def _serve(what: str, base_url: str) -> None:
    run: Runner = importlib.import_module(f"tests.bench.{what}").make(base_url)
    loop = asyncio.get_running_loop()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        reply = await _measure(run, orjson.loads(line))
        sys.stdout.buffer.write(orjson.dumps(reply) + b"\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], sys.argv[2]))
