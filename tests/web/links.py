"""Share links without a store, and the web app that serves them on a real port."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from fastapi import FastAPI
from starlette.responses import HTMLResponse

from moa.api.guesses import Guesses
from moa.api.ports import Identify, Render
from moa.api.serving import Server, address_of, take_port
from moa.api.shares import share_routes
from moa.api.web import WebOptions, build_web
from moa.chat.values import Actor, ConversationView, Share, TurnView
from moa.core.errors import NotFound
from moa.core.view import RunView
from moa.ui.render import turn_json

STATIC = Path(__file__).parents[2] / "static"
PAGE = STATIC / "shared.html"
TOKEN = "Lorem-ipsum_dolor-sit-amet_consectetur-0123"
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
SHARE = Share("share1", "talk1", NOW, NOW + dt.timedelta(days=7), revoked=False)


class Named:
    """Believes a cookie that names its user, and gives every first visitor one."""

    def actor(self, cookies: Mapping[str, str]) -> Actor | None:
        return Actor(cookies["who"]) if "who" in cookies else None

    def fresh_cookie(self, *, https: bool) -> str:
        return "who=visitor; Path=/; HttpOnly"


@dataclass
class FakeLinks:
    """Implements ``moa.api.ports.Links``: one conversation of "anna" behind one token."""

    shown: ConversationView
    fault: Exception | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    async def share(self, actor: Actor, conversation_id: str, *, days: int) -> tuple[Share, str]:
        self._owned("share", actor, conversation_id == self.shown.id, days)
        return SHARE, TOKEN

    async def shares(self, actor: Actor, conversation_id: str) -> Sequence[Share]:
        self._owned("shares", actor, conversation_id == self.shown.id)
        return [SHARE]

    async def revoke(self, actor: Actor, share_id: str) -> None:
        self._owned("revoke", actor, share_id == SHARE.id)

    async def open_share(self, token: str) -> ConversationView:
        self._opened("open", token)
        return self.shown

    async def copy_share(self, actor: Actor, token: str) -> str:
        self._opened("copy", token, actor.user_id)
        return "copy1"

    def _owned(self, name: str, actor: Actor, known: bool, *told: Any) -> None:
        self.calls.append((name, actor.user_id, *told))
        if self.fault is not None:
            raise self.fault
        if actor != Actor("anna") or not known:
            raise NotFound

    def _opened(self, name: str, token: str, *told: Any) -> None:
        self.calls.append((name, token, *told))
        if self.fault is not None:
            raise self.fault
        if token != TOKEN:
            raise NotFound("link")


def turn_view(name: str, question: str = "Why?") -> TurnView:
    """A turn with an owner's ids of every kind."""
    return TurnView(
        f"{name}-turn", "talk1", question, f"{name}-run", RunView(), live=False,
        attempts=(f"{name}-old", f"{name}-run"), siblings=(f"{name}-turn", f"{name}-beside"), position=3,
    )  # fmt: skip


def shown(*turns: TurnView, title: str = "Why the sky is blue") -> ConversationView:
    """What a link shows."""
    return ConversationView("talk1", title, turns[-1].id, turns)


def application(
    links: Any, render: Render, identify: Identify | None = None, guesses: Guesses | None = None, **options: Any
) -> FastAPI:
    """The web app with the routes of links, and a stand-in where the page is mounted."""
    who = identify or Named()
    routes = share_routes(links, who, render=render, page=PAGE, guesses=guesses)
    web = build_web(WebOptions(STATIC, ("127.0.0.1", "localhost"), **options), identify=who, routers=[routes])

    @web.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>The chat</title><link rel=icon href='data:,'>")

    return web


def visitor(web: FastAPI) -> httpx.AsyncClient:
    """A browser's side of the app, without a network."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://127.0.0.1:7860")


def drawn(turn: TurnView) -> Mapping[str, Any]:
    """A turn as the app draws it."""
    return turn_json(turn, str.upper)


class Served:
    """The app on a free loopback port, in a thread of its own: a browser's test holds the loop of its thread."""

    def __init__(self, web: Any) -> None:
        self._bound = take_port("127.0.0.1", 0)
        self.url = address_of(self._bound)
        self._up = threading.Event()
        self._server = Server(web, started=self._up.set, drain=_nothing)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._bound]))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()


async def _nothing() -> None:
    return None
