"""A mock OpenAI server with set latencies, on loopback in a process of its own.

Six proposers take 0.38 to 1.00 s and send 545 chunks together; the aggregator's first token comes after 0.15 s, then
101 tokens at 200 a second. Models named ``fast-…`` send the same chunks at once, each in its own HTTP chunk.

    python -m tests.bench.mock        # prints its port, serves until its standard input closes
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Sequence
from typing import Any, cast

import orjson
import uvloop

PROPOSERS = 6
PROPOSER_S = [0.38 + 0.124 * i for i in range(PROPOSERS)]
PROPOSER_CHUNKS = [91, 91, 91, 91, 91, 90]
AGGREGATOR_FIRST_S = 0.15
AGGREGATOR_CHUNKS = 101
AGGREGATOR_PER_S = 200
SLOWEST_S = max(PROPOSER_S)

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(model: str, delta: dict[str, str], finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    data: dict[str, Any] = {
        "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1700000000, "model": model,
        "choices": [] if usage else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }  # fmt: skip
    if usage:
        data["usage"] = usage
    body = b"data: " + orjson.dumps(data) + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(body), body)


@functools.cache
def schedule(model: str) -> list[tuple[float, bytes]]:
    """What a model sends, each piece with its delay in seconds after the request."""
    fast, _, name = model.rpartition("fast-")
    fast_ = bool(fast) or model.startswith("fast-")
    if name.startswith("aggregator"):
        times = [AGGREGATOR_FIRST_S + i / AGGREGATOR_PER_S for i in range(AGGREGATOR_CHUNKS)]
    else:
        which = int(name.rsplit("-", 1)[1]) % PROPOSERS
        total, count = PROPOSER_S[which], PROPOSER_CHUNKS[which]
        times = [total * (0.2 + 0.8 * (i + 1) / count) for i in range(count)]
    texts = [(t, _chunk(model, {"content": f" word{i}"})) for i, t in enumerate(times)]
    end = times[-1]
    usage = _chunk(
        model, {}, usage={"prompt_tokens": 50, "completion_tokens": len(times), "total_tokens": 50 + len(times)}
    )
    tail = _chunk(model, {}, "stop") + usage + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
    pieces = [*texts[:-1], (end, texts[-1][1] + tail)]
    return [(0.0, p) for _, p in pieces] if fast_ else pieces


class MockServer(asyncio.Protocol):
    """One keep-alive connection; requests come one after another."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._data = b""
        self._timers: Sequence[asyncio.TimerHandle] = ()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in self._timers:
            timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        if len(body) < length:
            return
        self._data = b""
        self._answer(orjson.loads(body)["model"])

    def _answer(self, model: str) -> None:
        pieces = schedule(model)
        write = self._transport.write
        write(_HEAD)
        if pieces[0][0] == 0.0:
            self._transport.writelines([piece for _, piece in pieces])
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timers = [loop.call_at(now + delay, write, piece) for delay, piece in pieces]


async def serve() -> None:
    """Print the port, then serve until standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(MockServer, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(serve())
