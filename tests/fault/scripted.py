"""A provider and a store without sockets, files or threads, whose n-th step goes wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

from moa.chat.runs import Store
from moa.chat.values import (
    Actor,
    ConversationRecord,
    NewTurn,
    RunRecord,
    SavedCall,
    TurnRecord,
)
from moa.core.domain import Agent, LeftOut, Message, Model, Outcome, Price, Recipe, RunResult, Slot, Status, Usage
from moa.core.errors import NotFound
from moa.core.policy import Policy
from moa.engine.ports import CallRequest, Endpoint, Piece

ANNA = Actor("anna")
_NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_TOKEN = re.compile(r"attempt-\d+")

Fault = Callable[[], BaseException | None]


class Trap:
    """Counts steps; the ``at``-th does what ``fault`` says: raises what it returns, or hangs when it returns None."""

    def __init__(self, at: int = 0, fault: Fault | None = None) -> None:
        self.at, self.fault = at, fault
        self.steps = 0

    @property
    def sprung(self) -> bool:
        """Whether the step was reached."""
        return 0 < self.at <= self.steps

    async def step(self) -> None:
        """One step, in which every other task may run."""
        await asyncio.sleep(0)
        self.steps += 1
        if self.steps == self.at and self.fault is not None:
            error = self.fault()
            if error is None:
                await asyncio.get_running_loop().create_future()
            else:
                raise error


class ScriptedProvider:
    """Each call takes six steps: its opening, thoughts, two texts, the finish, the end of the stream.

    Each attempt's text holds a word of its own, so that a prompt with the text of an attempt that failed is found
    out: it raises AssertionError from ``check``.
    """

    name = "scripted"

    def __init__(self, trap: Trap) -> None:
        self.trap = trap
        self.calls: list[CallRequest] = []
        self.open = 0
        self._whole: set[str] = set()
        self._quoted: set[str] = set()

    @asynccontextmanager
    async def stream(self, request: CallRequest) -> AsyncIterator[AsyncIterator[Piece]]:
        """See the port."""
        self.calls.append(request)
        self._quoted |= {word for message in request.messages for word in _TOKEN.findall(message.text)}
        self.open += 1
        try:
            await self.trap.step()
            yield _Stream(self, f"attempt-{len(self.calls)}")
        finally:
            self.open -= 1

    async def list_models(self) -> tuple[Model, ...]:
        """None."""
        return ()

    async def aclose(self) -> None:
        """Nothing is held."""

    def finished(self, word: str) -> None:
        """An attempt came to its end."""
        self._whole.add(word)

    def check(self) -> None:
        """Nothing is open, and prompts held only what was whole."""
        assert self.open == 0
        assert self._quoted <= self._whole


class _Stream:
    def __init__(self, provider: ScriptedProvider, word: str) -> None:
        self._provider, self._word = provider, word
        finish = Piece(finish="stop", usage=Usage(3, 4))
        self._pieces = [Piece(reasoning="Hm."), Piece("I am "), Piece(f"{word} whole."), finish]

    def __aiter__(self) -> _Stream:
        return self

    async def __anext__(self) -> Piece:
        await self._provider.trap.step()
        if not self._pieces:
            raise StopAsyncIteration
        piece = self._pieces.pop(0)
        if piece.finish:
            self._provider.finished(self._word)
        return piece


class ScriptedDirectory:
    """Leads every id to the scripted provider; each model has a price."""

    def __init__(self, provider: ScriptedProvider, policy: Policy = Policy()) -> None:
        self._provider, self._policy = provider, policy

    def endpoint(self, model_id: str) -> Endpoint:
        """See the port."""
        model = Model(model_id, "scripted", model_id, model_id, price=Price(1_000_000, 1_000_000))
        return Endpoint(model, self._provider, self._policy)


class MemoryStore:
    """One user's turns in memory, with the part of the service's store that asking needs. Writing takes a step
    before and one after: failing there, it has committed what its caller does not know of."""

    def __init__(self, trap: Trap) -> None:
        self.trap = trap
        self.ends = 0
        self.turns: dict[str, TurnRecord] = {}
        self.store = cast("Store", self)
        self.saved: dict[str, dict[Slot, SavedCall]] = {}
        self.growing: dict[str, Mapping[Slot, str]] = {}

    async def begin_turn(self, actor: Actor, new: NewTurn) -> tuple[TurnRecord, bool]:
        """See the port."""
        await self.trap.step()
        found = self.turns.get(new.request_key)
        if found is None:
            key = new.request_key
            run = RunRecord(f"run-{key}", key, 1, new.recipe, new.seed, Status.RUNNING, _NOW)
            found = self.turns[key] = TurnRecord(key, f"chat-{key}", None, 1, new.question, _NOW, (run,), run.id)
            self.saved[run.id] = {}
            await self.trap.step()
            return found, True
        await self.trap.step()
        return found, False

    async def begin_run(
        self, actor: Actor, turn_id: str, recipe: Recipe, *, seed: int, request_key: str,
        reuse: Mapping[Slot, Outcome] | None = None, column: int = 1,
    ) -> tuple[RunRecord, bool]:  # fmt: skip
        """See the port."""
        await self.trap.step()
        turn = self.turns[turn_id]
        run = RunRecord(f"run-{request_key}", turn_id, len(turn.runs) + 1, recipe, seed, Status.RUNNING, _NOW)
        self.turns[turn_id] = replace(turn, runs=(*turn.runs, run), shown_run_id=run.id)
        self.saved[run.id] = {}
        await self.trap.step()
        return run, True

    async def begin_call(
        self, actor: Actor, run_id: str, slot: Slot, agent: Agent, messages: Sequence[Message], left_out: LeftOut
    ) -> None:
        """See the port."""
        await self.trap.step()

    async def save_call(self, actor: Actor, run_id: str, call: SavedCall) -> None:
        """See the port."""
        await self.trap.step()
        self.saved[run_id][call.slot] = call
        await self.trap.step()

    async def checkpoint(self, actor: Actor, run_id: str, growing: Mapping[Slot, str]) -> bool:
        """See the port."""
        await self.trap.step()
        self.growing[run_id] = growing
        return False

    async def end_run(self, actor: Actor, run_id: str, result: RunResult) -> None:
        """See the port."""
        await self.trap.step()
        self.ends += 1
        turn = await self.load_turn_of_run(actor, run_id)
        outcomes = tuple(call.outcome for _, call in sorted(self.saved[run_id].items()))
        runs = tuple(
            replace(run, status=result.status, result=result, outcomes=outcomes) if run.id == run_id else run
            for run in turn.runs
        )
        self.turns[turn.id] = replace(turn, runs=runs)
        await self.trap.step()

    async def load_turn(self, actor: Actor, turn_id: str) -> TurnRecord:
        """See the port."""
        await asyncio.sleep(0)
        if turn_id not in self.turns:
            raise NotFound("question")
        return self.turns[turn_id]

    async def load_turn_of_run(self, actor: Actor, run_id: str) -> TurnRecord:
        """See the port."""
        await asyncio.sleep(0)
        return next(turn for turn in self.turns.values() if run_id in {run.id for run in turn.runs})

    async def load_conversation(self, actor: Actor, conversation_id: str) -> ConversationRecord:
        """See the port."""
        await asyncio.sleep(0)
        turns = tuple(turn for turn in self.turns.values() if turn.conversation_id == conversation_id)
        return ConversationRecord(conversation_id, "Chat", turns[-1].id, turns)
