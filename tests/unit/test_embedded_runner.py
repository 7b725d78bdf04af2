"""Starting, crashing, idling and making room, with processes and a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from moa.core.catalogue import Weights
from moa.core.domain import FailureKind, Message, Model, Role
from moa.core.errors import FinalCall
from moa.engine.ports import CallRequest, Piece
from moa.providers.embedded import EmbeddedProvider
from moa.providers.embedded_child import ChildSettings
from moa.providers.embedded_process import Crashed
from moa.providers.embedded_runner import Backoff
from moa.providers.weights import WeightStore
from tests.support import gguf
from tests.support.clock import ManualClock
from tests.support.gates import Gate

MB = 1_000_000
GB = 1000 * MB


class Child:
    """A ModelProcess that ends when the test says so."""

    def __init__(self, settings: ChildSettings) -> None:
        self.settings, self.address = settings, "http://127.0.0.1:1"
        self.ended = asyncio.Event()

    @property
    def running(self) -> bool:
        return not self.ended.is_set()

    async def wait(self) -> int:
        await self.ended.wait()
        return -9

    async def stop(self) -> None:
        self.ended.set()


class Machine:
    """Launches children, as often as the plan allows; memory is what they leave."""

    def __init__(self, memory: int | None = 100 * GB) -> None:
        self.memory = memory
        self.children: list[Child] = []
        self.plan: list[Exception] = []
        self.gate = Gate()
        self.gate.open()

    async def launch(self, settings: ChildSettings) -> Child:
        await self.gate.passage()
        if self.plan:
            raise self.plan.pop(0)
        self.children.append(Child(settings))
        return self.children[-1]

    def available(self) -> int | None:
        return self.memory

    def running(self) -> list[str]:
        return [child.settings.alias for child in self.children if child.running]


class Client:
    """A Provider that answers each call with its own address, as long as it is open."""

    name = "embedded"

    def __init__(self, base_url: str, api_key: str) -> None:
        self.base_url, self.api_key, self.closed = base_url, api_key, False

    @asynccontextmanager
    async def stream(self, request: CallRequest) -> AsyncIterator[AsyncIterator[Piece]]:
        assert not self.closed

        async def pieces() -> AsyncIterator[Piece]:
            yield Piece(text=request.model.wire_name, finish="stop")

        yield pieces()

    async def list_models(self) -> tuple[Model, ...]:
        return ()

    async def aclose(self) -> None:
        self.closed = True


def model(name: str) -> Model:
    return Model(f"embedded/{name}", "embedded", name, name.title())


Make = Callable[..., EmbeddedProvider]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Providers of models ``a``, ``b`` and ``c``, whose files have 500 MB each; closed at the end."""
    made: list[EmbeddedProvider] = []

    def build(machine: Machine, clock: ManualClock, names: Iterable[str] = "abc", **more: object) -> EmbeddedProvider:
        models = {m.id: m for m in map(model, names)}
        files = {m.id: gguf.write(tmp_path / f"{m.wire_name}.gguf", 500 * MB) for m in models.values()}
        weights = WeightStore(models, {i: Weights(file=str(f)) for i, f in files.items()}, tmp_path)
        arguments = {"launch": machine.launch, "available_memory": machine.available, "threads": 1, **more}
        made.append(EmbeddedProvider(models, weights, Client, clock, **arguments))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for provider in made:
        await provider.aclose()
    assert {task.get_name() for task in asyncio.all_tasks()} == {asyncio.current_task().get_name()}  # type: ignore[union-attr]


def request(name: str = "a") -> CallRequest:
    return CallRequest(model(name), (Message(Role.USER, "Hello"),))


async def ask(provider: EmbeddedProvider, name: str = "a") -> str:
    async with provider.stream(request(name)) as pieces:
        return "".join([piece.text async for piece in pieces])


async def until(provider: EmbeddedProvider, model_id: str, *states: str) -> None:
    while provider.status(model_id).state not in states:
        await provider.wait_change(provider.version)


async def test_a_model_starts_at_its_first_call_and_serves_the_next_ones(make: Make) -> None:
    machine = Machine()
    provider = make(machine, ManualClock())
    assert {s.state for s in provider.statuses().values()} == {"idle"}
    assert await ask(provider) == "a"
    assert await ask(provider) == "a"
    assert machine.running() == ["a"]
    assert provider.status("embedded/a").state == "ready"
    assert provider.status("embedded/b").state == "idle"


