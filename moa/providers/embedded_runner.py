"""Keeps one embedded model's server running for as long as it is wanted."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from moa.core.domain import FailureKind, Model
from moa.core.errors import FinalCall
from moa.engine.ports import Clock, Provider, Timer
from moa.providers import embedded_status as status
from moa.providers.embedded_child import ChildSettings
from moa.providers.embedded_gguf import read_head
from moa.providers.embedded_process import Crashed, ModelProcess
from moa.providers.embedded_room import Need, Resident, Room, need_of
from moa.providers.embedded_status import ModelStatus, StatusBoard
from moa.providers.weights import NotDownloaded, WeightStore

_log = logging.getLogger(__name__)
_SLOT_TOKENS = 4096
_QUICK_S, _FIRST_DELAY_S, _LONGEST_DELAY_S, _MOST_CRASHES = 60.0, 0.5, 30.0, 7
_REST_S = 60.0
_CRASHES = "The model stopped unexpectedly several times in a row. Try again in a minute, or choose another model."


class Backoff:
    """Seconds to wait after each crash: 0.5, doubling to 30; None once too many came quickly in a row."""

    def __init__(self) -> None:
        self._crashes = 0

    def after(self, lived_s: float) -> float | None:
        """Count a crash of a process that had lived so long."""
        if lived_s >= _QUICK_S:
            self._crashes = 0
        self._crashes += 1
        if self._crashes >= _MOST_CRASHES:
            return None
        return float(min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** (self._crashes - 1)))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all runners share. ``connect`` makes the client of one call from a server's base URL and key."""

    weights: WeightStore
    board: StatusBoard
    room: Room
    clock: Clock
    launch: Callable[[ChildSettings], Awaitable[ModelProcess]]
    connect: Callable[[str, str], Provider]
    slots: int
    threads: int
    idle_s: float


class _Server(NamedTuple):
    base_url: str
    api_key: str


