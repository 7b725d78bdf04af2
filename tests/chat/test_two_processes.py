"""Two processes on one database: what runs in one is seen, stopped and mended from the other."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from moa.chat.ports import STALE_S
from moa.chat.service import ChatService
from moa.chat.values import Actor, NewTurn, SavedCall, Started, TurnRecord, TurnView
from moa.core.domain import Agent, LeftOut, Message, Part, Proposal, Recipe, Slot, Status
from moa.core.errors import Busy, NotFound, StoreBusy
from moa.core.view import Panel, PanelStatus
from moa.engine.engine import Engine
from moa.providers.openai_compatible import OpenAICompatibleProvider
from storage import SqlStore, open_store
from tests.chat.conftest import ANNA, BEN, MIXTURE, Places, mixture
from tests.support.clock import ManualClock
from tests.support.gates import Watched
from tests.support.processes import ELSEWHERE
from tests.support.server import Answer, Gate, HttpError, ProviderServer

T = TypeVar("T")
WRITER = Slot(2, 1)
BUSY = "The database is locked by another program."


class Counted(SqlStore):
    """A store that tells of what it has written, refuses when told to, and whose clock may be ahead."""

    def __init__(self, inner: SqlStore) -> None:
        super().__init__(inner.database, now=self.time, process=inner._process)
        self.checkpoints, self.calls = Watched(), Watched()
        self.refuses = False
        self.refuses_to_recover = 0
        self.ahead = dt.timedelta()

    def time(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    async def checkpoint(self, actor: Actor, run_id: str, growing: Mapping[Slot, str]) -> bool:
        stop = await super().checkpoint(actor, run_id, growing)
        self.checkpoints.add()
        return stop

    async def begin_call(
        self, actor: Actor, run_id: str, slot: Slot, agent: Agent, messages: Sequence[Message], left_out: LeftOut
    ) -> None:
        await super().begin_call(actor, run_id, slot, agent, messages, left_out)
        self.calls.add()

    async def save_call(self, actor: Actor, run_id: str, call: SavedCall) -> None:
        await super().save_call(actor, run_id, call)
        self.calls.add()

    async def load_turn_of_run(self, actor: Actor, run_id: str) -> TurnRecord:
        if self.refuses:
            raise StoreBusy(BUSY)
        return await super().load_turn_of_run(actor, run_id)

    async def recover(self, *, stale_s: float = STALE_S, alive: Collection[str] = ()) -> int:
        if self.refuses_to_recover:
            self.refuses_to_recover -= 1
            raise StoreBusy(BUSY)
        return await super().recover(stale_s=stale_s, alive=alive)


@dataclass
class Pair:
    """The app twice: ``a`` begins runs, ``b`` looks on. Both have one clock, which the test moves."""

    server: ProviderServer
    clock: ManualClock
    at: Counted
    store: Counted
    a: ChatService
    b: ChatService

    async def ask(self, recipe: Recipe = MIXTURE) -> Started:
        return await self.a.send(ANNA, question="Why?", recipe=recipe, request_key="key-0001")

    async def shown_here(self, run_id: str, slot: Slot, text: str) -> TurnView:
        """The view in the process that runs it, once a slot has this text."""
        async for view in self.a.watch(ANNA, run_id, every_s=0):
            panel = view.view.panels.get(slot)
            if panel is not None and panel.text == text:
                return view
        raise AssertionError("the run is over")

    async def passing(self, what: Coroutine[Any, Any, T]) -> T:
        """Let time go on whenever something sleeps, until this is done."""
        task = asyncio.create_task(what)
        while not task.done():
            asleep = asyncio.create_task(self.clock.sleeping())
            await asyncio.wait([task, asleep], return_when=asyncio.FIRST_COMPLETED)
            asleep.cancel()
            self.clock.advance(0.5)
        return await task

    async def checkpointed(self) -> None:
        """Move on by the time in which a checkpoint falls due, and wait until it is stored."""
        before = self.at.checkpoints.value
        self.clock.advance(0.5)
        await self.at.checkpoints.until(lambda n: n > before)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with ProviderServer() as server:
        provider = OpenAICompatibleProvider("mock", base_url=server.base_url, key="sk-test")
        clock = ManualClock()
        stores = [Counted(open_store("", tmp_path, process=process)) for process in (ELSEWHERE, None)]
        a, b = (ChatService(Engine(Places(provider), clock=clock), store) for store in stores)
        yield Pair(server, clock, stores[0], stores[1], a, b)
        await a.drain(0)
        await b.drain(0)
        await provider.aclose()
        for store in stores:
            await store.aclose()


async def next_of(watch: AsyncIterator[TurnView]) -> TurnView:
    return await anext(watch)


async def last_of(watch: AsyncIterator[TurnView]) -> TurnView:
    return [view async for view in watch][-1]


def untimed(panel: Panel) -> tuple[object, ...]:
    return panel.slot, panel.agent, panel.status, panel.text, panel.outcome


async def test_a_run_is_seen_live_from_another_process_within_a_second(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("a", Answer(chunks=("one", " two", " three"), gate=gate, hold=(1, 2)))
    started = await pair.ask()
    await pair.shown_here(started.run_id, Slot(1, 1), "one")
    await pair.at.calls.until(lambda n: n == 3 + 2)  # the two others have answered
    await pair.checkpointed()
    watch = pair.b.watch(ANNA, started.run_id)
    assert (await anext(watch)).view.panels[Slot(1, 1)].text == "one"
    gate.let()
    here = await pair.shown_here(started.run_id, Slot(1, 1), "one two")
    arrived_at = pair.clock.now()
    await pair.checkpointed()  # at worst the text came right after one …
    following = asyncio.create_task(next_of(watch))
    await pair.clock.sleeping()
    pair.clock.advance(0.4)  # … and it was looked for right before the next
    there = await following
    assert pair.clock.now() - arrived_at < 1
    assert there.live
    assert {s: untimed(p) for s, p in there.view.panels.items()} == {
        s: untimed(p) for s, p in here.view.panels.items()
    }  # fmt: skip
    gate.open()
    assert (await anext(pair.a.watch(ANNA, started.run_id))).live


async def test_each_column_is_followed_and_stopped_from_another_process_also_one_that_waits_for_anothers_call(
    pair: Pair,
) -> None:
    gate = Gate()
    pair.server.script("a", Answer(chunks=("one", " two"), gate=gate, hold=(1,)))
    alone = Recipe("alone", "A alone", (), Agent("a", Part.AGGREGATOR))
    started = await pair.a.compare(ANNA, question="Why?", recipes=(MIXTURE, alone), request_key="key-0001", reuse=True)
    [borrower] = started.columns
    await pair.shown_here(started.run_id, Slot(1, 1), "one")
    watch = pair.b.watch(ANNA, borrower)
    seen = await anext(watch)
    assert (seen.run_id, seen.column, seen.live) == (borrower, 2, True)
    with pytest.raises(Busy):
        await pair.b.answer_now(ANNA, borrower)
    await pair.passing(pair.b.stop(ANNA, borrower))
    assert (await pair.passing(last_of(watch))).view.status is Status.CANCELLED
    turn = await pair.b.turn(ANNA, started.turn_id)
    assert (turn.live, turn.columns[0].live) == (True, False)
    assert len(pair.server.requests_for("a")) == 1
    gate.open()


async def test_what_is_called_and_says_nothing_yet_runs_and_what_comes_later_waits(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("a", Answer("never", head_gate=gate))
    started = await pair.ask()
    await pair.at.calls.until(lambda n: n == 3 + 2)
    panels = (await pair.b.turn(ANNA, started.turn_id)).view.panels
    found = [panels[slot].status for slot in (Slot(1, 1), WRITER)]
    assert found == [PanelStatus.RUNNING, PanelStatus.WAITING]
    gate.open()


async def test_a_fallback_that_writes_is_shown_with_its_own_model(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("agg", HttpError(500, "broken"))
    pair.server.script("spare", Answer(chunks=("half", " whole"), gate=gate, hold=(1,)))
    single = mixture()
    spare = Recipe(single.id, single.title, (), single.aggregator, (Agent("spare", Part.AGGREGATOR),))
    started = await pair.ask(spare)
    await pair.shown_here(started.run_id, Slot(1, 2), "half")
    await pair.checkpointed()
    answer = (await pair.b.turn(ANNA, started.turn_id)).view.answer()
    assert answer is not None
    assert (answer.agent.model, answer.text, answer.status) == ("spare", "half", PanelStatus.RUNNING)
    gate.open()


async def test_a_checkpoint_comes_in_time_however_often_slots_end(pair: Pair) -> None:
    gates = {name: Gate() for name in "abc"}
    for name, gate in gates.items():
        pair.server.script(name, Answer(chunks=("one", " two"), gate=gate, hold=(1,)))
    started = await pair.ask()
    for position in (1, 2, 3):
        await pair.shown_here(started.run_id, Slot(1, position), "one")
    for position, name in enumerate("ab", start=1):
        pair.clock.advance(0.3)
        gates[name].open()
        await pair.shown_here(started.run_id, Slot(1, position), "one two")
    await pair.at.checkpoints.until(lambda n: n >= 1)
    assert (await pair.b.turn(ANNA, started.turn_id)).view.panels[Slot(1, 3)].text == "one"
    gates["c"].open()


async def test_texts_that_have_not_grown_are_not_written_again(pair: Pair) -> None:
    gate, written = Gate(), []
    pair.server.script("agg", Answer(chunks=("half", " whole"), gate=gate, hold=(1,)))
    inner = pair.at.checkpoint

    async def noted(actor: Actor, run_id: str, growing: Mapping[Slot, str]) -> bool:
        written.append(dict(growing))
        return await inner(actor, run_id, growing)

    pair.at.checkpoint = noted  # type: ignore[method-assign]
    started = await pair.ask(mixture())
    await pair.shown_here(started.run_id, Slot(1, 1), "half")
    await pair.checkpointed()
    await pair.checkpointed()
    assert written == [{Slot(1, 1): "half"}, {}]
    gate.open()


async def test_a_follower_outlasts_a_store_that_refuses_for_a_while(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("agg", Answer(chunks=("half", " whole"), gate=gate, hold=(1,)))
    started = await pair.ask(mixture())
    await pair.shown_here(started.run_id, Slot(1, 1), "half")
    watch = pair.b.watch(ANNA, started.run_id)
    first = await anext(watch)
    pair.store.refuses = True
    again = asyncio.create_task(next_of(watch))
    await pair.clock.sleeping()
    pair.clock.advance(0.4)
    assert await again == first
    with pytest.raises(StoreBusy):
        await anext(pair.b.watch(ANNA, started.run_id))
    gate.open()


# -- stopping and mending from elsewhere


async def test_a_stop_from_another_process_returns_once_the_end_is_stored(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("agg", Answer(chunks=("half", " whole"), gate=gate, hold=(1,)))
    started = await pair.ask(mixture())
    await pair.shown_here(started.run_id, Slot(1, 1), "half")
    await pair.passing(pair.b.stop(ANNA, started.run_id))
    await pair.server.idle()
    stored = await pair.b.turn(ANNA, started.turn_id)
    assert (stored.view.status, stored.view.result.answer) == (Status.CANCELLED, "half")  # type: ignore[union-attr]
    await pair.b.stop(ANNA, started.run_id)
    with pytest.raises(NotFound):
        await pair.b.stop(BEN, started.run_id)


async def test_what_only_the_runs_own_process_can_do_is_refused_elsewhere(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("agg", Answer("never", gate=gate))
    started = await pair.ask(mixture())
    await gate.arrived()
    with pytest.raises(Busy, match="stopped as a whole"):
        await pair.b.stop_slot(ANNA, started.run_id, Slot(1, 1))
    with pytest.raises(Busy, match="stopped as a whole"):
        await pair.b.answer_now(ANNA, started.run_id)
    with pytest.raises(NotFound):
        await pair.b.answer_now(BEN, started.run_id)
    for attempt in (
        pair.b.regenerate(ANNA, started.turn_id, recipe=MIXTURE, request_key="key-0002"),
        pair.b.resume(ANNA, started.turn_id, request_key="key-0003"),
        pair.b.edit(ANNA, started.turn_id, question="What?", recipe=MIXTURE, request_key="key-0004"),
    ):
        with pytest.raises(Busy, match="stop it first"):
            await attempt
    gate.open()
    async for _ in pair.a.watch(ANNA, started.run_id, every_s=0):
        pass
    await pair.b.answer_now(ANNA, started.run_id)  # it is over: nothing to hurry
    assert len(pair.server.requests) == 1


async def test_F26_a_run_that_died_elsewhere_is_seen_to_and_resume_calls_only_what_is_missing(pair: Pair) -> None:
    new = NewTurn("Why?", MIXTURE, 7, "key-0001")
    turn, _ = await pair.at.begin_turn(ANNA, new)  # its process dies after two proposals and a half
    for slot in (Slot(1, 1), Slot(1, 2)):
        done = Proposal(slot, MIXTURE.layers[0].agents[slot.position - 1], "Before.")
        await pair.at.save_call(ANNA, turn.shown_run_id, SavedCall(slot, done.agent, (), LeftOut(), done))
    await pair.at.checkpoint(ANNA, turn.shown_run_id, {Slot(1, 3): "half"})
    watch = pair.b.watch(ANNA, turn.shown_run_id)
    sweeping = asyncio.create_task(pair.b.sweep())
    assert (await anext(watch)).live
    pair.store.refuses_to_recover = 1
    pair.store.ahead = dt.timedelta(seconds=10)
    last = await pair.passing(last_of(watch))
    assert (last.live, last.view.status) == (False, Status.INTERRUPTED)
    assert last.view.panels[Slot(1, 3)].text == "half"
    started = await pair.b.resume(ANNA, turn.id, request_key="key-0002")
    again = await last_of(pair.b.watch(ANNA, started.run_id, every_s=0))
    assert again.view.status is Status.COMPLETE
    assert sorted(request.model for request in pair.server.requests) == ["agg", "c"]
    assert len(again.attempts) == 2
    sweeping.cancel()


async def test_a_run_whose_store_was_locked_long_is_not_taken_for_dead_by_its_own_process(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("agg", Answer("At last.", gate=gate))
    started = await pair.ask(mixture())
    await gate.arrived()
    pair.at.ahead = dt.timedelta(hours=1)  # as if the last heartbeat were so old
    sweeping = asyncio.create_task(pair.a.sweep())
    await pair.clock.sleeping()
    assert (await pair.b.turn(ANNA, started.turn_id)).live
    sweeping.cancel()
    gate.open()
    assert (await last_of(pair.a.watch(ANNA, started.run_id, every_s=0))).view.status is Status.COMPLETE


async def test_F22_a_process_that_wakes_up_goes_on_with_the_run_it_lost(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("agg", Answer(chunks=("half", " whole"), gate=gate, hold=(1,)))
    started = await pair.ask(mixture())
    await pair.shown_here(started.run_id, Slot(1, 1), "half")
    pair.store.ahead = dt.timedelta(hours=1)
    assert await pair.store.recover() == 1
    assert (await pair.b.turn(ANNA, started.turn_id)).view.status is Status.INTERRUPTED
    await pair.checkpointed()
    there = await pair.b.turn(ANNA, started.turn_id)
    assert (there.live, there.view.panels[Slot(1, 1)].text) == (True, "half")
    gate.open()
    ended = await last_of(pair.a.watch(ANNA, started.run_id, every_s=0))
    assert (await pair.b.turn(ANNA, started.turn_id)).view.result == ended.view.result


async def test_a_process_that_wakes_up_stops_a_run_that_was_resumed_meanwhile(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("agg", Answer(chunks=("half", " whole"), gate=gate, hold=(1,)), Answer("Resumed."))
    started = await pair.ask(mixture())
    await pair.shown_here(started.run_id, Slot(1, 1), "half")
    pair.store.ahead = dt.timedelta(hours=1)
    again = await pair.b.resume(ANNA, started.turn_id, request_key="key-0002")
    await pair.checkpointed()
    lost = await last_of(pair.a.watch(ANNA, started.run_id, every_s=0))
    assert (lost.view.status, lost.view.result.answer) == (Status.CANCELLED, "half")  # type: ignore[union-attr]
    await last_of(pair.b.watch(ANNA, again.run_id, every_s=0))
    found = await pair.store.load_turn(ANNA, started.turn_id)
    assert [run.status for run in found.runs] == [Status.CANCELLED, Status.COMPLETE]
    assert found.shown_run_id == again.run_id
    gate.open()


async def test_a_conversation_that_is_deleted_elsewhere_ends_its_run(pair: Pair) -> None:
    gate = Gate()
    pair.server.script("agg", Answer("never", gate=gate))
    started = await pair.ask(mixture())
    await gate.arrived()
    await pair.b.library.delete(ANNA, started.conversation_id)
    watch = pair.a.watch(ANNA, started.run_id, every_s=0)
    await pair.checkpointed()
    assert (await last_of(watch)).view.status is Status.CANCELLED
    await pair.server.idle()
