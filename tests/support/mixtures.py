"""Mixtures against the loopback server: the real engine, the real provider class, a clock that the test moves.

    async with stage() as at:
        at.server.script("bad", HttpError(400))
        events, result = await at.run(recipe("good", "bad"), ask("Why?"))
        at.server.requests_for("agg")[0].messages

A model's id is its wire name: the server answers "Hello from <model>." unless told otherwise. Calls are made once
(``ONCE``) unless a policy with retries is given.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from moa.core.domain import (
    Agent,
    FailureKind,
    Layer,
    Message,
    Model,
    Outcome,
    Part,
    PromptStyle,
    Recipe,
    Role,
    RunResult,
    Slot,
)
from moa.core.errors import FinalCall
from moa.core.events import Event
from moa.core.policy import Caps, Policy, Retries
from moa.engine.engine import Engine
from moa.engine.ports import Endpoint
from moa.engine.run import Run
from moa.providers.openai_compatible import OpenAICompatibleProvider
from tests.support.clock import ManualClock
from tests.support.server import ProviderServer

KEY = "sk-test-0123456789abcdef"
SEED = 7
E = TypeVar("E")
ONCE = Policy(retries=Retries(attempts=1))


class LoopbackDirectory:
    """Leads every model id to the server, but those in ``unknown``. ``models`` and ``policies`` hold exceptions."""

    def __init__(self, provider: OpenAICompatibleProvider, policy: Policy = ONCE) -> None:
        self.provider = provider
        self.policy = policy
        self.models: dict[str, Model] = {}
        self.policies: dict[str, Policy] = {}
        self.unknown: set[str] = set()

    def endpoint(self, model_id: str) -> Endpoint:
        """See ``moa.engine.ports.Directory``."""
        if model_id in self.unknown:
            raise FinalCall(FailureKind.UNKNOWN_MODEL)
        model = self.models.get(model_id) or Model(model_id, "test", model_id, model_id.upper())
        return Endpoint(model, self.provider, self.policies.get(model_id, self.policy))


@dataclass(slots=True)
class Stage:
    """A server, an engine that calls it, and the clock that they share."""

    server: ProviderServer
    directory: LoopbackDirectory
    clock: ManualClock
    engine: Engine

    async def run(
        self, recipe: Recipe, conversation: Sequence[Message], *, reuse: Mapping[Slot, Outcome] | None = None
    ) -> tuple[list[Event], RunResult]:
        """A whole run, with its events."""
        async with self.engine.run(recipe, conversation, reuse=reuse, seed=SEED) as running:
            events = [event async for event in running]
        assert running.result is not None
        return events, running.result


@asynccontextmanager
async def stage(policy: Policy = ONCE, *, caps: Caps = Caps()) -> AsyncIterator[Stage]:
    """A stage in the running loop. At its end nothing may be left: no request, no socket, no timer."""
    async with ProviderServer() as server:
        provider = OpenAICompatibleProvider("test", base_url=server.base_url, key=KEY)
        directory, clock = LoopbackDirectory(provider, policy), ManualClock()
        try:
            yield Stage(server, directory, clock, Engine(directory, clock=clock, caps=caps, seed=SEED))
        finally:
            await provider.aclose()
        await server.closed()
        assert clock.pending == 0


def recipe(
    *proposers: str | Agent, layers: int = 2, aggregator: str | Agent = "agg", fallbacks: Sequence[str] = (),
    style: PromptStyle = PromptStyle.PAPER, layer: Mapping[str, Any] | None = None, **fields: Any,
) -> Recipe:  # fmt: skip
    """The same proposers in each layer but the last. ``layer`` holds quorum, grace and deadline of each."""
    agents = tuple(Agent(p) if isinstance(p, str) else p for p in proposers)
    last = Agent(aggregator, Part.AGGREGATOR) if isinstance(aggregator, str) else aggregator
    rows = (Layer(agents, **(layer or {})),) * (layers - 1) if agents else ()
    return Recipe(
        "test", "Test", rows, last, tuple(Agent(f, Part.AGGREGATOR) for f in fallbacks), prompt_style=style, **fields
    )


def ask(question: str = "Why is the sky blue?", *turns: tuple[str, str]) -> tuple[Message, ...]:
    """A question after earlier turns, each a question and its answer."""
    said = [Message(role, text) for turn in turns for role, text in zip((Role.USER, Role.ASSISTANT), turn, strict=True)]
    return (*said, Message(Role.USER, question))


def of_type(events: Sequence[Event], kind: type[E]) -> list[E]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


async def until(running: Run, kind: type[E], slot: str | None = None) -> list[Event]:
    """The run's next events, up to the first of this kind (of this slot, if one is named)."""
    events: list[Event] = []
    async for event in running:
        events.append(event)
        if isinstance(event, kind) and (slot is None or str(getattr(event, "slot", None)) == slot):
            return events
    raise AssertionError(f"the run ended without {kind.__name__} {slot or ''}")


async def rest(running: Run) -> tuple[list[Event], RunResult]:
    """What is left of a run, and its result."""
    events = [event async for event in running]
    assert running.result is not None
    return events, running.result
