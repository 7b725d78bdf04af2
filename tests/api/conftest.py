"""The HTTP API as the app wires it, on a free port of this machine, with a real store and a loopback provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from moa.api.callers import Callers
from moa.api.completion_routes import Offering, completion_routes
from moa.api.serving import Server, address_of, take_port
from moa.api.web import WebOptions, build_web
from moa.chat.service import ChatService
from moa.chat.titles import Titles
from moa.chat.values import LOCAL, Actor, TurnView
from moa.config.requested import requested_recipe
from moa.core.catalogue import Catalogue
from moa.core.domain import Agent, Budget, Layer, Model, Part, Price, PromptStyle, Recipe
from moa.engine.engine import Engine
from moa.providers.openai_compatible import OpenAICompatibleProvider
from moa.ui.identity import Identity
from storage import SqlStore, open_store
from tests.support.clock import ManualClock
from tests.support.mixtures import LoopbackDirectory
from tests.support.server import ProviderServer

PRICE = Price(1_000_000, 2_000_000)
MODELS = {
    f"test/{name}": Model(f"test/{name}", "test", name, label, price=PRICE)
    for name, label in (("a", "Model A"), ("b", "Model B"), ("c", "Model C"), ("agg", "Writer"), ("spare", "Spare"))
}
DUO = Recipe(
    "duo", "Duo", (Layer((Agent("test/a"), Agent("test/b", label="Careful", system="Be careful."))),),
    Agent("test/agg", Part.AGGREGATOR), prompt_style=PromptStyle.PAPER,
)  # fmt: skip
SAFE = replace(DUO, id="safe", title="Safe", fallbacks=(Agent("test/spare", Part.AGGREGATOR),))
POOR = replace(DUO, id="poor", title="Poor", budget=Budget(calls=2))
CATALOGUE = Catalogue({}, MODELS, {recipe.id: recipe for recipe in (DUO, SAFE, POOR)}, "duo")
HI = [{"role": "user", "content": "Hi?"}]


@dataclass(frozen=True)
class Choice:
    """A model that is offered."""

    id: str
    provider: str = "Test"
    needs: str | None = None


@dataclass
class Api:
    """What a test plays with. ``url`` ends in /v1."""

    url: str
    server: ProviderServer
    store: SqlStore
    chat: ChatService
    clock: ManualClock

    @asynccontextmanager
    async def client(self, token: str = "") -> AsyncIterator[AsyncOpenAI]:
        """OpenAI's own client, which tries nothing twice."""
        async with AsyncOpenAI(base_url=self.url, api_key=token or "unused", max_retries=0) as client:
            yield client

    async def post(self, body: Any, **headers: str) -> httpx.Response:
        """A request as any program makes it."""
        async with httpx.AsyncClient() as client:
            given = {"content": body} if isinstance(body, bytes) else {"json": body}
            return await client.post(f"{self.url}/chat/completions", headers=headers, **given)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """One of the other routes."""
        async with httpx.AsyncClient() as client:
            return await client.get(f"{self.url}{path}", headers=headers)

    async def ended(self, run_id: str, actor: Actor = LOCAL) -> TurnView:
        """A run once it is over and stored."""
        views = [view async for view in self.chat.watch(actor, run_id, every_s=0)]
        return views[-1]

    def sent(self, model: str) -> list[list[dict[str, Any]]]:
        """The messages of each call to a model."""
        return [request.messages for request in self.server.requests_for(model)]


async def complete(client: AsyncOpenAI, **asked: Any) -> Any:
    """A completion by OpenAI's own client, in whose types "moa" and its kin are not."""
    create: Any = client.chat.completions.create
    return await create(**{"model": "moa/duo", "messages": HI, **asked})


@asynccontextmanager
async def running(folder: Path, *, local: bool = True, hops: int = 0) -> AsyncIterator[Api]:
    """The API, served as the app serves it."""
    clock, bound = ManualClock(), take_port("127.0.0.1", 0)
    async with ProviderServer() as server:
        provider = OpenAICompatibleProvider("test", base_url=server.base_url, key="sk-test")
        directory = LoopbackDirectory(provider)
        directory.models.update(MODELS)
        engine, store = Engine(directory, clock=clock), open_store("", folder)
        chat = ChatService(engine, store, titles=Titles(engine, store))
        web = build_web(
            WebOptions(folder, ("127.0.0.1",), proxy_hops=hops),
            identify=Identity(single_owner=local),
            routers=[completion_routes(chat.answering, Callers(store, LOCAL if local else None), _offering(), clock)],
        )
        started = asyncio.Event()
        serving = Server(web, started=started.set, drain=partial(chat.drain, 0.0))
        task = asyncio.create_task(serving.serve(sockets=[bound]))
        await started.wait()
        try:
            yield Api(f"{address_of(bound)}/v1", server, store, chat, clock)
        finally:
            serving.should_exit = True
            await task
            bound.close()
            await provider.aclose()
            await store.aclose()


def _offering() -> Offering:
    recipe_for = partial(requested_recipe, CATALOGUE, MODELS.__contains__)
    return Offering(CATALOGUE.recipes, _models, lambda model: MODELS[model].label, recipe_for)


def _models() -> Sequence[Choice]:
    return [Choice(model, needs="OTHER_KEY" if model == "test/spare" else None) for model in MODELS]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """The API of a machine's owner."""
    async with running(tmp_path) as made:
        yield made


@pytest.fixture
async def hosted(tmp_path: Path) -> AsyncIterator[Api]:
    """The API where everyone needs a token."""
    async with running(tmp_path, local=False) as made:
        yield made
