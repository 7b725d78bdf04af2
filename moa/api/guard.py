"""The door: odd addresses, other sites' requests, Gradio's unused routes and oversize bodies stay outside."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moa.api.problems import Problem

MAX_PATH_BYTES = 2_048
MAX_QUERY_BYTES = 8_192
MAX_BODY_BYTES = 2_000_000
MAX_IMPORT_BYTES = 64_000_000
IMPORT_PATH = "/moa/import"
API = "/v1/"
MCP_PATH = "/gradio_api/mcp"
IMPORT_S = 120
_IMPORTS_AT_ONCE = 2  # each may take a gigabyte while it is read
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
_GRADIO = "/gradio_api"
_GRADIO_OPEN = (
    "/queue/join",
    "/queue/data",
    "/cancel",
    "/reset",
    "/startup-events",
    "/theme.css",
    "/app_id",
    "/info",
)
_CLOSED = ("/monitoring", "/login", "/logout", "/docs", "/redoc", "/runs", "/svelte")


class Refused(Exception):
    """A request that goes no further. The text is safe to show."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Guard:
    """Pure ASGI, in front of everything.

    Lets a request pass when its address is sane (414, 400), its method is known (405), it does not come from another
    site (403), its route is one the page uses (404), and its body is at most ``max_body_bytes`` (413), also when it
    comes in pieces without a declared length. An import may be larger, and few come in at once (503). With ``mcp`` the
    route of Gradio's MCP server is open too.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_import_bytes: int = MAX_IMPORT_BYTES,
        mcp: bool = False,
    ) -> None:
        self._app = app
        self._also_open = (MCP_PATH, MCP_PATH + "/") if mcp else ()
        self._max_body_bytes = max_body_bytes
        self._max_import_bytes = max_import_bytes
        self._imports = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # the page uses no websockets
        try:
            check_address(scope)
            check_origin(scope)
            if scope["path"] not in self._also_open:
                check_route(str(scope["path"]))
            if scope["path"] == IMPORT_PATH and scope["method"] == "POST":
                await self._import(scope, receive, send)
                return
            body = await self._bounded(scope, receive, self._max_body_bytes)
        except Refused as refused:
            await _told(refused, str(scope["path"]))(scope, receive, send)
            return
        await self._app(scope, body, send)

    async def _import(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._imports >= _IMPORTS_AT_ONCE:
            raise Refused(503, "Other imports are under way: try again in a minute.")
        self._imports += 1
        try:
            body = await self._in_time(scope, receive)
            await self._app(scope, body, send)
        finally:
            self._imports -= 1

    async def _in_time(self, scope: Scope, receive: Receive) -> Receive:
        try:
            async with asyncio.timeout(IMPORT_S):
                return await self._bounded(scope, receive, self._max_import_bytes)
        except TimeoutError:
            raise Refused(408, "The file took too long to arrive: try again.") from None

    async def _bounded(self, scope: Scope, receive: Receive, most: int) -> Receive:
        """The body, read whole and bounded before anyone works on it. Safe methods bring none."""
        if scope["method"] in _SAFE_METHODS:
            return receive
        too_large = Refused(413, f"The request is too large: at most {most:,} bytes.")
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > most:
            raise too_large
        read: list[Message] = []
        size, more = 0, True
        while more:
            message = await receive()
            read.append(message)
            size += len(message.get("body", b""))
            more = bool(message.get("more_body", False))
            if size > most:
                raise too_large

        async def replay() -> Message:
            return read.pop(0) if read else await receive()

        return replay


def _told(refused: Refused, path: str) -> Response:
    """In plain text for people, in OpenAI's shape for the programs that use the API."""
    if path.startswith(API):
        return Problem(refused.status, refused.text, again=False).response()
    return PlainTextResponse(refused.text + "\n", refused.status)


def check_address(scope: Scope) -> None:
    """Raises Refused for an address or method that no page of ours has."""
    path = str(scope["path"])
    if len(scope.get("raw_path") or path) > MAX_PATH_BYTES or len(scope.get("query_string", b"")) > MAX_QUERY_BYTES:
        raise Refused(414, "The address is too long.")
    if any(ord(char) < 32 or char in "\x7f\\\ufffd" for char in path) or ".." in path.split("/"):
        raise Refused(400, "The address is malformed.")
    if scope["method"] not in _METHODS:
        raise Refused(405, "The method is not known.")


def check_origin(scope: Scope) -> None:
    """Raises Refused for what another site's page sends in a visitor's name (CSRF).

    Browsers set ``Sec-Fetch-Site`` themselves and pages can't; older ones send ``Origin`` with whatever may change
    something. Following a link to a page of ours is no such request. Programs other than browsers send neither.
    """
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return
    if site is not None:
        followed = scope["method"] in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
        if not followed or str(scope["path"]).startswith(_GRADIO):
            raise Refused(403, "This request comes from another site.")
        return
    origin = headers.get("origin")
    if origin is not None and scope["method"] not in _SAFE_METHODS and urlsplit(origin).netloc != headers.get("host"):
        raise Refused(403, "This request comes from another site.")


def check_route(path: str) -> None:
    """Raises Refused for Gradio's routes that the page has no use for: uploads, files, proxy, API, monitoring."""
    if path == _GRADIO or path.startswith(_GRADIO + "/"):
        rest = path.removeprefix(_GRADIO).rstrip("/")
        if rest not in _GRADIO_OPEN and not rest.startswith("/heartbeat/"):
            raise Refused(404, "Not found.")
    elif any(path == closed or path.startswith(closed + "/") for closed in _CLOSED):
        raise Refused(404, "Not found.")
