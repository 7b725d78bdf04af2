"""The door of Gradio's MCP server: who may use the HTTP API may use the tool, and nobody else learns of it."""

from __future__ import annotations

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from moa.api.callers import Callers
from moa.api.guard import MCP_PATH
from moa.api.problems import Problem


class McpDoor:
    """Pure ASGI, behind the guard. A request to the MCP server without a good token is answered with 401 where the API
    needs one."""

    def __init__(self, app: ASGIApp, *, callers: Callers) -> None:
        self._app, self._callers = app, callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and str(scope["path"]).startswith(MCP_PATH):
            try:
                await self._callers.actor(Request(scope))
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)
