"""``python -m tests.bench.api``: what the HTTP API adds to the engine's own time, as a table.

The same runs are made by the engine alone, by the service that stores them first (which the page does too), and through
the API by a client in a process of its own, in turns. The first byte is that of a single model, one run at a time. CPU
is the measured process's, in % of one core at 1,000 chunks a second, which two mixtures of six proposers at once make.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import uvloop

from moa.api.callers import Callers
from moa.api.completion_routes import Offering, completion_routes
from moa.api.serving import Server, take_port
from moa.api.web import WebOptions, build_web
from moa.chat.service import ChatService
from moa.chat.values import LOCAL
from moa.core.domain import Agent, Layer, Message, Part, PromptStyle, Recipe, Role
from moa.core.events import Event, TextDelta
from moa.engine.clock import SystemClock
from moa.engine.engine import Engine
from moa.ui.identity import Identity
from storage import open_store
from tests.bench.__main__ import Row, Worker, _started, table
from tests.bench.engine import _Directory
from tests.bench.mock import AGGREGATOR_CHUNKS, AGGREGATOR_FIRST_S, PROPOSER_CHUNKS, PROPOSERS

ENGINE, SERVICE, API = "engine", "service", "API"
AT_ONCE = 2
CHUNKS = sum(PROPOSER_CHUNKS) + AGGREGATOR_CHUNKS
SINGLE = Recipe("single", "Single", (), Agent("aggregator", Part.AGGREGATOR))
_LAYER = Layer(tuple(Agent(f"proposer-{i}") for i in range(PROPOSERS)))
RECIPES = {"single": SINGLE, "mixture": replace(SINGLE, id="mixture", layers=(_LAYER,), prompt_style=PromptStyle.PAPER)}
QUESTION = (Message(Role.USER, "What is a mixture of agents?"),)
_ASKED = {"stream": True, "messages": [{"role": "user", "content": QUESTION[0].text}]}


class Measured:
    """The process that is measured: runs by hand, and the API on a port."""

    def __init__(self, base_url: str, folder: Path) -> None:
        self.engine = Engine(_Directory(base_url))
        self.store = open_store("", folder)
        self.chat = ChatService(self.engine, self.store)
        self.folder = folder

    async def by_engine(self, recipe: Recipe) -> float:
        """Seconds to the first token of a run that nobody keeps."""
        begun, first = time.perf_counter(), list[float]()
        async with self.engine.run(recipe, QUESTION, sink=partial(_first, begun, first)) as run:
            await run.wait()
        return first[0]

    async def by_service(self, recipe: Recipe) -> float:
        """The same of a run that is stored."""
        begun, first = time.perf_counter(), list[float]()
        listener = partial(_first, begun, first)
        run = await self.chat.answering.begin(LOCAL, messages=QUESTION, recipe=recipe, source="api", listener=listener)
        await asyncio.wait([run.live.task])
        return first[0]

    async def serve(self) -> None:
        """Take commands on standard input, beside the API's requests."""
        offering = Offering({}, tuple, str, lambda name, mixture: RECIPES[name])
        routes = completion_routes(self.chat.answering, Callers(self.store, LOCAL), offering, SystemClock())
        options = WebOptions(self.folder, ("127.0.0.1",))
        web = build_web(options, identify=Identity(single_owner=True), routers=[routes])
        bound, up = take_port("127.0.0.1", 0), asyncio.Event()
        server = Server(web, started=up.set, drain=partial(self.chat.drain, 0.0))
        task = asyncio.create_task(server.serve(sockets=[bound]))
        await up.wait()
        _say({"port": bound.getsockname()[1]})
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
            _say(await self._done(orjson.loads(line)))
        server.should_exit = True
        await task

    async def _done(self, command: dict[str, Any]) -> dict[str, Any]:
        ways: dict[str, Callable[[Recipe], Awaitable[float]]] = {ENGINE: self.by_engine, SERVICE: self.by_service}
        first: list[float] = []
        if way := ways.get(command["how"]):
            first = list(await asyncio.gather(*(way(RECIPES[command["recipe"]]) for _ in range(command["runs"]))))
        return {"first_s": first, "cpu_s": time.process_time()}


def _first(begun: float, first: list[float], event: Event) -> None:
    if not first and type(event) is TextDelta:
        first.append(time.perf_counter() - begun)


def _say(value: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.flush()


async def _ask(port: int, recipe: str) -> float:
    """Seconds to the first byte of an answer through the API, read to its end."""
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = orjson.dumps({**_ASKED, "model": recipe})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    data, first = b"", 0.0
    while b"[DONE]" not in data[-64:]:
        data += await reader.read(65_536)
        first = first or time.perf_counter() - begun
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return first


def _api(port: int, recipe: str, runs: int) -> list[float]:
    async def asked() -> list[float]:
        return list(await asyncio.gather(*(_ask(port, recipe) for _ in range(runs))))

    return uvloop.run(asked())


def first_byte(worker: Worker, port: int, rounds: int) -> Row:
    """One run at a time: milliseconds from the request to its first token, beyond the model's own."""
    took: dict[str, list[float]] = {ENGINE: [], SERVICE: [], API: []}
    for _ in range(rounds):
        for how, seconds in took.items():
            seconds += worker.measure(how=how, recipe="single", runs=1)["first_s"] or _api(port, "single", 1)
    over_ms = {how: (statistics.median(seconds) - AGGREGATOR_FIRST_S) * 1000 for how, seconds in took.items()}
    more = over_ms[API] - over_ms[ENGINE]
    shown = {how: f"{ms:.1f} ms" for how, ms in over_ms.items()}
    return Row("first byte after the model's", shown, f"≤ engine + 5 ms (+{more:.1f})", more <= 5)


def cpu(worker: Worker, port: int, rounds: int) -> Row:
    """Two mixtures at once: CPU of the measured process."""
    spent: dict[str, list[float]] = {ENGINE: [], SERVICE: [], API: []}
    for _ in range(rounds):
        for how, seconds in spent.items():
            before = worker.measure(how="")["cpu_s"]
            if not worker.measure(how=how, recipe="mixture", runs=AT_ONCE)["first_s"]:
                _api(port, "mixture", AT_ONCE)
            seconds.append(worker.measure(how="")["cpu_s"] - before)
    percent = {how: statistics.median(seconds) / (AT_ONCE * CHUNKS) * 1000 * 100 for how, seconds in spent.items()}
    more = percent[API] - percent[SERVICE]
    shown = {how: f"{of:.1f} %" for how, of in percent.items()}
    return Row("CPU at 1,000 chunks a second", shown, f"≤ service + 2 % (+{more:.1f})", more <= 2)


def main() -> int:
    """Measure and print; with an address as the only argument, be the process that is measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.api", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--serve", metavar="URL", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        with tempfile.TemporaryDirectory() as folder:
            uvloop.run(Measured(asked.serve, Path(folder)).serve())
        return 0
    with ExitStack() as stack:
        _, mock = stack.enter_context(_started("tests.bench.mock"))
        worker, said = stack.enter_context(_started("tests.bench.api", "--serve", f"http://127.0.0.1:{mock}/v1"))
        port = orjson.loads(said)["port"]
        for warm in (ENGINE, SERVICE):
            worker.measure(how=warm, recipe="mixture", runs=AT_ONCE)
        _api(port, "mixture", AT_ONCE)
        rows = [first_byte(worker, port, asked.rounds * 2), cpu(worker, port, asked.rounds)]
        sys.stdout.write(table(rows, [ENGINE, SERVICE, API]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
