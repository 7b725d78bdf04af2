"""Serves the web application: takes the port, says where it is, and lets runs end before it goes."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from moa.core.errors import ConfigError

_LAST_RESPONSES_S = 1  # open streams of pages are cut after this: every run has ended by then


def take_port(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Port 0 takes any free one. Raises ConfigError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows this option would let two programs share a port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise ConfigError(
            f"Can't listen on {host} port {port} ({error.strerror or error}): "
            f"end the other program that uses it, or set MOA_PORT to another number."
        ) from None
    bound.setblocking(False)
    return bound


def address_of(bound: socket.socket) -> str:
    """The address to open in a browser on this machine."""
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


class Server(uvicorn.Server):
    """uvicorn with three differences: it tells when it is up; on SIGTERM or SIGINT it first awaits ``drain`` while
    pages are still served, a second signal cutting that short; and it then returns instead of killing the process.
    """

    def __init__(self, app: ASGIApp, *, started: Callable[[], None], drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_LAST_RESPONSES_S,
            )
        )
        self._tell_started, self._drain, self._hurry = started, drain, False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, then tells."""
        await super().startup(sockets=sockets)
        if self.started:
            self._tell_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A first signal asks to end, a second one to hurry."""
        # Hurrying cuts the drain only: what is left then takes a second and must close in order.
        self._hurry = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close connections."""
        drain = asyncio.ensure_future(self._drain())
        while not drain.done() and not self._hurry:
            await asyncio.wait([drain], timeout=0.2)
        drain.cancel()
        await super().shutdown(sockets=sockets)
