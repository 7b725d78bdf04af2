"""Assembles the web application without the page: middleware from the outside in, routes, static files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from moa.api.assets import PATH, Assets
from moa.api.callers import Callers
from moa.api.guard import Guard
from moa.api.headers import SPACE_FRAMES, SecurityHeaders
from moa.api.mcp import McpDoor
from moa.api.ports import Identify
from moa.api.proxies import Proxies
from moa.api.visitors import Visitors


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Where the app is reached.

    ``hosts`` are the Host headers taken ("*": any); ``proxy_hops`` counts the proxies to believe; ``on_space`` lets
    Hugging Face frame the page.
    """

    static: Path
    hosts: tuple[str, ...]
    proxy_hops: int = 0
    on_space: bool = False


def build_web(
    options: WebOptions,
    *,
    identify: Identify,
    routers: Sequence[APIRouter],
    mcp: Callers | None = None,
) -> FastAPI:
    """The application that the page is then mounted on, at ``/``. ``mcp`` opens Gradio's MCP server to its callers."""
    framed_by = SPACE_FRAMES if options.on_space else "'none'"
    web = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(SecurityHeaders, framed_by=framed_by),
            Middleware(Proxies, hops=options.proxy_hops),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(options.hosts), www_redirect=False),
            Middleware(Guard, mcp=mcp is not None),
            Middleware(CORSMiddleware, allow_origins=()),  # its presence keeps Gradio from answering any origin
            Middleware(Visitors, identify=identify),
            *([Middleware(McpDoor, callers=mcp)] if mcp is not None else []),
        ],
    )
    for router in routers:
        web.include_router(router)
    web.mount(PATH, Assets(options.static))
    return web


def allowed_hosts(host: str, extra: tuple[str, ...], *, loopback: bool, shared: bool) -> tuple[str, ...]:
    """Host headers to take. On loopback only this machine's names, against DNS rebinding; else what is set, or any."""
    if not loopback:
        return extra or ("*",)
    tunnel = ("*.gradio.live",) if shared else ()
    return ("localhost", "127.0.0.1", "[::1]", host, *tunnel, *extra)