async def test_calls_that_come_while_it_loads_wait_and_load_it_once(make: Make) -> None:
    machine = Machine()
    machine.gate = Gate()
    provider = make(machine, ManualClock(), default="embedded/a")
    provider.start()
    calls = [asyncio.create_task(ask(provider)) for _ in range(3)]
    await machine.gate.arrived()
    assert provider.status("embedded/a").text == "Loading model"
    calls[0].cancel()  # Stop ends a call, not the loading
    machine.gate.open()
    assert await asyncio.gather(*calls[1:]) == ["a", "a"]
    assert len(machine.children) == 1
    assert calls[0].cancelled()


async def test_each_start_has_a_key_of_its_own_and_slots_of_4096_tokens(make: Make) -> None:
    machine, clock = Machine(), ManualClock()
    provider = make(machine, clock, slots=3)
    await ask(provider, "a")
    await ask(provider, "b")
    first, second = (child.settings for child in machine.children)
    assert first.context_tokens == 3 * 4096
    assert len(first.api_key) > 30
    assert first.api_key != second.api_key


def test_the_backoff_doubles_to_half_a_minute_and_gives_up() -> None:
    backoff = Backoff()
    assert [backoff.after(1.0) for _ in range(7)] == [0.5, 1, 2, 4, 8, 16, None]


def test_a_process_that_lived_long_starts_the_backoff_anew() -> None:
    backoff = Backoff()
    assert [backoff.after(s) for s in (1, 1, 60, 1)] == [0.5, 1, 0.5, 1]


async def test_a_crash_is_followed_by_a_pause_and_a_new_process(make: Make) -> None:
    machine, clock = Machine(), ManualClock()
    provider = make(machine, clock)
    await ask(provider)
    machine.children[0].ended.set()
    await clock.sleeping()
    assert provider.status("embedded/a").text == "The model stopped unexpectedly; it starts again in 0.5 s"
    call = asyncio.create_task(ask(provider))
    clock.jump()
    assert await call == "a"
    assert len(machine.children) == 2


async def test_too_many_quick_crashes_end_in_a_plain_refusal_and_a_rest(make: Make) -> None:
    machine, clock = Machine(), ManualClock()
    machine.plan = [Crashed("exit code -11 while loading") for _ in range(7)]
    provider = make(machine, clock)
    call = asyncio.create_task(ask(provider))
    for _ in range(6):
        await clock.sleeping()
        clock.jump()
        await provider.wait_change(provider.version)
    with pytest.raises(FinalCall, match="several times in a row") as caught:
        await call
    assert caught.value.kind is FailureKind.NOT_READY
    assert clock.slept == [0.5, 1, 2, 4, 8, 16]
    assert provider.status("embedded/a").state == "failed"
    with pytest.raises(FinalCall, match="several times in a row"):
        await ask(provider)
    clock.advance(60)
    assert await ask(provider) == "a"


async def test_a_load_that_can_not_work_fails_each_waiting_call_and_is_tried_again_by_the_next(make: Make) -> None:
    machine = Machine()
    machine.gate = Gate()
    machine.plan = [FinalCall(FailureKind.NOT_READY, public="The model file is cut short.")]
    provider = make(machine, ManualClock())
    calls = [asyncio.create_task(ask(provider)) for _ in range(2)]
    await machine.gate.arrived()
    machine.gate.open()
    failures = await asyncio.gather(*calls, return_exceptions=True)
    assert [str(failure) for failure in failures] == ["The model file is cut short."] * 2
    assert failures[0] is not failures[1]
    assert provider.status("embedded/a").text == "The model file is cut short."
    assert await ask(provider) == "a"


async def test_whatever_goes_wrong_at_the_start_reaches_the_call(make: Make) -> None:
    machine = Machine()
    machine.plan = [OSError("no process can be made")]
    with pytest.raises(FinalCall, match="could not be started"):
        await ask(make(machine, ManualClock()))


async def test_an_unused_model_stops_after_its_idle_time_and_the_default_one_does_not(make: Make) -> None:
    machine, clock = Machine(), ManualClock()
    provider = make(machine, clock, default="embedded/a", idle_s=600)
    await ask(provider, "a")
    await ask(provider, "b")
    clock.advance(599)
    await ask(provider, "b")
    clock.advance(599)
    assert machine.running() == ["a", "b"]
    clock.advance(1)
    await until(provider, "embedded/b", "stopped")
    assert machine.running() == ["a"]
    assert await ask(provider, "b") == "b"


