"""The engine's seams to the outside world. Tests replace these and patch nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from moa.core.domain import Message, Model, Sampling, Usage
from moa.core.policy import Policy


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call to one model: exactly these messages, this sampling."""

    model: Model
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()


class Piece(NamedTuple):
    """What one read of a stream brought. ``finish`` is the provider's own finish reason."""

    text: str = ""
    reasoning: str = ""
    finish: str | None = None
    usage: Usage | None = None


class Provider(Protocol):
    """A service that answers calls. Raises ``moa.core.errors.CallError`` and nothing else."""

    name: str

    def stream(self, request: CallRequest) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        """Open a call. Entering sends it and returns once the response's head is in; leaving closes the
        connection whatever has been read. The iterator ends where the stream ends: whether that was a
        real end is for the caller to judge by ``finish``. No retries and no deadlines but the connect's.
        """
        ...

    async def list_models(self) -> tuple[Model, ...]:
        """The chat models it serves now. Raises CallError."""
        ...

    async def aclose(self) -> None:
        """Give back what is held. Later calls fail."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model id leads. ``price_provider`` is its provider's name in genai-prices, if it differs."""

    model: Model
    provider: Provider
    policy: Policy = Policy()
    price_provider: str | None = None


class Directory(Protocol):
    """Finds models. Implemented by the provider registry."""

    def endpoint(self, model_id: str) -> Endpoint:
        """Raises FinalCall (UNKNOWN_MODEL, NO_KEY) when the id leads nowhere."""
        ...


class Timer(Protocol):
    """A pending call-back."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Monotonic time in seconds. Wall-clock jumps do not move it."""

    def now(self) -> float: ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer: ...

    async def sleep(self, delay_s: float) -> None: ...
