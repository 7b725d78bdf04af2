"""Faults on the wire, played by a real loopback server to the real SDK, and what the Provider port makes of them."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from moa.core.domain import FailureKind
from moa.core.errors import FinalCall, RateLimited, RetryableCall
from moa.providers.client import tls_context
from tests.support.calls import KEY, plain_server, provider, read, served, text
from tests.support.server import (
    Answer,
    Gate,
    HttpError,
    ProviderServer,
    Reply,
    Script,
    hang,
)

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "3"}, 3, 3),
        ({"Retry-After": "0"}, 0, 0),
        ({"Retry-After": "1.5"}, 1.5, 1.5),
        ({"Retry-After": format_datetime(NOW + timedelta(hours=2), usegmt=True)}, 6000, 7201),
        ({"retry-after-ms": "1500"}, 1.5, 1.5),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5, 1.5),
    ],
)
async def test_F01_a_429_says_how_long_to_wait(headers: dict[str, str], least: float, most: float) -> None:
    async with served(HttpError(429, headers=headers)) as (_, client):
        _, error = await read(client)
        assert isinstance(error, RateLimited)
        assert error.kind is FailureKind.RATE_LIMITED
        assert error.retry_after_s is not None
        assert least <= error.retry_after_s <= most


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": "-5"},
        {"Retry-After": "soon"},
        {"Retry-After": ""},
        {"Retry-After": "99999999999999999999"},
        {"Retry-After": "86401"},
        {"Retry-After": "nan"},
        {"Retry-After": "1e3"},
        {"Retry-After": format_datetime(NOW - timedelta(hours=1), usegmt=True)},
        {"Retry-After": format_datetime(NOW + timedelta(days=9), usegmt=True)},
        {"Retry-After": "Wed, 99 Nov 2026 99:99:99 GMT"},
        {"retry-after-ms": "-1"},
    ],
)
async def test_F01_a_wait_that_is_not_sane_is_unknown(headers: dict[str, str]) -> None:
    async with served(HttpError(429, headers=headers)) as (_, client):
        _, error = await read(client)
        assert isinstance(error, RateLimited)
        assert error.retry_after_s is None


async def test_F01_no_credit_is_no_rate_limit() -> None:
    script = HttpError(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota")
    async with served(script) as (_, client):
        _, error = await read(client)
        assert isinstance(error, FinalCall)
        assert error.kind is FailureKind.REJECTED
        assert error.public == "The provider account has no credit left."


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 529])
async def test_F02_a_server_error_is_overload_and_then_fine(status: int) -> None:
    async with served(HttpError(status, "boom"), Answer("Well.")) as (server, client):
        _, error = await read(client)
        assert isinstance(error, RetryableCall)
        assert error.kind is FailureKind.OVERLOADED
        assert "boom" in error.detail
        assert "boom" not in error.public
        pieces, error = await read(client)
        assert (text(pieces), error) == ("Well.", None)
        assert len(server.requests) == 2  # the SDK itself retried nothing


async def test_F02_a_503_that_says_when_is_waited_for() -> None:
    async with served(HttpError(503, headers={"Retry-After": "7"})) as (_, client):
        _, error = await read(client)
        assert isinstance(error, RateLimited)
        assert (error.kind, error.retry_after_s) == (FailureKind.OVERLOADED, 7)


async def test_F07_a_closed_port_is_unreachable() -> None:
    async with ProviderServer() as server:
        pass
    client = provider(server)
    _, error = await read(client)
    await client.aclose()
    assert isinstance(error, RetryableCall)
    assert error.kind is FailureKind.UNREACHABLE


async def test_F07_a_host_without_address_is_unreachable() -> None:
    async with ProviderServer() as server:
        client = provider(server, base_url="http://no-such-host.invalid/v1")
        _, error = await read(client)
        await client.aclose()
    assert isinstance(error, RetryableCall)
    assert error.kind is FailureKind.UNREACHABLE


async def test_F07_a_server_that_speaks_no_tls_is_unreachable() -> None:
    async with ProviderServer() as server:
        client = provider(server, base_url=server.base_url.replace("http:", "https:"))
        _, error = await read(client)
        await client.aclose()
    assert isinstance(error, RetryableCall)
    assert error.kind is FailureKind.UNREACHABLE


async def test_F07_a_handshake_that_hangs_is_unreachable_at_the_connect_deadline() -> None:
    async with plain_server() as port, ProviderServer() as server:
        client = provider(server, base_url=f"https://127.0.0.1:{port}/v1", connect_s=0.05)
        _, error = await read(client)
        await client.aclose()
    assert isinstance(error, RetryableCall)
    assert error.kind is FailureKind.UNREACHABLE


async def test_F08_a_hang_before_the_head_ends_when_the_caller_gives_up() -> None:
    gate = Gate()
    async with served(hang(gate)) as (server, client):
        task = asyncio.create_task(read(client))
        await gate.arrived()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.closed()


@pytest.mark.parametrize(
    "script",
    [
        HttpError(401, f"Incorrect API key provided: {KEY}. Bearer {KEY}", code="invalid_api_key"),
        HttpError(403, f"no access for {KEY}"),
        HttpError(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"),
    ],
)
async def test_F19_a_refused_key_is_final_and_never_shown(script: Script) -> None:
    async with served(script) as (server, client):
        _, error = await read(client)
        assert isinstance(error, FinalCall)
        assert error.kind is FailureKind.BAD_KEY
        assert KEY not in f"{error.public} {error.detail} {error!r}"
        assert server.requests[0].used_key(KEY)


async def test_F19_a_key_revoked_within_the_run_is_final() -> None:
    async with served(Answer("Fine."), HttpError(401)) as (_, client):
        assert (await read(client))[1] is None
        _, error = await read(client)
        assert isinstance(error, FinalCall)
        assert error.kind is FailureKind.BAD_KEY


@pytest.mark.parametrize(
    "script",
    [
        HttpError(404, "The model `m` does not exist or you do not have access to it.", code="model_not_found"),
        HttpError(400, "m is not a valid model ID"),
        HttpError(400, "Invalid model: m", "invalid_model"),
    ],
)
async def test_F20_a_removed_model_is_unknown(script: Script) -> None:
    async with served(script) as (_, client):
        _, error = await read(client)
        assert isinstance(error, FinalCall)
        assert error.kind is FailureKind.UNKNOWN_MODEL


@pytest.mark.parametrize(
    ("status", "message", "public"),
    [
        (400, "nonsense", "The provider rejected the request."),
        (422, "nonsense", "The provider rejected the request."),
        (413, "Payload Too Large", "The conversation is too long for this model."),
        (400, "This model's maximum context length is 8192 tokens.", "The conversation is too long for this model."),
        (402, "Insufficient Balance", "The provider account has no credit left."),
    ],
)
async def test_F20_a_rejected_request_is_final(status: int, message: str, public: str) -> None:
    async with served(HttpError(status, message)) as (server, client):
        _, error = await read(client)
        assert isinstance(error, FinalCall)
        assert (error.kind, error.public) == (FailureKind.REJECTED, public)
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_B20_a_redirect_is_refused_and_the_key_goes_nowhere_else(status: int) -> None:
    async with ProviderServer() as elsewhere:
        target = f"{elsewhere.base_url}/chat/completions"
        async with served(Reply(status=status, headers={"Location": target})) as (_, client):
            _, error = await read(client)
        assert isinstance(error, FinalCall)
        assert error.kind is FailureKind.REJECTED
        assert elsewhere.requests == []


async def test_a_call_without_a_key_sends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "sk-someone-elses")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: sk-someone-elses")
    async with ProviderServer() as server:
        client = provider(server, key=None)
        await read(client)
        await client.aclose()
        assert server.requests[0].key_sha256 is None
        assert "sk-someone-elses" not in str(server.requests[0].headers)


def test_the_certificate_roots_are_those_of_the_system_or_the_operator() -> None:
    assert tls_context().verify_mode is ssl.CERT_REQUIRED
    assert tls_context().check_hostname
    assert tls_context() is tls_context()
