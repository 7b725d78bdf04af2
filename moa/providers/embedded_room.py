"""Which models fit into this machine's memory, and who makes room for whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from moa.core.domain import FailureKind
from moa.core.errors import FinalCall
from moa.providers.embedded_gguf import GgufHead
from moa.providers.embedded_status import StatusBoard, size_text

_RESERVE_BYTES = 256_000_000  # stays free for the app and the rest of the machine
_OVERHEAD_BYTES = 200_000_000  # interpreter, library, compute buffers, prompt cache (measured: 60 to 180 MB)
_USUAL_KV_BYTES = 36_000  # a token's, of the 1 to 2 billion parameter models; for files that don't say


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes a model takes. The file's pages are mapped: the system calls them free although they are in use."""

    file_bytes: int
    other_bytes: int

    @property
    def total(self) -> int:
        """All together."""
        return self.file_bytes + self.other_bytes


@dataclass(frozen=True, slots=True)
class Resident:
    """A model that is in memory. ``busy``: it answers a call now."""

    model_id: str
    need: Need
    last_used_s: float
    busy: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Stop these models, then: the new one fits; or wait until a busy one is idle; or it never will fit."""

    verdict: Literal["fits", "wait", "never"]
    stop: tuple[str, ...] = ()


def need_of(head: GgufHead, context_tokens: int) -> Need:
    """What a file needs with that much context in all slots."""
    per_token = head.kv_bytes_per_token or _USUAL_KV_BYTES
    return Need(head.file_bytes, per_token * context_tokens + _OVERHEAD_BYTES)


def make_room(need: Need, free_bytes: int, residents: Iterable[Resident]) -> Plan:
    """Idle models make room, the least recently used first and the default one last; as few as it takes."""
    idle = sorted((r for r in residents if not r.busy), key=lambda r: (r.default, r.last_used_s))
    stop: list[str] = []
    for resident in idle:
        if need.total <= free_bytes:
            break
        stop.append(resident.model_id)
        free_bytes += resident.need.total
    if need.total <= free_bytes:
        return Plan("fits", tuple(stop))
    busy_bytes = sum(r.need.total for r in residents if r.busy)
    return Plan("wait" if need.total <= free_bytes + busy_bytes else "never")


class Tenant(Protocol):
    """One who may be in memory."""

    def resident(self) -> Resident | None:
        """What it takes now; None when it isn't loaded."""
        ...

    async def stop(self) -> None:
        """Leave the memory."""
        ...


class Room:
    """The machine's memory, shared by the models. One model is loaded at a time, so that each sees what is left."""

    def __init__(self, available: Callable[[], int | None], board: StatusBoard) -> None:
        self._available, self._board = available, board
        self._tenants: dict[str, Tenant] = {}
        self._loading = asyncio.Lock()

    def join(self, model_id: str, tenant: Tenant) -> None:
        """Every tenant joins once, before it loads."""
        self._tenants[model_id] = tenant

    @asynccontextmanager
    async def loading(self, need: Need, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        """Hold this while a model loads. Stops idle ones, waits for busy ones (``on_wait``).

        Raises FinalCall with a plain sentence when the model can't fit.
        """
        async with self._loading:
            while (plan := self._plan(need)).verdict != "fits" or plan.stop:
                if plan.stop:  # one at a time: while it ends the others may have been taken up again
                    await self._tenants[plan.stop[0]].stop()
                    continue
                on_wait()
                await self._board.wait_change(self._board.version)
            yield

    def _plan(self, need: Need) -> Plan:
        available = self._available()
        if available is None:  # the system doesn't tell: let it decide
            return Plan("fits")
        residents = [r for tenant in self._tenants.values() if (r := tenant.resident())]
        free = available - _RESERVE_BYTES - sum(r.need.file_bytes for r in residents)
        plan = make_room(need, free, residents)
        if plan.verdict == "never":
            raise _too_big(need, available)
        return plan


def _too_big(need: Need, available: int) -> FinalCall:
    has, needs = size_text(max(0, available)), size_text(need.total + _RESERVE_BYTES)
    public = f"This machine has {has} of memory free; the model needs {needs}."
    return FinalCall(FailureKind.NOT_READY, public=f"{public} Close other programs or choose a smaller model.")
