"""The way to the wire: what is not carried along, and what a body may be."""

from __future__ import annotations

import gzip

import pytest

from moa.core.errors import CallError
from tests.support.calls import finish, read, served, text
from tests.support.server import Answer, Received, Reply, content, event, with_head

STOP = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})


async def test_a_cookie_is_not_sent_back() -> None:
    def setting(request: Received) -> Reply:
        return with_head(Answer("Hello."), request, headers={"Set-Cookie": "who=ann; Path=/"})

    async with served(setting) as (server, client):
        await read(client)
        await read(client)
        assert len(server.requests) == 2
        assert "cookie" not in server.requests[1].headers


async def test_a_compressed_stream_is_read_too() -> None:
    packed = gzip.compress(content("one ") + content("two") + STOP + b"data: [DONE]\n\n")
    half = len(packed) // 2
    script = Reply([packed[:half], packed[half:]], headers={"Content-Encoding": "gzip"})
    async with served(script) as (_, client):
        pieces, error = await read(client)
        assert (text(pieces), finish(pieces), error) == ("one two", "stop", None)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with served(Answer("Hello.")) as (_, client):
        pieces, error = await read(client)
        assert (text(pieces), error) == ("Hello.", None)


async def test_after_closing_calls_fail_as_the_port_says() -> None:
    async with served(Answer("Hello.")) as (server, client):
        await read(client)
        await client.aclose()
        await server.closed()
        _, error = await read(client)
        assert isinstance(error, CallError)
        assert len(server.requests) == 1
