"""Gives a browser its cookie on its first page."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moa.api.ports import Identify


class Visitors:
    """Pure ASGI. A page asked for without a good cookie is answered with one; other routes are left alone."""

    def __init__(self, app: ASGIApp, *, identify: Identify) -> None:
        self._app = app
        self._identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not _is_page(scope) or self._identify.actor(cookies_of(Headers(scope=scope))) is not None:
            await self._app(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = self._identify.fresh_cookie(https=scope.get("scheme") == "https")
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, with_cookie)


def _is_page(scope: Scope) -> bool:
    """The page itself, or one behind a link, whose reader may want to go on as somebody."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return scope["path"] == "/" or str(scope["path"]).startswith("/s/")


def cookies_of(headers: Headers) -> dict[str, str]:
    """The cookies sent; none when the header can't be read."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}
