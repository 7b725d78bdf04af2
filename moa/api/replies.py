"""How our routes answer: JSON that no cache keeps, and errors as one sentence. Shared by all of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse

from moa.api.ports import Identify
from moa.chat.values import Actor
from moa.core.errors import Busy, Conflict, InputRefused, MoaError, NotFound

PRIVATE = {"Cache-Control": "no-store"}
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STATUS: tuple[tuple[type[MoaError], int], ...] = ((InputRefused, 400), (NotFound, 404), (Conflict, 409), (Busy, 429))
_UNAVAILABLE = 503


def plain_router() -> APIRouter:
    """A router whose handlers may raise any MoaError: it is answered as ``refusal`` says."""
    return APIRouter(route_class=_PlainRoute)


def reply(value: object, status: int = 200) -> JSONResponse:
    """A JSON answer."""
    return JSONResponse(value, status, headers=PRIVATE)


def done() -> Response:
    """An answer that says only that it was done: 204."""
    return Response(status_code=204, headers=PRIVATE)


def refusal(error: MoaError) -> JSONResponse:
    """``{"error": text}``: 400 for what can't be taken, 404, 409 for an older state, 429 with ``Retry-After``, and 503
    for all that is not the asker's doing."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), _UNAVAILABLE)
    answer = reply({"error": error.public}, status)
    if isinstance(error, Busy):
        answer.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    return answer


def asker(identify: Identify, request: Request, what: str = "conversation") -> Actor:
    """Who asks. NotFound for a browser that has no cookie yet: nothing is its own."""
    actor = identify.actor(request.cookies)
    if actor is None:
        raise NotFound(what)
    return actor


def checked_id(value: str, what: str = "conversation") -> str:
    """An id of the address. NotFound when it has the form of none."""
    if not _ID.fullmatch(value):
        raise NotFound(what)
    return value


async def json_object(request: Request) -> dict[str, Any]:
    """The body, which must be a JSON object. Raises InputRefused."""
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        value = None
    if not isinstance(value, dict):
        raise InputRefused("The request must be a JSON object.")
    return value


class _PlainRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except MoaError as error:
                return refusal(error)

        return handled
