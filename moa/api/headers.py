"""Response headers of every page: what it may load, who may frame it, and that nothing is guessed."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio needs inline scripts and eval; models' text never becomes script (it is sanitised in the browser), and no
# host but our own is allowed for anything, so that nothing can be fetched or sent elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self'; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors {framed_by}"
)
_OWN = ("Content-Security-Policy", "Referrer-Policy")  # a page of ours that needs less brings its own
SPACE_FRAMES = "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space"


class SecurityHeaders:
    """Pure ASGI. Sets the Content-Security-Policy and its companions on every response. One that names its own policy
    for content or referrers keeps it."""

    def __init__(self, app: ASGIApp, *, framed_by: str = "'none'") -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": _POLICY.format(framed_by=framed_by),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        }
        if framed_by == "'none'":
            self._headers["X-Frame-Options"] = "DENY"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = headers.get(name, value) if name in _OWN else value
            await send(message)

        await self._app(scope, receive, with_headers)
