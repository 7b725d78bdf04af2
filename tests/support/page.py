"""The page on a real port, over a service that a test scripts. Events are sent as the browser sends them.

async with served(FakeChat()) as page:
    messages = await page.fire("start", page.start_inputs("Hi?"))
    messages[-1]["output"]["data"]
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import httpx

from moa.api.routes import health_routes, turn_routes
from moa.api.serving import Server, address_of, take_port
from moa.api.web import WebOptions, build_web
from moa.chat.values import Actor, ConversationEntry, ConversationView, Started, TurnView
from moa.core.domain import Agent, Layer, Part, Recipe, Sampling, Slot, Usage
from moa.core.errors import NotFound
from moa.core.view import RunView
from moa.engine.estimate import Estimate
from moa.providers.offer import Choice
from moa.ui import render, texts
from moa.ui.context import Context
from moa.ui.identity import Identity
from moa.ui.mixture import Mixture
from moa.ui.mount import mount
from moa.ui.page import build_page

STATIC = Path(__file__).resolve().parents[2] / "static"
SMALL = "embedded/small"
LOCAL_OWNER = Actor("local")
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
LOCAL = Recipe(
    "local", "Built in", (Layer((Agent(SMALL, label="Careful"), Agent(SMALL, label="Plain"))),),
    Agent(SMALL, Part.AGGREGATOR),
)  # fmt: skip
SINGLE = Recipe("single", "One model", (), Agent(SMALL, Part.AGGREGATOR, Sampling(temperature=0.2)))


@dataclass
class FakeChat:
    """Implements ``moa.ui.ports.Chat`` over a dictionary. ``fault`` is raised by the next call, whatever it is."""

    conversations: dict[str, ConversationView] = field(default_factory=dict)
    owner: Actor = LOCAL_OWNER
    views: Sequence[TurnView] = ()
    fault: Exception | None = None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def named(self, name: str) -> list[dict[str, Any]]:
        """What one operation was called with."""
        return [told for called, told in self.calls if called == name]

    @property
    def library(self) -> FakeChat:
        return self

    async def entries(self, actor: Actor, *, limit: int = 50) -> Sequence[ConversationEntry]:
        found = self.conversations.values() if actor == self.owner else ()
        return [ConversationEntry(c.id, c.title, NOW, NOW) for c in found][:limit]

    async def open(self, actor: Actor, conversation_id: str) -> ConversationView:
        return self._found("open", actor, conversation_id)

    async def estimate(self, actor: Actor, recipe: Recipe, conversation_id: str | None = None) -> Estimate:
        return Estimate(recipe.call_count, Usage(1_000, 234, estimated=True), None)

    async def send(self, actor: Actor, **told: Any) -> Started:
        self._noted("send", actor=actor, **told)
        return Started(told["conversation_id"] or "new", "turn", "run")

    async def regenerate(self, actor: Actor, turn_id: str, **told: Any) -> Started:
        return self._again("regenerate", actor, turn_id, **told)

    async def edit(self, actor: Actor, turn_id: str, **told: Any) -> Started:
        return self._again("edit", actor, turn_id, **told)

    async def regenerate_answer(self, actor: Actor, turn_id: str, **told: Any) -> Started:
        return self._again("regenerate_answer", actor, turn_id, **told)

    async def resume(self, actor: Actor, turn_id: str, **told: Any) -> Started:
        return self._again("resume", actor, turn_id, **told)

    async def retry_slot(self, actor: Actor, turn_id: str, slot: Slot, **told: Any) -> Started:
        return self._again("retry_slot", actor, turn_id, slot=slot, **told)

    async def show_run(self, actor: Actor, turn_id: str, run_id: str) -> None:
        self._again("show_run", actor, turn_id, run_id=run_id)

    async def show_turn(self, actor: Actor, turn_id: str) -> None:
        self._again("show_turn", actor, turn_id)

    async def turn(self, actor: Actor, turn_id: str) -> TurnView:
        self._again("turn", actor, turn_id)
        return next(turn for c in self.conversations.values() for turn in c.turns if turn.id == turn_id)

    async def compare(self, actor: Actor, **told: Any) -> Started:
        self._noted("compare", actor=actor, **told)
        return Started(told.get("conversation_id") or "new", "turn", "run", columns=("run2",))

    async def regenerate_column(self, actor: Actor, turn_id: str, column: int, **told: Any) -> Started:
        return self._again("regenerate_column", actor, turn_id, column=column, **told)

    async def vote(self, actor: Actor, turn_id: str, choice: str) -> None:
        self._again("vote", actor, turn_id, choice=choice)

    async def tag(self, actor: Actor, turn_id: str, tags: Sequence[str]) -> None:
        self._again("tag", actor, turn_id, tags=tags)

    async def stop_columns(self, actor: Actor, run_id: str) -> None:
        self._noted("stop", actor=actor, run_id=run_id)
        if run_id not in {view.run_id for view in self.views} or actor != self.owner:
            raise NotFound("run")

    async def stop_slot(self, actor: Actor, run_id: str, slot: Slot) -> None:
        self._noted("stop_slot", actor=actor, run_id=run_id, slot=slot)
        raise NotFound("run")

    async def watch_columns(self, actor: Actor, run_id: str) -> AsyncIterator[TurnView]:
        self._noted("watch", actor=actor, run_id=run_id)
        if run_id not in {view.run_id for view in self.views} or actor != self.owner:
            raise NotFound("run")
        for view in self.views:
            yield view
            if view.live:
                await self.gate.wait()

    async def answer_now(self, actor: Actor, run_id: str) -> None:
        self._noted("answer_now", actor=actor, run_id=run_id)
        if run_id not in {view.run_id for view in self.views} or actor != self.owner:
            raise NotFound("run")

    def _again(self, name: str, actor: Actor, turn_id: str, **told: Any) -> Started:
        self._noted(name, actor=actor, turn_id=turn_id, **told)
        if turn_id not in {turn.id for c in self.conversations.values() for turn in c.turns} or actor != self.owner:
            raise NotFound("turn")
        return Started(next(iter(self.conversations)), turn_id, "again")

    def _found(self, name: str, actor: Actor, conversation_id: str, **told: Any) -> ConversationView:
        self._noted(name, actor=actor, conversation_id=conversation_id, **told)
        if actor != self.owner or conversation_id not in self.conversations:
            raise NotFound
        return self.conversations[conversation_id]

    def _noted(self, name: str, **told: Any) -> None:
        self.calls.append((name, told))
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault


@dataclass
class FakeModels:
    """Implements ``moa.ui.ports.Models``: one model, ready once ``trouble`` is empty."""

    trouble: list[str] = field(default_factory=list)
    refreshes: int = 0

    def choices(self) -> Sequence[Choice]:
        return [Choice(SMALL, "Small", "Built in"), Choice("far/big", "Big", "Far", needs="FAR_API_KEY")]

    def label(self, model_id: str) -> str:
        return {SMALL: "Small"}.get(model_id, model_id)

    async def refresh(self) -> None:
        self.refreshes += 1

    def problem(self) -> str | None:
        return self.trouble[0] if self.trouble else None

    def settled(self) -> bool:
        return not self.trouble

    async def wait_change(self, timeout_s: float) -> None:
        self.trouble.pop(0)


def turn_view(turn_id: str, run_id: str, view: RunView | None = None, *, live: bool = False) -> TurnView:
    """A turn of the conversation "c1"."""
    return TurnView(turn_id, "c1", f"Question {turn_id}", run_id, view or RunView(), live)


@dataclass(frozen=True)
class Page:
    """A page that is served."""

    blocks: gr.Blocks
    client: httpx.AsyncClient
    made: list[Mixture]

    def index(self, name: str) -> int:
        """The number of the (first) event that a handler of this name serves."""
        return next(i for i, fn in self.blocks.fns.items() if fn.name == name)

    @staticmethod
    def start_inputs(
        message: object, conversation: object = "", head: object = "", *, base: object = "local", at: str = ""
    ) -> list[Any]:
        """What Send sends, with the settings as the page has them at first."""
        key = "0123456789abcdef0123456789abcdef"
        return [message, conversation, head, {"turn": None, "question": None}, *Page.settings(base), None, key + at]

    @staticmethod
    def settings(base: object = "local") -> list[Any]:
        """The panel's fields as the page has them at first."""
        picked = [{"model": SMALL, "label": "Careful", "count": 1}, {"model": SMALL, "label": "Plain", "count": 1}]
        return [base, {"choices": [], "picked": picked, "max": 12}, SMALL, 2, None, ""]

    async def fire(
        self, name: str, data: Sequence[Any], *, event: object = None, session: str = "page-1"
    ) -> list[dict[str, Any]]:
        """Send one event and give what came back for it, the last message with ``output`` and ``success``."""
        await self.join(name, data, event=event, session=session)
        return [message async for message in self.messages(session)]

    async def join(self, name: str, data: Sequence[Any], *, event: object = None, session: str = "page-1") -> None:
        """Send one event and wait for nothing."""
        body = {
            "fn_index": self.index(name), "data": list(data), "session_hash": session, "event_data": event,
            "trigger_id": None,
        }  # fmt: skip
        answer = await self.client.post("/gradio_api/queue/join", json=body)
        assert answer.status_code == 200, answer.text

    async def messages(self, session: str = "page-1") -> AsyncIterator[dict[str, Any]]:
        """What the server tells a page about its events, until all have ended."""
        async with self.client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as stream:
            async for line in stream.aiter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "close_stream":
                    return
                if message["msg"] in ("process_generating", "process_completed"):
                    yield message