class Runner:
    """One model. Starts at the first lease, restarts after crashes, stops when idle (``default`` ones don't)."""

    def __init__(self, model: Model, shared: Surroundings, *, default: bool) -> None:
        self._model, self._shared, self._default = model, shared, default
        self._task: asyncio.Task[ModelStatus] | None = None
        self._timer: Timer | None = None
        self._server: _Server | None = None
        self._need: Need | None = None
        self._failure: FinalCall | None = None
        self._rest_until_s = 0.0
        self._leases, self._last_used_s = 0, 0.0
        self._closed = False
        shared.room.join(model.id, self)

    def resident(self) -> Resident | None:
        """See embedded_room.Tenant."""
        if self._need is None:
            return None
        return Resident(self._model.id, self._need, self._last_used_s, self._leases > 0, self._default)

    def start(self) -> None:
        """Begin to load in the background; nothing happens when that is under way or has failed too often."""
        if self._task is not None or self._closed or self._shared.clock.now() < self._rest_until_s:
            return
        self._failure = None
        self._say(ModelStatus("loading", status.CHECKING))
        self._task = asyncio.create_task(self._run(), name=f"embedded model {self._model.id}")
        self._task.add_done_callback(self._ended)

    async def ready(self) -> _Server:
        """Start if need be and wait until calls can be made. Raises FinalCall (NOT_READY) with the reason."""
        board = self._shared.board
        self.start()
        while self._server is None:
            seen = board.version
            if self._task is None:
                self._refuse()
                self.start()
            await board.wait_change(seen)
        return self._server

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Provider]:
        """A client for one call. While it is held the model stays in memory.

        Each call has a client, and so a connection, of its own (0.5 ms): llama.cpp closes a connection behind a
        streamed answer without saying so, and the next call on it would be lost.
        """
        self._leases += 1
        self._cancel_timer()
        try:
            server = await self.ready()
            client = self._shared.connect(server.base_url, server.api_key)
            try:
                yield client
            finally:
                await client.aclose()
        finally:
            self._leases -= 1
            self._last_used_s = self._shared.clock.now()
            self._shared.board.touch()
            self._await_idleness()

    async def stop(self, *, closing: bool = False) -> None:
        """Leave the memory; the next lease starts it again, unless it is ``closing``. Ends all processes."""
        self._closed = self._closed or closing
        self._cancel_timer()
        if (task := self._cancel()) is not None:
            await asyncio.wait([task])

    def _cancel(self) -> asyncio.Task[ModelStatus] | None:
        self._server = None  # from here on nobody is lent a server that is about to end
        if self._task is not None:
            self._task.cancel()
        return self._task

    def _refuse(self) -> None:
        failure = self._failure
        if self._closed:
            failure = FinalCall(FailureKind.NOT_READY, public=status.CLOSED)
        if failure is not None:  # a fresh one for each caller: a shared one would collect their tracebacks
            raise FinalCall(failure.kind, public=failure.public, detail=failure.detail)

    def _say(self, what: ModelStatus) -> None:
        self._shared.board.set(self._model.id, what)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _await_idleness(self) -> None:
        if self._leases == 0 and not self._default and not self._closed:
            self._cancel_timer()
            self._timer = self._shared.clock.call_later(self._shared.idle_s, self._on_idle)

    def _on_idle(self) -> None:
        self._timer = None
        if self._leases == 0:
            self._cancel()

    async def _run(self) -> ModelStatus:
        """The task that owns the process. Returns what the board shall say after it, unless it is cancelled."""
        try:
            await self._serve()
        except FinalCall as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 - the task's boundary: waiting calls must hear of it
            _log.exception("embedded model %s", self._model.id)
            self._failure = FinalCall(FailureKind.NOT_READY, public=status.BROKEN, detail=repr(error))
        _log.warning("embedded model %s: %s\n%s", self._model.id, self._failure.public, self._failure.detail)
        state: status.State = "not_downloaded" if isinstance(self._failure, NotDownloaded) else "failed"
        return ModelStatus(state, self._failure.public)

    def _ended(self, task: asyncio.Task[ModelStatus]) -> None:
        self._task = None
        stopped = ModelStatus("stopped", status.CLOSED if self._closed else status.STOPPED)
        self._say(stopped if task.cancelled() else task.result())
        self._shared.board.touch()  # also when it says what it said before

    async def _serve(self) -> NoReturn:
        backoff = Backoff()
        file = await self._fetch()
        self._say(ModelStatus("loading", status.CHECKING))
        head = await asyncio.to_thread(read_head, file)
        most = self._model.context_tokens or _SLOT_TOKENS
        context = min(most, head.context_tokens or most) * self._shared.slots
        while True:
            started_s = self._shared.clock.now()
            detail = await self._serve_once(file, need_of(head, context), context)
            delay_s = backoff.after(self._shared.clock.now() - started_s)
            if delay_s is None:
                self._rest_until_s = self._shared.clock.now() + _REST_S
                raise FinalCall(FailureKind.NOT_READY, public=_CRASHES, detail=detail)
            _log.warning("embedded model %s ended; restart in %g s: %s", self._model.id, delay_s, detail)
            self._say(status.restarting(delay_s))
            await self._shared.clock.sleep(delay_s)

    async def _fetch(self) -> Path:
        weights, model_id = self._shared.weights, self._model.id

        def progress(share: float | None) -> None:
            self._say(status.downloading(share, weights.size_bytes(model_id)))

        return await weights.fetch(model_id, progress)

    async def _serve_once(self, file: Path, need: Need, context_tokens: int) -> str:
        """From launch to the process's end by itself; returns its last words."""
        shared = self._shared
        settings = ChildSettings(
            str(file), self._model.wire_name, secrets.token_urlsafe(32), shared.slots, context_tokens,
            shared.threads, os.getpid(),
        )  # fmt: skip
        try:
            async with shared.room.loading(need, lambda: self._say(ModelStatus("loading", status.WAITING_FOR_MEMORY))):
                self._say(ModelStatus("loading", status.CHECKING))
                process = await shared.launch(settings)
        except Crashed as crash:
            return str(crash)
        try:
            return await self._offer(process, settings.api_key, need)
        finally:
            await process.stop()

    async def _offer(self, process: ModelProcess, api_key: str, need: Need) -> str:
        """Lend the server to calls until it ends."""
        self._need, self._last_used_s = need, self._shared.clock.now()
        self._server = _Server(f"{process.address}/v1", api_key)
        self._say(ModelStatus("ready", status.READY, 1.0))
        self._await_idleness()
        try:
            return f"exit code {await process.wait()}"
        finally:
            self._server = self._need = None
