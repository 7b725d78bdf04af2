"""Our route for why an answer reads as it does."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from moa.api.ports import Identify, LoadTurn
from moa.api.replies import asker, checked_id, plain_router, reply
from moa.chat.why import Explainer


def why_routes(load: LoadTurn, explainer: Explainer, identify: Identify) -> APIRouter:
    """``GET /moa/turns/{id}/why``: ``{"why": Why}`` of ``moa.chat.why``, or None in its place where there is nothing to
    tell. Missing, malformed and foreign ids are one 404."""
    router = plain_router()

    @router.get("/moa/turns/{turn_id}/why")
    async def why(turn_id: str, request: Request) -> JSONResponse:
        actor = asker(identify, request, "turn")
        return reply({"why": await explainer.why(await load(actor, checked_id(turn_id, "turn")))})

    return router
