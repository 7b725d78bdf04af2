"""The chat service above the loopback server: a real store on disk, a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from moa.chat.service import ChatService
from moa.chat.values import Actor, Started, TurnView
from moa.core.domain import Recipe
from moa.core.policy import Caps, Policy
from storage import SqlStore, open_store
from tests.support.mixtures import ONCE, Stage, stage

ANNA = Actor("anna")


@dataclass(slots=True)
class Room:
    """A service with everything below it."""

    at: Stage
    store: SqlStore
    chat: ChatService

    async def send(self, mixture: Recipe, question: str = "Why?", key: str = "key-0001") -> Started:
        """Anna asks."""
        return await self.chat.send(ANNA, question=question, recipe=mixture, request_key=key)

    async def views(self, started: Started) -> list[TurnView]:
        """Every view of a run until its end."""
        return [view async for view in self.chat.watch(ANNA, started.run_id, every_s=0)]

    async def stored(self, started: Started) -> TurnView:
        """The turn as somebody sees it who has only the database."""
        return await ChatService(self.at.engine, self.store).turn(ANNA, started.turn_id)


@asynccontextmanager
async def room(folder: Path, policy: Policy = ONCE, *, caps: Caps = Caps()) -> AsyncIterator[Room]:
    """A service in the running loop."""
    async with stage(policy, caps=caps) as at:
        store = open_store("", folder)
        chat = ChatService(at.engine, store)
        try:
            yield Room(at, store, chat)
        finally:
            await chat.drain(0)
            await store.aclose()
