"""A run answered as server-sent events while it happens, in the chunks of OpenAI's streams."""

from __future__ import annotations

import asyncio
from itertools import groupby
from operator import itemgetter

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from moa.api.answered import Running, going
from moa.api.completions import PREFIX, finish_of, moa_json, usage_json
from moa.api.ports import LabelOf
from moa.api.problems import Problem, of_failure, of_result
from moa.api.telling import Telling
from moa.core.domain import Failure, RunResult
from moa.engine.ports import Clock

KEEPALIVE_S = 10.0
BROKE = "The answer broke off after part of it had been sent: ask again."
_COMMENT = b": keep-alive\n\n"
_DONE = b"data: [DONE]\n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold small pieces back
]
_CONTENT, _THOUGHT = "content", "reasoning_content"
_KIND, _TEXT = itemgetter(0), itemgetter(1)


class Stream:
    """What of a run is still to be written. ``take`` is its listener; ``wake`` is set when there is more."""

    def __init__(self, label_of: LabelOf) -> None:
        self.wake = asyncio.Event()
        self.pieces: list[tuple[str, str]] = []
        self.over = False
        self.result: RunResult | None = None
        self.failure: Failure | None = None
        telling = Telling(label_of, answer=self._answer, thought=self._think, broke=self._broke, over=self._ended)
        self.take = telling.take

    def _answer(self, text: str) -> None:
        self.pieces.append((_CONTENT, text))
        self.wake.set()

    def _think(self, text: str) -> None:
        self.pieces.append((_THOUGHT, text))
        self.wake.set()

    def _broke(self, failure: Failure | None) -> None:
        self.failure, self.over = failure, True
        self.wake.set()

    def _ended(self, result: RunResult) -> None:
        self.result, self.over = result, True
        self.wake.set()

    def problem(self) -> Problem | None:
        """Why it is over without an answer."""
        if self.result is not None:
            return of_result(self.result)
        if self.failure is None:
            return Problem(502, BROKE, "server_error", code="answer_restarted")
        of = of_failure(self.failure)
        return Problem(of.status, f"{of.message} {BROKE}", of.kind, code=of.code)


class StreamResponse(Response):
    """Writes what comes of a run at once; what has come since the last write goes out together.

    The head waits for the first piece, so that a run which fails before it is answered with a status of its own; with
    ``at_once`` it doesn't wait. While no piece comes, a comment every 10 s says that all is well.
    """

    def __init__(
        self, stream: Stream, run: Running, label_of: LabelOf, clock: Clock, *, include_usage: bool, at_once: bool
    ) -> None:
        super().__init__()
        self._stream, self._run, self._label_of = stream, run, label_of
        self._include_usage, self._at_once = include_usage, at_once
        self._quiet = _Quiet(clock, stream.wake)
        about = {
            "id": PREFIX + run.run_id,
            "object": "chat.completion.chunk",
            "created": run.created,
            "model": run.model,
        }
        self._start = b"data: " + orjson.dumps(about)[:-1] + b',"choices":['
        self._before = {kind: self._delta(b'{"%b":' % kind.encode()) for kind in (_CONTENT, _THOUGHT)}
        self._after = (
            b'},"logprobs":null,"finish_reason":null}]' + (b',"usage":null}' if include_usage else b"}") + b"\n\n"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        gone = asyncio.ensure_future(going(receive))
        gone.add_done_callback(lambda _: self._stream.wake.set())
        try:
            problem = await self._early(gone)
            if problem is not None:
                await problem.response()(scope, receive, send)
            elif not gone.done():
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                await self._write(send, gone)
        finally:
            self._quiet.end()
            gone.cancel()
            if self._run.view().result is None:
                await self._run.abandon()

    async def _early(self, gone: asyncio.Future[None]) -> Problem | None:
        """Wait until there is something to write; tell why there won't be, if so."""
        stream, quiet = self._stream, self._quiet
        while not (self._at_once or stream.pieces or stream.over or quiet.due or gone.done()):
            await stream.wake.wait()
            stream.wake.clear()
        return stream.problem() if stream.over and not stream.pieces else None

    async def _write(self, send: Send, gone: asyncio.Future[None]) -> None:
        stream, quiet = self._stream, self._quiet
        data, over = self._delta(b'{"role":"assistant","content":""') + self._after, False
        while not over and not gone.done():
            over = stream.over
            if stream.pieces:
                data += self._chunks(stream.pieces)
                stream.pieces.clear()
                quiet.told = True
            if over:
                data += self._last()
            elif quiet.due:
                data = data or _COMMENT
            quiet.due = False
            if data:
                await send({"type": "http.response.body", "body": data, "more_body": not over})
                data = b""
            if not stream.pieces and not stream.over:
                await stream.wake.wait()
            stream.wake.clear()

    def _delta(self, delta: bytes) -> bytes:
        return self._start + b'{"index":0,"delta":' + delta

    def _chunks(self, pieces: list[tuple[str, str]]) -> bytes:
        return b"".join(
            self._before[kind] + orjson.dumps("".join(map(_TEXT, group))) + self._after
            for kind, group in groupby(pieces, _KIND)
        )

    def _last(self) -> bytes:
        """The end of the answer, and the run in the last chunk; or the error that stands in its place."""
        problem, result = self._stream.problem(), self._stream.result
        if problem is not None:
            return b"data: " + orjson.dumps(problem.body()) + b"\n\n"
        assert result is not None  # noqa: S101 - without one there is a problem
        moa = b',"moa":' + moa_json(self._run.run_id, self._run.view(), self._label_of).model_dump_json().encode()
        end = self._delta(b'{},"logprobs":null,"finish_reason":"%b"}]' % finish_of(result).encode())
        if not self._include_usage:
            return end + moa + b"}\n\n" + _DONE
        usage = usage_json(result.usage)
        told = usage.model_dump_json().encode() if usage else b"null"
        return end + b',"usage":null}\n\n' + self._start + b'],"usage":' + told + moa + b"}\n\n" + _DONE


class _Quiet:
    """Wakes the writer every 10 s, ``due`` for a comment, but when something was ``told`` since the last time."""

    def __init__(self, clock: Clock, wake: asyncio.Event) -> None:
        self._clock, self._wake = clock, wake
        self.due = self.told = False
        self._timer = clock.call_later(KEEPALIVE_S, self._tick)

    def end(self) -> None:
        """No more."""
        self._timer.cancel()

    def _tick(self) -> None:
        if not self.told:
            self.due = True
            self._wake.set()
        self.told = False
        self._timer = self._clock.call_later(KEEPALIVE_S, self._tick)
