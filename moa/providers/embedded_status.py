"""What the page says about each embedded model, and a way to wait for the next change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

State = Literal["not_downloaded", "idle", "downloading", "loading", "ready", "failed", "stopped"]

IDLE = "Starts when it is first used."
CHECKING = "Loading model"
READY = "Ready"
STOPPED = "Stopped; starts again when it is used."
CLOSED = "The app is closing."
WAITING_FOR_MEMORY = "Waiting for memory until another model has answered"
BROKEN = "The model could not be started. Restart the app; if that doesn't help, choose another model."


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One model's state, in plain words (``text``). ``progress`` is 0 to 1, or None where none is known."""

    state: State
    text: str
    progress: float | None = None


def size_text(size_bytes: int | None) -> str:
    """``398 MB`` or ``1.6 GB`` (decimal, as download pages say it)."""
    if size_bytes is None:
        return "size unknown"
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1_000_000_000:.1f} GB"
    return f"{max(1, round(size_bytes / 1_000_000))} MB"


def absent(size_bytes: int | None) -> ModelStatus:
    """A model whose file is still on the hub."""
    return ModelStatus("not_downloaded", f"Not downloaded ({size_text(size_bytes)})")


def downloading(progress: float | None, size_bytes: int | None) -> ModelStatus:
    """A download under way."""
    share = "" if progress is None else f" {progress:.0%} of"
    return ModelStatus("downloading", f"Downloading{share} {size_text(size_bytes)}", progress)


def restarting(delay_s: float) -> ModelStatus:
    """A crashed model that starts anew in a moment."""
    return ModelStatus("loading", f"The model stopped unexpectedly; it starts again in {delay_s:g} s")


class StatusBoard:
    """The newest status of each model. Belongs to one event loop; holds no history."""

    def __init__(self, model_ids: Iterable[str]) -> None:
        self._statuses = {model_id: ModelStatus("idle", IDLE) for model_id in model_ids}
        self._version = 0
        self._changed = asyncio.Event()

    @property
    def version(self) -> int:
        """Counts changes; what ``wait_change`` compares with."""
        return self._version

    def all(self) -> Mapping[str, ModelStatus]:
        """A read-only copy, by model id."""
        return MappingProxyType(dict(self._statuses))

    def of(self, model_id: str) -> ModelStatus:
        """Raises KeyError for a model that is not embedded."""
        return self._statuses[model_id]

    def set(self, model_id: str, status: ModelStatus) -> None:
        """Note a status; those who wait are woken when it differs."""
        if self._statuses[model_id] != status:
            self._statuses[model_id] = status
            self.touch()

    def touch(self) -> None:
        """Wake those who wait although no status differs (a call ended, say)."""
        self._version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait_change(self, seen: int) -> int:
        """Return the version as soon as it is another than ``seen``."""
        while self._version == seen:
            await self._changed.wait()
        return self._version
