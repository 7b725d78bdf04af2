"""What can be picked now, for pages and commands: the registry's models, and how the embedded one is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from moa.providers.embedded import EmbeddedProvider
from moa.providers.registry import Registry

RESTING = "Not available right now"
_QUIET = ("ready", "idle", "stopped")
_MOVING = ("loading", "downloading")


@dataclass(frozen=True, slots=True)
class Choice:
    """A model that can be picked. ``needs`` names the variable of a missing key; ``note`` is a short remark."""

    id: str
    label: str
    provider: str
    needs: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Reads the registry and the embedded provider at each call, so it is never stale.

    ``default`` is the model that answers unless another recipe is chosen; only when it is an embedded one does its
    state matter to a page that has just been opened. ``resting`` tells whether calls to a model are refused for now,
    ``refreshed`` is called after each refresh.
    """

    registry: Registry
    embedded: EmbeddedProvider
    default: str
    resting: Callable[[str], bool] = lambda _: False
    refreshed: Callable[[], None] = lambda: None

    async def refresh(self) -> None:
        """Ask every provider for its models again, and give those that were refused another chance."""
        await self.registry.refresh(force=True)
        self.refreshed()

    def choices(self) -> list[Choice]:
        """All models but those of local servers that don't answer."""
        statuses = {status.name: status for status in self.registry.statuses()}
        inside = self.embedded.statuses()
        chosen = []
        for model in self.registry.models():
            status = statuses.get(model.provider)
            if status is None or (status.local and not status.ready):
                continue
            note = inside[model.id].text if model.id in inside and inside[model.id].state != "ready" else None
            if self.resting(model.id):
                note = RESTING
            chosen.append(Choice(model.id, model.label, status.label, status.needs, note))
        return chosen

    def label(self, model_id: str) -> str:
        """A model's name for people; the id itself when nobody offers it any more."""
        return next((model.label for model in self.registry.models() if model.id == model_id), model_id)

    def exists(self, model_id: str) -> bool:
        """Whether the model is offered, with or without its key."""
        return any(model.id == model_id for model in self.registry.models())

    @property
    def small(self) -> bool:
        """Whether questions are answered by a model inside the app unless another recipe is chosen."""
        return self.default in self.embedded.statuses()

    @property
    def state(self) -> str:
        """The default model's state in one word; "unused" when it is not an embedded one."""
        return self.embedded.status(self.default).state if self.small else "unused"

    def problem(self) -> str | None:
        """Why the default model does not answer now and what to do, or None."""
        return self.embedded.status(self.default).text if self.small and self.state not in _QUIET else None

    def settled(self) -> bool:
        """True once ``problem`` does not change by itself: ready, or given up."""
        return self.state not in _MOVING

    async def wait_change(self, timeout_s: float) -> None:
        """Return when ``problem`` may have changed, or after ``timeout_s``."""
        changed = asyncio.ensure_future(self.embedded.wait_change(self.embedded.version))
        await asyncio.wait([changed], timeout=timeout_s)
        changed.cancel()
