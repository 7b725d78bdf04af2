"""Our own routes: a turn with all its proposals, and the health page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from moa.api.ports import Health, Identify, LoadTurn, Render
from moa.api.replies import asker, checked_id, plain_router, reply


def turn_routes(load: LoadTurn, render: Render, identify: Identify) -> APIRouter:
    """``GET /moa/turns/{id}``: the page's JSON of a turn. Missing, malformed and foreign ids are one 404."""
    router = plain_router()

    @router.get("/moa/turns/{turn_id}")
    async def turn(turn_id: str, request: Request) -> JSONResponse:
        actor = asker(identify, request, "turn")
        return reply(render(await load(actor, checked_id(turn_id, "turn"))))

    return router


def health_routes(health: Health) -> APIRouter:
    """``GET /healthz``: words about each part; 503 while ``status`` is not "ok". Holds no secret and no path."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        found = dict(await health())
        return reply(found, 200 if found.get("status") == "ok" else 503)

    return router
