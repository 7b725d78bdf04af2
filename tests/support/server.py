"""A loopback server that plays OpenAI-compatible providers, for every test that needs one.

    async with ProviderServer() as server:                       # in the test's loop; a free port of 127.0.0.1
        server.script("good", Answer("Hello there."))            # by model name; the last script repeats
        server.script("flaky", HttpError(500), Answer("Yes."))   # first 500, then fine
        server.script("echo", lambda request: Answer(request.messages[-1]["content"]))
        gate = Gate()
        server.script("held", Answer("one two", gate=gate, hold=(1,)))
        ...                                                      # call server.base_url with any client
        await gate.arrived()                                     # the stream stands before its second chunk
        gate.open()
        server.requests[0].messages, server.requests_for("good")[0].json, .used_key("sk-test")
        await server.idle()                                      # no request is being answered any more
        await server.closed()                                    # and no socket is open

    with ProviderServer.in_thread() as server: ...               # a loop of its own, for a whole session

A model without a script gets ``server.default``: "Hello from <model>.". ``GET …/models`` lists ``server.models`` (ids,
or entries as a provider writes them), or answers with what ``script_models`` set. A fault is a script; all of them
are in ``tests.support.scripts`` and can be imported from here too.

``python -m tests.support.server [--port N] [--first-s S] [--gap-s S]`` serves alone and prints its base URL first.
Scripts are set there by ``POST /control/script {"model": "m", "scripts": [{"kind": "answer", "text": "…", "gate":
"g"}, {"kind": "http_error", "status": 500}]}`` (kinds: ``tests.support.control.KINDS``), gates are opened by ``POST
/control/open {"gate": "g"}``, and ``GET /control/requests`` tells what has come.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from tests.support.control import scripted
from tests.support.gates import Gate, Watched
from tests.support.received import Received
from tests.support.scripts import (
    Answer,
    Ending,
    HttpError,
    Pause,
    Reply,
    Script,
    Step,
    bad_utf8,
    big_event,
    choices,
    content,
    cut,
    done_only,
    empty_body,
    endless_line,
    endless_output,
    error_event,
    event,
    hang,
    hang_after,
    html_page,
    json_body,
    malformed_json,
    no_finish,
    reset,
    reset_before_head,
    with_head,
)

__all__ = [
    "Answer",
    "Ending",
    "Gate",
    "HttpError",
    "Pause",
    "ProviderServer",
    "Received",
    "Reply",
    "Script",
    "Step",
    "Watched",
    "bad_utf8",
    "big_event",
    "choices",
    "content",
    "cut",
    "done_only",
    "empty_body",
    "endless_line",
    "endless_output",
    "error_event",
    "event",
    "hang",
    "hang_after",
    "html_page",
    "json_body",
    "malformed_json",
    "no_finish",
    "reset",
    "reset_before_head",
    "with_head",
]  # fmt: skip

class _Listener(web.Server):
    """aiohttp's low-level server, which also counts open sockets."""

    def __init__(self, handler: Callable[[web.BaseRequest], Any], sockets: Watched) -> None:
        super().__init__(handler, handler_cancellation=True, access_log=None)
        self._sockets = sockets
        self._transports: dict[RequestHandler, asyncio.Transport] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._transports[handler] = transport
        self._sockets.add()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        del self._transports[handler]
        self._sockets.add(-1)

    def abort(self) -> None:
        """Drop every connection now; what is being answered is cancelled by it."""
        for transport in list(self._transports.values()):
            transport.abort()


