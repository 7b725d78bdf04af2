"""Carries the SDK's requests over aiohttp, with little in between: no chunk of a stream passes through httpx2."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import httpx2

_CONNECTIONS = 1024
_KEEP_ALIVE_S = 60.0


class Body(httpx2.AsyncByteStream):
    """A response's body as it comes off the wire. Its readers get aiohttp's exceptions as they are."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.read = response.content.readany
        """What has come since the last read, or waits for more; empty at the body's end."""
        self.at_end = response.content.at_eof
        """Whether all of the body has come and was read; the connection is then free for the next call."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    async def aclose(self) -> None:
        """Close the connection, unless the body has come to its end."""
        self._response.release()
        await self._response.wait_for_close()


class Transport(httpx2.AsyncBaseTransport):
    """Implements httpx2's seam for one base URL. A response's ``extensions["body"]`` is its ``Body``.

    ``connect_s`` is the only deadline. No proxies, no redirects, no cookies. One session, made within the first
    request's event loop.
    """

    def __init__(self, *, connect_s: float, tls: ssl.SSLContext | None) -> None:
        self._timeout = aiohttp.ClientTimeout(connect=connect_s, sock_connect=connect_s)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See the seam. Raises httpx2.TransportError, caused by aiohttp's error."""
        if self._session is None:
            self._session = self._open()
        encoding = request.headers.encoding  # found anew by each look into the headers, so they are read once
        headers = [(name.decode(encoding), value.decode(encoding)) for name, value in request.headers.raw]
        try:
            answer = await self._session.request(
                request.method,
                str(request.url),
                headers=headers,
                data=request.read() or None,
                allow_redirects=False,
                timeout=self._timeout,
            )
        except (aiohttp.ClientError, OSError) as error:  # OSError: a TimeoutError is one
            raise httpx2.TransportError(str(error), request=request) from error
        body = Body(answer)
        return httpx2.Response(
            answer.status, headers=answer.raw_headers, stream=body, request=request, extensions={"body": body}
        )

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_S, ssl=True if self._tls is None else self._tls
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
        )


class Http(httpx2.AsyncClient):
    """httpx2's client as far as the SDK uses it, straight onto the transport.

    What would come in between costs as much as aiohttp's part of a call, and nothing of it is wanted: defaults merged
    into each request (the SDK gives the whole URL and all headers), authentication, redirects, cookies.
    ``refuse`` is given each response that is no success, and raises.
    """

    def __init__(self, transport: Transport, refuse: Callable[[httpx2.Response], Awaitable[None]]) -> None:
        super().__init__(transport=transport, trust_env=False)
        self._straight = transport
        self._refuse = refuse

    def build_request(self, method: str, url: httpx2.URL | str, **given: Any) -> httpx2.Request:
        """A request with these headers and this content, and nothing else."""
        content = httpx2.ByteStream(given.get("content") or b"")
        return httpx2.Request(method, url, headers=given.get("headers"), stream=content)

    async def send(self, request: httpx2.Request, *, stream: bool = False, **_: Any) -> httpx2.Response:
        """One exchange."""
        if self.is_closed:
            raise RuntimeError("this client has been closed")
        response = await self._straight.handle_async_request(request)
        if not response.is_success:
            await self._refuse(response)
        if not stream:
            await response.aread()
        return response
