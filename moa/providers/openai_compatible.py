"""Chat completions over any OpenAI-compatible API, streamed in the cheap way.

The SDK's client sends the request and the raw body is read here. Its own chunk objects cost four times the CPU, and
take a stream that broke off, a web page and an empty body for complete answers.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx2
import orjson

from moa.core.domain import FailureKind, Model
from moa.core.errors import CallError, RetryableCall
from moa.core.policy import Deadlines
from moa.core.redact import Redactor
from moa.engine.ports import CallRequest, Piece
from moa.providers import faults, quirks
from moa.providers.client import ERROR_BYTES, Client, Refused, make_client, read_body
from moa.providers.discovery import models_in
from moa.providers.pieces import merge, plain_text
from moa.providers.sse import SseParser
from moa.providers.transport import Body

_DEADLINES = Deadlines()
_TRIES = 4
_LIST_BYTES = 1 << 25
_LIST_S = 15.0
_DRAIN_S = 0.1


class OpenAICompatibleProvider:
    """Implements ``moa.engine.ports.Provider``. One HTTP client, made at the first call and then shared.

    The key goes to ``base_url`` and nowhere else: redirects are refused, and neither proxies nor the SDK's OPENAI_*
    variables are read (SSL_CERT_FILE is). Retries and deadlines other than the connect's are the engine's.
    A parameter that a model rejects is left out, the call is made again at once, and the lesson is kept for
    the life of this object.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        key: str | None = None,
        deadlines: Deadlines = _DEADLINES,
        extra_body: Mapping[str, Any] | None = None,
        redact: Redactor | None = None,
    ) -> None:
        self.name = name
        self._base_url = base_url
        self._key = key
        self._connect_s = deadlines.connect_s
        self._extra_body = dict(extra_body or {})
        self._redact = redact or Redactor([key] if key else ())
        self._quirks: dict[str, tuple[quirks.Quirk, ...]] = {}

    @asynccontextmanager
    async def stream(self, request: CallRequest) -> AsyncIterator[AsyncIterator[Piece]]:
        """See the port. A body that is no stream (a web page, JSON) is refused on entering."""
        pieces = _Pieces(await self._open(request), self._redact)
        try:
            yield pieces
        finally:
            await pieces.aclose()

    async def list_models(self) -> tuple[Model, ...]:
        """See the port. Waits 15 s at most."""
        try:
            async with asyncio.timeout(_LIST_S):
                response = await self._send("GET", "/models")
                body = await read_body(response, _LIST_BYTES)
        except TimeoutError:
            raise RetryableCall(FailureKind.CALL_TIMEOUT, detail="GET /models took too long") from None
        try:
            return models_in(orjson.loads(body), self.name)
        except orjson.JSONDecodeError as error:
            raise RetryableCall(FailureKind.MALFORMED, detail=f"GET /models: {error}") from None

    async def aclose(self) -> None:
        """See the port."""
        if "_client" in self.__dict__:
            await self._client.close()

    @functools.cached_property
    def _client(self) -> Client:
        return make_client(self._base_url, self._key, self._connect_s)

    async def _open(self, request: CallRequest) -> httpx2.Response:
        model = request.model.wire_name
        learned = self._quirks.get(model, ())
        body = functools.reduce(lambda body, quirk: quirk.apply(body), learned, self._body(request))
        for tries_left in reversed(range(_TRIES)):
            try:
                response = await self._send("POST", "/chat/completions", _encoded(body))
            except Refused as refused:
                quirk = quirks.find(body, refused.refusal.text) if tries_left and refused.may_adapt else None
                if quirk is None:
                    raise faults.of_refusal(refused.refusal, self._redact) from None
                body = quirk.apply(body)
                learned += (quirk,) if quirk.lasting else ()
                continue
            if learned:
                self._quirks[model] = learned
            await self._check_head(response)
            return response
        raise AssertionError("the last try returns or raises")

    def _body(self, request: CallRequest) -> dict[str, Any]:
        model, sampling = request.model, request.sampling
        body: dict[str, Any] = {
            "model": model.wire_name,
            "messages": [{"role": str(message.role), "content": message.text} for message in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        for name in ("temperature", "top_p", "max_tokens", "seed"):
            if (value := getattr(sampling, name)) is not None:
                body[name] = value
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        return {**body, **self._extra_body, **model.extra_body}

    async def _send(self, method: str, path: str, content: bytes | None = None) -> httpx2.Response:
        try:
            return await self._client.fetch(method, path, content)
        except Refused as refused:
            if method == "POST":
                raise
            raise faults.of_refusal(refused.refusal, self._redact) from None
        except Exception as error:  # the port's promise: whatever SDK, transport or TLS raise becomes a CallError
            raise faults.of_exception(error, self._redact, opened=False) from error

    async def _check_head(self, response: httpx2.Response) -> None:
        """Refuse what is no event stream. A missing or unusual content type is let through to the parser."""
        kind = response.headers.get("content-type", "").lower()
        if "event-stream" in kind or not ("json" in kind or "html" in kind):
            return
        try:
            body = await read_body(response, ERROR_BYTES)
        except CallError:
            body = b""
        detail = f"HTTP 200 with {kind}: {self._redact.excerpt(body.decode(errors='replace'))}"
        error = _error_in(body)
        if error is not None:
            raise faults.of_error_object(error, self._redact, dict(response.headers))
        raise RetryableCall(FailureKind.EMPTY, detail=detail)


class _Pieces:
    """The iterator of one response. An error object in the stream is raised after what came before it."""

    def __init__(self, response: httpx2.Response, redact: Redactor) -> None:
        self._response = response
        self._body: Body = response.extensions["body"]
        self._decoded = response.aiter_bytes() if "content-encoding" in response.headers else None
        self._read = self._body.read if self._decoded is None else self._next_decoded
        self._parser = SseParser()
        self._redact = redact
        self._failed: CallError | None = None
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Piece:
        while not self._over:
            try:
                data = await self._read()
            except Exception as error:  # noqa: BLE001 - the port's promise, as in _send
                self._fail(faults.of_exception(error, self._redact, opened=True))
                data = b""
            if (piece := self._take(data)) is not None:
                return piece
        if self._failed is not None:
            raise self._failed
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the connection, or give it back for the next call if the stream came to its end."""
        try:
            if self._parser.done and not self._body.at_end():
                await self._drain()
        finally:
            await self._close()

    def _take(self, data: bytes) -> Piece | None:
        """What a read brings; an empty one is the body's end."""
        parser = self._parser
        if data:
            events = parser.feed(data)
        else:
            self._over = True
            events = parser.end()
        if len(events) == 1 and not parser.done and not parser.fault and (text := plain_text(events[0])):
            return Piece(text)
        merged = merge(events)
        if merged.error is not None:
            self._fail(faults.of_error_object(merged.error, self._redact))
        elif parser.fault is not None:
            self._fail(RetryableCall(FailureKind.MALFORMED, detail=parser.fault))
        elif parser.done:
            self._over = True
        return merged.piece

    def _fail(self, error: CallError) -> None:
        self._over = True
        self._failed = self._failed or error

    async def _next_decoded(self) -> bytes:
        assert self._decoded is not None  # noqa: S101 - read through this only then
        return await anext(self._decoded, b"")

    async def _drain(self) -> None:
        """The body's last bytes follow [DONE] at once; a server that keeps them back loses its connection."""
        try:
            async with asyncio.timeout(_DRAIN_S):
                while await self._body.read():
                    pass
        except Exception:  # noqa: BLE001 - the answer is in: what the transport says of its end changes nothing
            return

    async def _close(self) -> None:
        try:
            if self._decoded is not None:
                await self._decoded.aclose()
            await self._response.aclose()
        except Exception:  # noqa: BLE001 - as in _drain
            return


def _error_in(body: bytes) -> Any:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    return first.get("error") if isinstance(first, dict) else None


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate, which UTF-8 can't hold
        return json.dumps(body, ensure_ascii=False).encode(errors="replace")