class ProviderServer:
    """See the module's docstring. Scripts may be set from any thread, before or while it serves."""

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self.models: list[str | dict[str, Any]] = []
        self.default: Script = lambda request: Answer(f"Hello from {request.model}.")
        self.requests: list[Received] = []
        self.arrivals = Watched()
        self._scripts: dict[str, list[Script]] = {}
        self._gates: dict[str, Gate] = {}
        self._active = Watched()
        self._sockets = Watched()
        self._socket: asyncio.Server | None = None
        self._listener: _Listener | None = None

    @property
    def base_url(self) -> str:
        """What a provider entry names; ends in /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def open_sockets(self) -> int:
        """Connections open now, kept-alive ones too."""
        return int(self._sockets.value)

    @property
    def active(self) -> int:
        """Requests that are being answered now."""
        return int(self._active.value)

    def script(self, model: str, *scripts: Script) -> None:
        """Set what this model answers: one script a request, in order; the last one repeats."""
        self._scripts[model] = list(scripts)

    def script_models(self, *scripts: Script) -> None:
        """The same for ``GET /models``."""
        self._scripts["GET /models"] = list(scripts)

    def gate(self, name: str) -> Gate:
        """The gate of this name, made when first asked for."""
        return self._gates.setdefault(name, Gate())

    def requests_for(self, model: str) -> list[Received]:
        """What was asked of one model, in order of arrival."""
        return [request for request in self.requests if request.model == model]

    def forget(self) -> None:
        """Drop scripts, gates, models and records, for the next test."""
        for kept in (self._scripts, self._gates):
            kept.clear()
        self.models.clear()
        self.requests.clear()

    async def arrived(self, count: int = 1) -> None:
        """Wait until ``count`` requests in all have come since the server began."""
        await self.arrivals.until(lambda n: n >= count)

    async def idle(self) -> None:
        """Wait until no request is being answered."""
        await self._active.until(lambda n: n == 0)

    async def closed(self) -> None:
        """Wait until no socket is open. Clients that keep connections alive must be closed first."""
        await self._sockets.until(lambda n: n == 0)

    async def __aenter__(self) -> Self:
        self._listener = _Listener(self._handle, self._sockets)
        self._socket = await asyncio.get_running_loop().create_server(self._listener, "127.0.0.1", self.port)
        self.port = self._socket.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        assert self._listener is not None
        self._socket.close()
        self._listener.abort()
        await self.closed()
        await self.idle()
        await self._socket.wait_closed()

    @classmethod
    @contextlib.contextmanager
    def in_thread(cls, *, port: int = 0) -> Iterator[Self]:
        """Serve from a thread with its own loop, until the block is left."""
        server, ready, stop = cls(port=port), threading.Event(), Watched()

        async def serve() -> None:
            async with server:
                ready.set()
                await stop.until(bool)

        thread = threading.Thread(target=lambda: asyncio.run(serve()), name="provider-server", daemon=True)
        thread.start()
        try:
            if not ready.wait(10):
                raise RuntimeError("the test server did not start")
            yield server
        finally:
            stop.add()
            thread.join(10)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._active.add()
        try:
            body = await request.read()
            if request.path.startswith("/control/"):
                return self._control(request.path, body)
            received = Received.read(len(self.requests), request.method, request.path, request.headers, body)
            self.requests.append(received)
            self.arrivals.add()
            return await self._answer(request, _resolve(self._pick(received), received))
        finally:
            self._active.add(-1)

    def _pick(self, received: Received) -> Script:
        listing = received.method == "GET" and received.path.endswith("/models")
        if not listing and not received.path.endswith("/chat/completions"):
            return HttpError(404, f"no such path: {received.path}")
        scripts = self._scripts.get("GET /models" if listing else received.model)
        if scripts:
            return scripts.pop(0) if len(scripts) > 1 else scripts[0]
        return json_body({"object": "list", "data": self._listed()}) if listing else self.default

    def _listed(self) -> list[dict[str, Any]]:
        return [{"id": m, "object": "model", "owned_by": "test"} if isinstance(m, str) else m for m in self.models]

    async def _answer(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        if reply.gate is not None:
            await reply.gate.passage()
        head = {"Content-Type": reply.content_type, **reply.headers}
        response = web.StreamResponse(status=reply.status, headers=head)
        with contextlib.suppress(ConnectionError):  # the client has gone
            await _play(request, response, iter(reply.steps))
        return response

    def _control(self, path: str, body: bytes) -> web.Response:
        asked = json.loads(body) if body else {}
        if path == "/control/script":
            self.script(asked["model"], *(scripted(entry, self.gate) for entry in asked["scripts"]))
        elif path == "/control/open":
            self.gate(asked["gate"]).open()
        seen = [{"model": r.model, "path": r.path, "body": r.json} for r in self.requests]
        return web.json_response({"requests": seen, "active": self.active, "open_sockets": self.open_sockets})


def _resolve(script: Script, received: Received) -> Reply:
    return (script if isinstance(script, Reply | HttpError | Answer) else script(received)).reply(received)


async def _play(request: web.BaseRequest, response: web.StreamResponse, steps: Iterator[Step]) -> None:
    step = next(steps, None)
    if step is not Ending.RESET:  # a reset that comes first leaves no room for a head
        await response.prepare(request)
    while step is not None:
        if isinstance(step, Ending):
            _break(request, step)
            return
        await _step(response, step)
        step = next(steps, None)


async def _step(response: web.StreamResponse, step: Step) -> None:
    if isinstance(step, bytes):
        await response.write(step)
    elif isinstance(step, Gate):
        await step.passage()
    elif isinstance(step, Pause):
        await asyncio.sleep(step.seconds)


def _break(request: web.BaseRequest, how: Ending) -> None:
    transport = request.transport
    if transport is None:
        return
    if how is Ending.RESET:  # closing with a linger of 0 seconds sends RST instead of FIN
        plain: socket.socket = transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


async def _serve_alone(port: int, first_s: float, gap_s: float) -> None:
    server = ProviderServer(port=port)
    text = "This is a scripted answer of a test server. " * 8
    server.default = lambda request: Answer(f"{request.model}: {text}", first_s=first_s, gap_s=gap_s)
    async with server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve in a process of its own until it is ended."""
    parser = argparse.ArgumentParser(description="A scripted OpenAI-compatible server on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--first-s", type=float, default=0.0, help="seconds before the first chunk")
    parser.add_argument("--gap-s", type=float, default=0.0, help="seconds between chunks")
    asked = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve_alone(asked.port, asked.first_s, asked.gap_s))


if __name__ == "__main__":
    main()
