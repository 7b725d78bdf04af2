"""The SDK's HTTP client as this project wants it: bounded, redirecting nowhere, and silent about its environment."""

from __future__ import annotations

import functools
import ssl
from contextlib import aclosing
from typing import Any, cast

import httpx2
from openai import AsyncOpenAI, AsyncStream, Omit
from openai._models import FinalRequestOptions

from moa.core.errors import CallError
from moa.core.redact import Redactor
from moa.providers import faults
from moa.providers.transport import Http, Transport

ERROR_BYTES = 1 << 16


def make_client(base_url: str, key: str | None, connect_s: float) -> Client:
    """A client for one base URL and key, over aiohttp. It raises ``Refused`` for every status but 2xx.

    No retries, no redirects, no proxies, no deadline but the connect's. The SDK insists on some key; a caller without
    one leaves the Authorization header out of each request.
    """
    tls = tls_context() if base_url.startswith("https:") else None
    http = Http(Transport(connect_s=connect_s, tls=tls), _refuse)
    return Client(
        authorised=key is not None,
        api_key=key or "none",
        base_url=base_url,
        timeout=None,
        max_retries=0,
        http_client=http,
    )


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


class Client(AsyncOpenAI):
    """The SDK's client with the headers a chat API needs and no others: OPENAI_ORG_ID, OPENAI_PROJECT_ID and
    OPENAI_CUSTOM_HEADERS would otherwise go to every provider.

    The SDK puts together options, URL and headers of each request anew, at the cost of a hundred chunks. Here that is
    done once for each path, as all requests to one have the same.
    """

    def __init__(self, *, authorised: bool, **given: Any) -> None:
        self._authorised = authorised
        self._options: dict[str, FinalRequestOptions] = {}
        self._first: dict[str, httpx2.Request] = {}
        super().__init__(**given)

    async def fetch(self, method: str, path: str, content: bytes | None = None) -> httpx2.Response:
        """One request of the SDK's; the response with its body unread."""
        if path not in self._options:
            security: Any = {"bearer_auth": True} if self._authorised else {}
            headers = {} if self._authorised else {"Authorization": Omit()}
            self._options[path] = FinalRequestOptions.construct(
                method=method, url=path, security=security, headers=headers
            )
        options = self._options[path].model_copy(update={"content": content})
        response: Any = await self.request(httpx2.Response, options, stream=True, stream_cls=AsyncStream[Any])
        return cast("httpx2.Response", response)

    def _build_request(self, options: FinalRequestOptions, *, retries_taken: int = 0) -> httpx2.Request:
        content: Any = options.content
        first = self._first.get(options.url)
        if first is None:
            empty = options.model_copy(update={"content": None})
            first = self._first[options.url] = super()._build_request(empty, retries_taken=retries_taken)
        return self._client.build_request(first.method, first.url, headers=first.headers, content=content)

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        """All of them but the key's."""
        return {
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",  # a compressed stream is held back by some proxies, and could be a bomb
            "Content-Type": "application/json",
            "User-Agent": "moa-chat",
        }


async def _refuse(response: httpx2.Response) -> None:
    try:
        body = await read_body(response, ERROR_BYTES)
    except CallError:
        body = b""
    headers = {name.lower(): value for name, value in response.headers.items()}
    raise Refused(faults.Refusal(response.status_code, headers, body.decode(errors="replace")))
