"""The embedded provider: chat models that run on this machine, each in a child process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from moa.core.domain import FailureKind, Model
from moa.core.errors import FinalCall
from moa.engine.ports import CallRequest, Clock, Piece, Provider
from moa.providers import embedded_machine, embedded_status
from moa.providers.embedded_child import ChildSettings
from moa.providers.embedded_process import ModelProcess, launch
from moa.providers.embedded_room import Room
from moa.providers.embedded_runner import Runner, Surroundings
from moa.providers.embedded_status import ModelStatus, StatusBoard
from moa.providers.weights import WeightStore

_IDLE_S = 600.0
_SLOTS = 4


class EmbeddedProvider:
    """Serves GGUF chat models without a key; implements ``moa.engine.ports.Provider``.

    A model starts at its first call, or by ``prefetch``; one that nobody used for ``idle_s`` stops, except
    ``default``, which stops only when another needs its memory. ``connect(base_url, api_key)`` makes the
    client that speaks to one server. Belongs to one event loop.
    """

    name = "embedded"

    def __init__(
        self,
        models: Mapping[str, Model],
        weights: WeightStore,
        connect: Callable[[str, str], Provider],
        clock: Clock,
        *,
        default: str | None = None,
        slots: int = _SLOTS,
        idle_s: float = _IDLE_S,
        threads: int | None = None,
        launch: Callable[[ChildSettings], Awaitable[ModelProcess]] = launch,
        available_memory: Callable[[], int | None] = embedded_machine.available_memory_bytes,
    ) -> None:
        self._models = dict(models)
        self._default, self._weights = default, weights
        self._board = StatusBoard(self._models)
        shared = Surroundings(
            weights, self._board, Room(available_memory, self._board), clock, launch, connect,
            slots, threads or embedded_machine.threads(), idle_s,
        )  # fmt: skip
        self._runners = {i: Runner(m, shared, default=i == default) for i, m in self._models.items()}
        for model_id in self._models:
            self._board.set(model_id, self._first_look(model_id))

    def start(self) -> None:
        """Load the default model in the background, if it needn't be downloaded first."""
        if self._default is not None and self._board.of(self._default).state == "idle":
            self.prefetch(self._default)

    def prefetch(self, model_id: str) -> None:
        """Load a model in the background, downloading it if need be: its user has chosen it."""
        self._runner(model_id).start()

    async def wait_ready(self, model_id: str) -> None:
        """Load a model if need be and return once it answers. Raises FinalCall with the reason if it can't."""
        await self._runner(model_id).ready()

    def statuses(self) -> Mapping[str, ModelStatus]:
        """Each model's state, by id."""
        return self._board.all()

    def status(self, model_id: str) -> ModelStatus:
        """One model's state. Raises FinalCall (UNKNOWN_MODEL)."""
        self._runner(model_id)
        return self._board.of(model_id)

    @property
    def version(self) -> int:
        """Counts changes of any status; for ``wait_change``."""
        return self._board.version

    async def wait_change(self, seen: int) -> int:
        """Return the version once it is another than ``seen``: at once if it already is."""
        return await self._board.wait_change(seen)

    def stream(self, request: CallRequest) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        """See Provider. While the model loads, entering waits; the caller bounds that by its own deadline."""
        return self._stream(request)

    @asynccontextmanager
    async def _stream(self, request: CallRequest) -> AsyncIterator[AsyncIterator[Piece]]:
        async with self._runner(request.model.id).lease() as client, client.stream(request) as pieces:
            yield pieces

    async def list_models(self) -> tuple[Model, ...]:
        """Every model that can be chosen, loaded or not."""
        return tuple(self._models.values())

    async def aclose(self) -> None:
        """End every child process; returns when they are gone."""
        await asyncio.gather(*(runner.stop(closing=True) for runner in self._runners.values()))

    def _runner(self, model_id: str) -> Runner:
        runner = self._runners.get(model_id)
        if runner is None:
            raise FinalCall(FailureKind.UNKNOWN_MODEL, detail=f"no embedded model {model_id}")
        return runner

    def _first_look(self, model_id: str) -> ModelStatus:
        try:
            if self._weights.find(model_id) is None:
                return embedded_status.absent(self._weights.size_bytes(model_id))
        except FinalCall as error:
            return ModelStatus("failed", error.public)
        return ModelStatus("idle", embedded_status.IDLE)
