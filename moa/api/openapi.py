"""``/openapi.json``: the HTTP API's own description, and nothing of the page's routes."""

from __future__ import annotations

import functools
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse

from moa.api.chat_request import REF, ChatRequest

PATH = "/openapi.json"
_VERSION = "1"
_ABOUT = "Mixtures of agents behind OpenAI's protocol: several models propose, one writes the answer."


def describe(router: APIRouter) -> None:
    """Add the route that tells what the router's others take and give. It needs no token: it holds nothing of what
    this instance offers."""
    made = functools.cache(lambda: _document(router))

    @router.get(PATH, include_in_schema=False)
    async def document() -> JSONResponse:
        return JSONResponse(made())


def _document(described: APIRouter) -> dict[str, Any]:
    made = get_openapi(title="MoA Chat", version=_VERSION, description=_ABOUT, routes=described.routes)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    asked = ChatRequest.model_json_schema(ref_template=REF)
    schemas.update(asked.pop("$defs", {}))
    schemas[ChatRequest.__name__] = asked
    made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{}, {"token": []}]
    return made
