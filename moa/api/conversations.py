"""The routes behind the list of conversations: its pages, the search, and what is done to one of its lines."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from moa.api.ports import Identify, RenderHits, RenderPage, Shelf
from moa.api.replies import asker, checked_id, done, json_object, plain_router, reply
from moa.chat.values import Actor
from moa.core.errors import InputRefused

ENTRIES = 50
HITS = 20
_OFFSET_MAX = 10_000


def conversation_routes(library: Shelf, identify: Identify, *, page: RenderPage, hits: RenderHits) -> APIRouter:
    """``/moa/conversations`` and ``/moa/search``. Missing, malformed and foreign ids are one 404.

    ====== =============================== =================================================================
    GET    /moa/conversations              a page of the list; ``before`` pages, ``archived=1`` lists those
    GET    /moa/search                     conversations that hold the words of ``q``; ``offset`` pages
    PATCH  /moa/conversations/{id}         one of ``{title}``, ``{pinned}``, ``{archived}``; or several
    DELETE /moa/conversations/{id}         can be undone for a day
    POST   /moa/conversations/{id}/restore undoes it
    ====== =============================== =================================================================
    """
    router = plain_router()
    one = "/moa/conversations/{conversation_id}"

    @router.get("/moa/conversations")
    async def listed(request: Request) -> JSONResponse:
        actor = asker(identify, request)
        before = _moment(request.query_params.get("before"))
        archived = _switch(request.query_params.get("archived"))
        found = await library.entries(actor, limit=ENTRIES, before=before, archived=archived)
        return reply(page(found, limit=ENTRIES, current=None))

    @router.get("/moa/search")
    async def searched(request: Request) -> JSONResponse:
        actor = asker(identify, request)
        query = request.query_params.get("q", "")
        offset = _offset(request.query_params.get("offset"))
        found = await library.search(actor, query, limit=HITS + 1, offset=offset)
        return reply(hits(found, offset=offset, limit=HITS))

    @router.patch(one)
    async def change(conversation_id: str, request: Request) -> Response:
        actor = asker(identify, request)
        await _changed(library, actor, checked_id(conversation_id), await json_object(request))
        return done()

    @router.delete(one)
    async def delete(conversation_id: str, request: Request) -> Response:
        actor = asker(identify, request)
        await library.delete(actor, checked_id(conversation_id))
        return done()

    @router.post(f"{one}/restore")
    async def restore(conversation_id: str, request: Request) -> Response:
        actor = asker(identify, request)
        await library.restore(actor, checked_id(conversation_id))
        return done()

    return router


async def _changed(library: Shelf, actor: Actor, conversation_id: str, changes: dict[str, object]) -> None:
    """All is checked before anything is changed."""
    if not changes or changes.keys() - {"title", "pinned", "archived"}:
        raise InputRefused("A conversation has a title, and is pinned or archived or not.")
    title = changes.get("title")
    if "title" in changes and not isinstance(title, str):
        raise InputRefused("A title is a text.")
    pinned, archived = _flag(changes, "pinned"), _flag(changes, "archived")
    if isinstance(title, str):
        await library.rename(actor, conversation_id, title)
    if pinned is not None or archived is not None:
        await library.flag(actor, conversation_id, pinned=pinned, archived=archived)


def _flag(changes: dict[str, object], name: str) -> bool | None:
    value = changes.get(name)
    if name in changes and not isinstance(value, bool):
        raise InputRefused(f'"{name}" is true or false.')
    return value if isinstance(value, bool) else None


def _moment(text: str | None) -> dt.datetime | None:
    """A moment as ``moa.ui.history`` writes it."""
    if text is None:
        return None
    try:
        when = dt.datetime.fromisoformat(text)
        if when.tzinfo is not None:
            return when.astimezone(dt.UTC)
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        pass
    raise InputRefused('"before" is a moment such as 2026-11-24T12:00:00Z.')


def _switch(text: str | None) -> bool:
    if text not in (None, "0", "1"):
        raise InputRefused('"archived" is 0 or 1.')
    return text == "1"


def _offset(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_OFFSET_MAX)) and int(text) <= _OFFSET_MAX):
        raise InputRefused(f'"offset" is a number from 0 to {_OFFSET_MAX:,}.')
    return int(text)