async def test_a_model_that_answers_is_not_idle(make: Make) -> None:
    machine, clock = Machine(), ManualClock()
    provider = make(machine, clock, idle_s=600)
    async with provider.stream(request()):
        clock.advance(10_000)
        assert await ask(provider) == "a"
        clock.advance(10_000)
        assert machine.running() == ["a"]


async def test_a_call_at_the_very_moment_of_idling_out_is_served(make: Make) -> None:
    machine, clock = Machine(), ManualClock()
    provider = make(machine, clock, idle_s=600)
    await ask(provider)
    clock.advance(600)
    assert await ask(provider) == "a"
    assert machine.running() == ["a"]


class TightMachine(Machine):
    """Has room for two models. Their files' pages (500 MB each) count as free, as a real system counts them."""

    def available(self) -> int | None:
        return 2200 * MB - 300 * MB * len(self.running())


async def test_the_least_recently_used_model_makes_room(make: Make) -> None:
    machine, clock = TightMachine(), ManualClock()
    provider = make(machine, clock, slots=1)
    await ask(provider, "a")
    clock.advance(1)
    await ask(provider, "b")
    clock.advance(1)
    await ask(provider, "a")
    clock.advance(1)
    assert await ask(provider, "c") == "c"
    assert machine.running() == ["a", "c"]
    assert provider.status("embedded/b").state == "stopped"


async def test_a_model_waits_for_the_memory_of_one_that_answers(make: Make) -> None:
    machine = TightMachine()
    provider = make(machine, ManualClock(), slots=1)
    async with provider.stream(request("a")), provider.stream(request("b")):
        third = asyncio.create_task(ask(provider, "c"))
        await until(provider, "embedded/c", "loading")
        while not provider.status("embedded/c").text.startswith("Waiting for memory"):
            await provider.wait_change(provider.version)
    assert await third == "c"
    assert len(machine.running()) == 2


async def test_a_model_that_can_never_fit_is_refused_with_both_figures(make: Make) -> None:
    machine = Machine(memory=500 * MB)
    provider = make(machine, ManualClock(), slots=1)
    with pytest.raises(FinalCall, match=r"^This machine has 500 MB of memory free; the model needs 1\.1 GB\."):
        await ask(provider)
    assert machine.children == []
    machine.memory = 2 * GB
    assert await ask(provider) == "a"


async def test_where_memory_can_not_be_known_nothing_is_refused(make: Make) -> None:
    assert await ask(make(Machine(memory=None), ManualClock())) == "a"


async def test_closing_ends_processes_and_refuses_those_who_wait(make: Make) -> None:
    machine = Machine()
    provider = make(machine, ManualClock())
    await ask(provider, "a")
    machine.gate = Gate()
    waiting = asyncio.create_task(ask(provider, "b"))
    await machine.gate.arrived()
    await provider.aclose()
    with pytest.raises(FinalCall, match="closing"):
        await waiting
    with pytest.raises(FinalCall, match="closing"):
        await ask(provider, "a")
    assert machine.running() == []
    await provider.aclose()


async def test_closing_at_once_after_starting_leaves_nothing(make: Make) -> None:
    machine = Machine()
    provider = make(machine, ManualClock(), default="embedded/a")
    provider.start()
    await provider.aclose()
    assert machine.children == []
    assert provider.status("embedded/a").text == "The app is closing."


async def test_the_page_says_beforehand_what_is_not_here_and_starting_the_app_fetches_nothing(tmp_path: Path) -> None:
    class Untouched:
        def download(self, *_: object) -> Path:
            raise AssertionError("nobody chose it")

    models = {m.id: m for m in map(model, "ab")}
    entries = {
        "embedded/a": Weights(hub_repo="x/y", hub_file="z.gguf", size_bytes=398 * MB),
        "embedded/b": Weights(file="/no/such/file.gguf"),
    }
    weights = WeightStore(models, entries, tmp_path, Untouched())
    provider = EmbeddedProvider(models, weights, Client, ManualClock(), default="embedded/a")
    provider.start()
    assert provider.status("embedded/a").state == "not_downloaded"
    assert provider.status("embedded/a").text == "Not downloaded (398 MB)"
    assert provider.status("embedded/b").state == "failed"
    assert "/no/such/file.gguf" in provider.status("embedded/b").text
    with pytest.raises(FinalCall) as caught:
        provider.status("embedded/unknown")
    assert caught.value.kind is FailureKind.UNKNOWN_MODEL
    await provider.aclose()
