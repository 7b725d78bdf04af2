"""Links that let anyone read a conversation: made, listed and ended by its owner, read and copied by whoever has one.

The token stands in the address and nowhere else: it is in no page, no referrer and no log.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, JSONResponse

from moa.api.guesses import Guesses
from moa.api.ports import Identify, Links, Render
from moa.api.replies import asker, checked_id, done, json_object, plain_router, refusal, reply
from moa.chat.values import ConversationView, Share, TurnView
from moa.core.errors import InputRefused, MoaError, NotFound

GONE = "This link doesn't work any more."
NOT_NOW = "This link can't be opened right now."
NO_COOKIES = "To go on from here, allow cookies for this site and load the page again."
TITLE, LOADING = "Shared conversation", "Loading…"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, base64url
_READ = ["GET", "HEAD"]
_UNLISTED = {"X-Robots-Tag": "noindex, nofollow, noarchive"}
# Scripts are our own files alone, and only DOMPurify may make elements of a text. KaTeX gives some formulas a style
# attribute. A link opens as a page, so nobody frames it, also not where the app itself may be framed.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types dompurify"
)
_PAGE = {
    **_UNLISTED,
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
}


def share_routes(
    links: Links, identify: Identify, *, render: Render, page: Path, guesses: Guesses | None = None
) -> APIRouter:
    """The owner's routes below ``/moa/conversations`` and ``/moa/shares``, the readers' ``/s`` and ``/moa/shared``.

    ``page`` is the HTML file that every working link shows; it holds no data and asks ``/moa/shared`` for them.
    A link that is malformed, unknown, expired or revoked is one 404. Who tries many of those gets 429.
    """
    router = plain_router()
    _owner_routes(router, links, identify)
    _reader_routes(router, _Door(links, guesses or Guesses()), identify, render, page.read_text("utf-8"))
    return router


class _Door:
    """Lets readers in, and counts who tries what is no link."""

    def __init__(self, links: Links, guesses: Guesses) -> None:
        self._links, self._guesses = links, guesses

    async def open(self, request: Request, token: str) -> ConversationView:
        with self._guesses.counted(_client(request)):
            return await self._links.open_share(_checked(token))

    async def copy(self, request: Request, token: str, identify: Identify) -> str:
        with self._guesses.counted(_client(request)):
            actor = identify.actor(request.cookies)
            if actor is None:
                raise InputRefused(NO_COOKIES)
            return await self._links.copy_share(actor, _checked(token))


def _owner_routes(router: APIRouter, links: Links, identify: Identify) -> None:
    @router.post("/moa/conversations/{conversation_id}/shares")
    async def share(conversation_id: str, request: Request) -> JSONResponse:
        actor = asker(identify, request)
        days = (await json_object(request)).get("days")
        days = days if isinstance(days, int) else 0  # which is refused in the same words as any other wrong number
        made, token = await links.share(actor, checked_id(conversation_id), days=days)
        return reply({"share": _share_json(made), "path": f"/s/{token}"}, 201)

    @router.get("/moa/conversations/{conversation_id}/shares")
    async def shares(conversation_id: str, request: Request) -> JSONResponse:
        actor = asker(identify, request)
        found = await links.shares(actor, checked_id(conversation_id))
        return reply({"shares": [_share_json(one) for one in found]})

    @router.delete("/moa/shares/{share_id}")
    async def revoke(share_id: str, request: Request) -> Response:
        await links.revoke(asker(identify, request, "link"), checked_id(share_id, "link"))
        return done()


def _reader_routes(router: APIRouter, door: _Door, identify: Identify, render: Render, shell: str) -> None:
    @router.api_route("/s/{token}", methods=_READ)
    async def page(token: str, request: Request) -> HTMLResponse:
        try:
            await door.open(request, token)
        except MoaError as error:
            return _closed(shell, error)
        return HTMLResponse(_filled(shell, state="open", title=TITLE, says=LOADING), headers=_PAGE)

    @router.api_route("/moa/shared/{token}", methods=_READ)
    async def shared(token: str, request: Request) -> JSONResponse:
        found = await door.open(request, token)
        turns = [render(_nameless(turn, number)) for number, turn in enumerate(found.turns, 1)]
        answer = reply({"title": found.title, "turns": turns})
        answer.headers.update(_UNLISTED)
        return answer

    @router.post("/moa/shared/{token}/copy")
    async def copy(token: str, request: Request) -> JSONResponse:
        return reply({"conversation": await door.copy(request, token, identify)})


def _closed(shell: str, error: MoaError) -> HTMLResponse:
    """The page of a link that shows nothing, with the status and the waiting time that the error has everywhere."""
    told = refusal(error)
    waiting = {name: told.headers[name] for name in ("Retry-After",) if name in told.headers}
    title, says = (GONE, "") if isinstance(error, NotFound) else (NOT_NOW, error.public)
    body = _filled(shell, state="closed", title=title, says=says)
    return HTMLResponse(body, told.status_code, {**_PAGE, **waiting})


def _filled(shell: str, **words: str) -> str:
    for name, word in words.items():
        shell = shell.replace("{{" + name + "}}", html.escape(word))
    return shell


def _nameless(turn: TurnView, number: int) -> TurnView:
    """The turn, with all its columns, with numbers in the place of its owner's ids."""
    name = str(number)
    return replace(
        turn, id=name, conversation_id="", run_id=name, attempts=(name,), siblings=(name,), position=number, live=False,
        columns=tuple(_nameless(column, number) for column in turn.columns),
    )  # fmt: skip


def _share_json(share: Share) -> Mapping[str, Any]:
    return {"id": share.id, "created_at": share.created_at.isoformat(), "expires_at": share.expires_at.isoformat()}


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise NotFound("link")
    return token


def _client(request: Request) -> str:
    return request.client.host if request.client else ""
