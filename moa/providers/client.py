"""The SDK's HTTP client as this project wants it: bounded, redirecting nowhere, and silent about its environment."""

from __future__ import annotations

import functools
import ssl
from contextlib import aclosing

import httpx2
from openai import AsyncOpenAI, DefaultAioHttpClient, Omit

from moa.core.errors import CallError
from moa.core.redact import Redactor
from moa.providers import faults

ERROR_BYTES = 1 << 16
_CONNECTIONS = 1024
_KEEP_ALIVE_S = 60.0


def make_client(base_url: str, key: str | None, connect_s: float) -> AsyncOpenAI:
    """A client for one base URL and key, over aiohttp. It raises ``Refused`` for every status but 2xx.

    No retries, no redirects, no proxies, no deadline but the connect's. The SDK insists on some key; a caller without
    one leaves the Authorization header out of each request.
    """
    timeout = httpx2.Timeout(None, connect=connect_s, pool=connect_s)
    http = DefaultAioHttpClient(
        timeout=timeout,
        limits=httpx2.Limits(max_connections=_CONNECTIONS, keepalive_expiry=_KEEP_ALIVE_S),
        follow_redirects=False,
        trust_env=False,
        verify=tls_context() if base_url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        event_hooks={"response": [_refuse]},
    )
    return _Client(api_key=key or "none", base_url=base_url, timeout=timeout, max_retries=0, http_client=http)


class Refused(Exception):
    """Carries a response that is no success out of the SDK, before it would read the body without a bound."""

    def __init__(self, refusal: faults.Refusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal

    @property
    def may_adapt(self) -> bool:
        """Whether the body may name a rejected parameter; chat templates fail with 500 in some servers."""
        return self.refusal.status in (400, 422, 500)


async def read_body(response: httpx2.Response, limit: int) -> bytes:
    """The body, of which no more than about ``limit`` bytes are read."""
    body = bytearray()
    try:
        async with aclosing(response.aiter_bytes()) as chunks:
            async for data in chunks:
                body += data
                if len(body) >= limit:
                    break
    except Exception as error:  # the port's promise, ``Provider`` raises CallError only
        raise faults.of_exception(error, Redactor(), opened=True) from error
    finally:
        await response.aclose()
    return bytes(body)


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Loading the roots takes 20 ms: once for all providers."""
    return httpx2.create_ssl_context()


class _Client(AsyncOpenAI):
    """The SDK's client with the headers a chat API needs and no others: OPENAI_ORG_ID, OPENAI_PROJECT_ID and
    OPENAI_CUSTOM_HEADERS would otherwise go to every provider.
    """

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        return {
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",  # a compressed stream is held back by some proxies, and could be a bomb
            "Content-Type": "application/json",
            "User-Agent": "moa-chat",
        }


async def _refuse(response: httpx2.Response) -> None:
    if response.is_success:
        return
    try:
        body = await read_body(response, ERROR_BYTES)
    except CallError:
        body = b""
    headers = {name.lower(): value for name, value in response.headers.items()}
    raise Refused(faults.Refusal(response.status_code, headers, body.decode(errors="replace")))
