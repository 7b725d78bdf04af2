"""Our own routes: a turn with all its proposals, and the health page."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from moa.api.ports import Health, Identify, LoadTurn, Render
from moa.chat.values import Actor
from moa.core.errors import MoaError, NotFound

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PRIVATE = {"Cache-Control": "no-store"}


def turn_routes(load: LoadTurn, render: Render, identify: Identify) -> APIRouter:
    """``GET /moa/turns/{id}``: the page's JSON of a turn. Missing, malformed and foreign ids are one 404."""
    router = APIRouter()

    @router.get("/moa/turns/{turn_id}")
    async def turn(turn_id: str, request: Request) -> JSONResponse:
        actor = identify.actor(request.cookies)
        try:
            return JSONResponse(render(await load(*_checked(actor, turn_id))), headers=_PRIVATE)
        except NotFound as error:
            return JSONResponse({"error": error.public}, 404, headers=_PRIVATE)
        except MoaError as error:
            return JSONResponse({"error": error.public}, 503, headers=_PRIVATE)

    return router


def health_routes(health: Health) -> APIRouter:
    """``GET /healthz``: words about each part; 503 while ``status`` is not "ok". Holds no secret and no path."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        found = dict(await health())
        return JSONResponse(found, 200 if found.get("status") == "ok" else 503, headers=_PRIVATE)

    return router


def _checked(actor: Actor | None, turn_id: str) -> tuple[Actor, str]:
    if actor is None or not _ID.fullmatch(turn_id):
        raise NotFound("turn")
    return actor, turn_id
