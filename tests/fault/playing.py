"""Runs under way against the loopback server: read up to an event, move the clock, read on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from moa.core.domain import Recipe, RunResult, Slot
from moa.core.events import AgentFinished, Event, TextDelta
from moa.core.policy import Policy, Retries
from moa.core.view import fold_all
from moa.engine.run import Run
from tests.fault.laws import check_laws
from tests.support.mixtures import SEED, Stage, ask

AGAIN = Policy(retries=Retries(first_wait_s=0))
"""Three attempts without a pause: for tests that are not about the pause."""


class Playing:
    """A run under way, with the events read so far."""

    def __init__(self, at: Stage, run: Run) -> None:
        self.at, self.run = at, run
        self.events: list[Event] = []

    async def until(self, wanted: Callable[[Event], bool]) -> Event:
        """Read up to the first event that is wanted."""
        async for event in self.run:
            self.events.append(event)
            if wanted(event):
                return event
        raise AssertionError("the run ended before that")

    async def said(self, slot: Slot, text: str) -> None:
        """Read until a slot's text, as it stands, ends with ``text``."""
        while not self._text(slot).endswith(text):
            await self.until(lambda e: isinstance(e, TextDelta) and e.slot == slot)

    async def finished(self, *slots: Slot) -> None:
        """Read until these slots have their texts, in any order."""
        open_slots = set(slots) - {e.slot for e in self.events if isinstance(e, AgentFinished)}
        while open_slots:
            event = await self.until(lambda e: isinstance(e, AgentFinished))
            assert isinstance(event, AgentFinished)
            open_slots.discard(event.slot)

    async def rest(self) -> RunResult:
        """Read to the end and check the laws."""
        self.events += [event async for event in self.run]
        return check_laws(self.events)

    def _text(self, slot: Slot) -> str:
        panel = fold_all(self.events).panels.get(slot)
        return panel.text if panel else ""

    async def turned(self) -> None:
        """Let everything that can be done be done: a whole request to the server and back takes many turns of the
        loop."""
        await self.at.directory.provider.list_models()


@asynccontextmanager
async def play(at: Stage, recipe: Recipe, question: str = "Why is the sky blue?") -> AsyncIterator[Playing]:
    """A run of ``recipe``."""
    async with at.engine.run(recipe, ask(question), seed=SEED) as run:
        yield Playing(at, run)


async def played(at: Stage, recipe: Recipe, question: str = "Why is the sky blue?") -> tuple[list[Event], RunResult]:
    """A whole run, its laws checked; afterwards the server answers nothing any more."""
    async with play(at, recipe, question) as playing:
        result = await playing.rest()
    await at.server.idle()
    return playing.events, result


def reasons(result: RunResult) -> list[tuple[str, str]]:
    """What is missing, as the page says it: (slot, why)."""
    return [(str(missing.slot), missing.why) for missing in result.degraded_because]


def kinds(events: Sequence[Event]) -> list[str]:
    """The types of events, by name."""
    return [type(event).__name__ for event in events]
