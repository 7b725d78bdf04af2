"""Streams that break off, are garbled, say nothing or never end, from a real loopback server to the real SDK."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import pytest

from moa.core.domain import FailureKind, Usage
from moa.core.errors import FinalCall, RetryableCall
from tests.support.calls import finish, plain_server, provider, read, request, served, text
from tests.support.server import (
    Answer,
    Ending,
    Gate,
    HttpError,
    ProviderServer,
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
    hang_after,
    html_page,
    json_body,
    malformed_json,
    no_finish,
    reset,
    reset_before_head,
)


@pytest.mark.parametrize("script", [reset(0), reset(2), cut(0), cut(2), reset_before_head()])
async def test_F11_a_lost_connection_is_dropped(script: Script) -> None:
    async with served(script) as (server, client):
        _, error = await read(client)
        assert isinstance(error, RetryableCall)
        assert error.kind is FailureKind.DROPPED
        await server.closed()


async def test_F11_what_came_before_the_loss_is_kept() -> None:
    gate = Gate()
    broken = Answer("one two three", gate=gate, hold=(2,), break_after=3, ending=Ending.CUT)
    async with served(broken) as (_, client), client.stream(request()) as pieces:
        got = ""
        while got != "one two ":
            got += (await anext(pieces)).text
        gate.open()
        with pytest.raises(RetryableCall) as caught:
            got += "".join([piece.text async for piece in pieces])
        assert caught.value.kind is FailureKind.DROPPED


async def test_F12_an_end_without_a_finish_reason_shows_as_none() -> None:
    async with served(no_finish("Half an")) as (_, client):
        pieces, error = await read(client)
        assert (text(pieces), finish(pieces), error) == ("Half an", None, None)


@pytest.mark.parametrize("script", [malformed_json(), bad_utf8(), malformed_json(0), bad_utf8(0)])
async def test_F13_unreadable_events_are_malformed_and_what_came_before_is_kept(script: Script) -> None:
    async with served(script) as (server, client):
        pieces, error = await read(client)
        assert text(pieces) in ("", "word ")
        assert isinstance(error, RetryableCall)
        assert error.kind is FailureKind.MALFORMED
        await client.aclose()
        await server.closed()


@pytest.mark.parametrize(
    "how",
    [
        {"split": 1},
        {"newline": "\r\n"},
        {"newline": "\r", "split": 1},
        {"bom": True},
        {"multi_line": True, "newline": "\r\n"},
        {"comments": 3},
        {"together": True},
        {"split": 7, "bom": True, "multi_line": True, "comments": 2},
    ],
)
async def test_F13_unusual_but_right_streams_are_read(how: dict[str, Any]) -> None:
    async with served(Answer("Grüße, 世界 😀!", reasoning="Hm.", **how)) as (_, client):
        pieces, error = await read(client)
        assert error is None
        assert text(pieces) == "Grüße, 世界 😀!"
        assert "".join(piece.reasoning for piece in pieces) == "Hm."
        assert finish(pieces) == "stop"


async def test_F13_what_is_no_http_is_no_answer() -> None:
    async with plain_server(b"SSH-2.0-OpenSSH_9.6\r\n\r\n") as port, ProviderServer() as server:
        client = provider(server, base_url=f"http://127.0.0.1:{port}/v1")
        _, error = await read(client)
        await client.aclose()
    assert isinstance(error, RetryableCall)
    assert error.kind in (FailureKind.MALFORMED, FailureKind.DROPPED)


@pytest.mark.parametrize("script", [html_page(), json_body({"ok": True}), json_body([]), json_body("x")])
async def test_F14_a_page_or_json_is_an_empty_answer(script: Script) -> None:
    async with served(script) as (server, client):
        pieces, error = await read(client)
        assert pieces == []
        assert isinstance(error, RetryableCall)
        assert error.kind is FailureKind.EMPTY
        await client.aclose()
        await server.closed()


@pytest.mark.parametrize(
    "script",
    [
        done_only(),
        empty_body(),
        *map(choices, (None, [], [None], ["x"], {}, 7, [{}], [{"delta": None}], [{"delta": {"content": 5}}])),
        Reply([b"data: null\n\ndata: [1]\n\ndata: 7\n\n"]),
        Reply([b"<html></html>"], content_type="text/plain"),
    ],
)
async def test_F14_a_stream_that_says_nothing_gives_no_pieces(script: Script) -> None:
    async with served(script) as (_, client):
        assert await read(client) == ([], None)


async def test_F14_whitespace_is_handed_on_for_the_caller_to_judge() -> None:
    async with served(Answer(" \n ")) as (_, client):
        pieces, error = await read(client)
        assert (text(pieces), finish(pieces), error) == (" \n ", "stop", None)


@pytest.mark.parametrize(
    ("body", "kind", "final"),
    [
        ({"error": {"code": 429, "message": "slow down"}}, FailureKind.RATE_LIMITED, False),
        ({"error": {"code": "invalid_api_key"}}, FailureKind.BAD_KEY, True),
        ({"error": "Service Unavailable"}, FailureKind.OVERLOADED, False),
        ([{"error": {"code": 404, "status": "NOT_FOUND"}}], FailureKind.UNKNOWN_MODEL, True),
    ],
)
async def test_F14_an_error_with_status_200_is_that_error(body: Any, kind: FailureKind, final: bool) -> None:
    async with served(json_body(body)) as (_, client):
        _, error = await read(client)
        assert error is not None
        assert error.kind is kind
        assert isinstance(error, FinalCall) is final


async def test_F14_an_error_inside_the_stream_comes_after_what_was_said() -> None:
    async with served(error_event("overloaded", "overloaded_error", after=2)) as (_, client):
        pieces, error = await read(client)
        assert text(pieces) == "word word "
        assert isinstance(error, RetryableCall)
        assert error.kind is FailureKind.OVERLOADED


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls"])
async def test_F15_the_finish_reason_is_handed_on_as_it_is(reason: str) -> None:
    async with served(Answer("Some", finish=reason)) as (_, client):
        pieces, _ = await read(client)
        assert finish(pieces) == reason


async def test_F16_an_endless_line_is_refused_in_little_memory() -> None:
    async with served(Answer("warm"), endless_line()) as (server, client):
        await read(client)
        tracemalloc.start()
        _, error = await read(client)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(error, RetryableCall)
        assert error.kind is FailureKind.MALFORMED
        assert peak_bytes < 8_000_000  # the server's part is in it
        await server.closed()


async def test_F16_ten_megabytes_in_one_event_are_refused() -> None:
    async with served(big_event(10_000_000)) as (server, client):
        pieces, error = await read(client)
        assert pieces == []
        assert isinstance(error, RetryableCall)
        assert error.kind is FailureKind.MALFORMED
        await server.closed()


async def test_F16_leaving_an_endless_answer_closes_its_connection() -> None:
    async with served(endless_output()) as (server, client):
        got = 0
        async with client.stream(request()) as pieces:
            async for piece in pieces:
                got += len(piece.text)
                if got > 100_000:
                    break
        await server.idle()
        await server.closed()


async def test_F16_an_endless_error_body_is_cut() -> None:
    async with served(HttpError(500, body=b"x" * 3_000_000)) as (server, client):
        _, error = await read(client)
        assert error is not None
        assert len(error.detail) < 400
        await server.closed()


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        "many",
        {"prompt_tokens": -1, "completion_tokens": 5},
        {"prompt_tokens": "12", "completion_tokens": 5},
        {"prompt_tokens": 12.0, "completion_tokens": 5},
        {"prompt_tokens": True, "completion_tokens": 5},
        {"prompt_tokens": 12},
        {"prompt_tokens": 12, "completion_tokens": 10**8},
        {"prompt_tokens": 0, "completion_tokens": 0},
    ],
)
async def test_F18_wrong_usage_is_unknown(usage: Any) -> None:
    async with served(Answer("Fine.", usage=usage)) as (_, client):
        pieces, error = await read(client)
        assert (text(pieces), error) == ("Fine.", None)
        assert all(piece.usage is None for piece in pieces)


async def test_F18_right_usage_is_taken() -> None:
    async with served(Answer("Fine.", usage={"prompt_tokens": 12, "completion_tokens": 3, "x": []})) as (_, client):
        pieces, _ = await read(client)
        assert [piece.usage for piece in pieces if piece.usage] == [Usage(12, 3)]


@pytest.mark.parametrize("chunks", range(4))
async def test_F21_a_call_that_is_cancelled_mid_stream_closes_its_socket(chunks: int) -> None:
    gate = Gate()
    async with served(hang_after(chunks, gate)) as (server, client):
        task = asyncio.create_task(read(client))
        await gate.arrived()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.idle()
        await server.closed()


async def test_a_finished_call_leaves_its_connection_for_the_next() -> None:
    async with served(Answer("Again.")) as (server, client):
        for _ in range(3):
            assert text((await read(client))[0]) == "Again."
        assert server.open_sockets == 1
        await client.aclose()
        await server.closed()


async def test_a_server_that_keeps_the_body_open_after_done_does_not_hold_the_call() -> None:
    gate = Gate()
    said: list[Step] = [content("All."), b"data: [DONE]\n\n", gate]
    async with served(Reply(said)) as (server, client):
        pieces, error = await read(client)
        assert (text(pieces), error) == ("All.", None)
        await server.closed()
