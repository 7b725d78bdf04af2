"""A service on a real store and a real loopback provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from moa.chat.runs import Store
from moa.chat.service import ChatService
from moa.chat.values import Actor, TurnView
from moa.core.domain import Agent, Layer, Model, Part, PromptStyle, Recipe
from moa.core.policy import Policy, Retries
from moa.engine.engine import Engine
from moa.engine.ports import Endpoint
from moa.providers.openai_compatible import OpenAICompatibleProvider
from storage import SqlStore, open_store
from tests.support.server import ProviderServer

ANNA = Actor("anna")
BEN = Actor("ben")


class Places:
    """Every model id leads to the loopback server, where its name is its wire name."""

    def __init__(self, provider: OpenAICompatibleProvider) -> None:
        self._provider = provider

    def endpoint(self, model_id: str) -> Endpoint:
        return Endpoint(Model(model_id, "mock", model_id, model_id.upper()), self._provider, POLICY)


POLICY = Policy(retries=Retries(attempts=1))


def mixture(*proposers: str) -> Recipe:
    """Two layers, ``agg`` last, in the paper's prompt style."""
    layers = (Layer(tuple(Agent(name) for name in proposers)),) if proposers else ()
    return Recipe("test", "Test", layers, Agent("agg", Part.AGGREGATOR), prompt_style=PromptStyle.PAPER)


MIXTURE = mixture("a", "b", "c")
SINGLE = mixture()


@dataclass
class World:
    """What a test plays with."""

    server: ProviderServer
    engine: Engine
    store: SqlStore
    chat: ChatService

    def with_store(self, store: Store) -> ChatService:
        """Another service on the same engine, with a store of the test's."""
        return ChatService(self.engine, store)

    async def ask(self, question: str, conversation: str | None = None, key: str = "key-0001") -> TurnView:
        """Send, and wait for the end."""
        started = await self.chat.send(
            ANNA, question=question, recipe=MIXTURE, request_key=key, conversation_id=conversation,
            expected_head=await self.head(conversation),
        )  # fmt: skip
        return (await views(self.chat, started.run_id))[-1]

    async def head(self, conversation: str | None) -> str | None:
        return (await self.chat.open(ANNA, conversation)).head if conversation else None


async def views(chat: ChatService, run_id: str, actor: Actor = ANNA) -> list[TurnView]:
    """Every view until the run has ended."""
    return [view async for view in chat.watch(actor, run_id, every_s=0)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with ProviderServer() as server:
        provider = OpenAICompatibleProvider("mock", base_url=server.base_url, key="sk-test")
        engine = Engine(Places(provider))
        store = open_store("", tmp_path)
        yield World(server, engine, store, ChatService(engine, store))
        await provider.aclose()
        await store.aclose()
