"""Believes what the configured number of reverse proxies say about a request, and nobody else."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_FORWARDED = (b"x-forwarded-", b"forwarded", b"x-real-ip")
PASSED_ON = "moa.passed_on"
"""Set in the scope of a request that says it came through a proxy, whether that is believed or not."""


class Proxies:
    """Pure ASGI. With ``hops`` proxies in front, the client is the address that the outermost of them saw: the
    ``hops``-th from the right of X-Forwarded-For, and the scheme is theirs. With none, such headers are a visitor's
    invention and are dropped before anyone reads them.
    """

    def __init__(self, app: ASGIApp, *, hops: int) -> None:
        self._app = app
        self._hops = hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            scope = dict(scope)
            scope[PASSED_ON] = any(name.lower().startswith(_FORWARDED) for name, _ in scope["headers"])
            if self._hops:
                _believe(scope, self._hops)
            else:
                scope["headers"] = [(k, v) for k, v in scope["headers"] if not k.lower().startswith(_FORWARDED)]
        await self._app(scope, receive, send)


def _believe(scope: Scope, hops: int) -> None:
    chain = _values(scope, b"x-forwarded-for")
    if len(chain) >= hops:
        scope["client"] = (chain[-hops][:64], 0)
    schemes = _values(scope, b"x-forwarded-proto")
    if schemes and schemes[-1] in ("http", "https"):
        scope["scheme"] = schemes[-1]


def _values(scope: Scope, name: bytes) -> list[str]:
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]