@asynccontextmanager
async def served(
    chat: FakeChat, *, identity: Identity | None = None, models: FakeModels | None = None
) -> AsyncIterator[Page]:
    """Serve the page on a free port of loopback."""
    made: list[Mixture] = []
    context = _context(chat, identity or Identity(single_owner=True), models or FakeModels(), made)
    web = build_web(
        WebOptions(STATIC, ("127.0.0.1",)), identify=context.identity,
        routers=[
            turn_routes(_no_turn, lambda turn: render.turn_json(turn, context.models.label), context.identity),
            health_routes(_healthy),
        ],
    )  # fmt: skip
    blocks = build_page(context)
    bound = take_port("127.0.0.1", 0)
    mount(web, blocks, host="127.0.0.1", port=bound.getsockname()[1])
    up = asyncio.Event()
    server = Server(web, started=up.set, drain=_nothing)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    await asyncio.wait([serving, waiting := asyncio.create_task(up.wait())], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        async with httpx.AsyncClient(base_url=address_of(bound), timeout=20) as client:
            yield Page(blocks, client, made)
    finally:
        chat.gate.set()
        server.should_exit = True
        await serving


def _context(chat: FakeChat, identity: Identity, models: FakeModels, made: list[Mixture]) -> Context:
    def make(base: Recipe, mixture: Mixture) -> Recipe:
        made.append(mixture)
        return base

    recipes = {recipe.id: recipe for recipe in (LOCAL, SINGLE)}
    return Context(chat, identity, models, recipes, "local", make, texts.EMBEDDED_HINT)


async def _no_turn(actor: Actor, turn_id: str) -> TurnView:
    raise NotFound("turn")


async def _healthy() -> dict[str, str]:
    return {"status": "ok"}


async def _nothing() -> None:
    return None
