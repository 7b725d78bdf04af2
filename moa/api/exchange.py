"""Downloads of conversations, and the way in for such files."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from moa.api.guard import IMPORT_PATH
from moa.api.ports import Carrier, Identify, LabelOf
from moa.api.replies import PRIVATE, asker, checked_id, plain_router, reply

_TYPES = {"md": "text/markdown; charset=utf-8", "json": "application/json"}


def exchange_routes(carrier: Carrier, identify: Identify, *, label_of: LabelOf) -> APIRouter:
    """Files are made in memory and handed out as attachments, never shown as a page of ours.

    ==== ==================================== =========================================================
    GET  /moa/conversations/{id}/export.md    the path shown, to read; ``.json`` all of it, to take along
    GET  /moa/archive.json                    all conversations
    POST /moa/import                          such a JSON file, or ChatGPT's: ``{imported, conversation}``
    ==== ==================================== =========================================================
    """
    router = plain_router()

    @router.get("/moa/conversations/{conversation_id}/export.{kind}")
    async def export(conversation_id: str, kind: Literal["md", "json"], request: Request) -> Response:
        actor = asker(identify, request)
        file = await carrier.download(actor, checked_id(conversation_id), kind, label_of)
        return Response(file.content, headers=_attached(file.name), media_type=_TYPES[kind])

    @router.get("/moa/archive.json")
    async def archive(request: Request) -> Response:
        name, pieces = await carrier.archive(asker(identify, request))
        return StreamingResponse(pieces, headers=_attached(name), media_type=_TYPES["json"])

    @router.post(IMPORT_PATH)
    async def take_in(request: Request) -> JSONResponse:
        ids = await carrier.take_in(asker(identify, request), await request.body())
        return reply({"imported": len(ids), "conversation": ids[0] if len(ids) == 1 else None})

    return router


def _attached(name: str) -> dict[str, str]:
    return {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}  # a name of ours, ASCII (RFC 6266)
