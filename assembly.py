"""What page and command line have in common: settings, catalogue, store, providers, engine and chat, put together.

Knows nothing of the page, the web or the terminal: ``app.py`` adds those, and ``python -m moa`` starts without them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moa.chat.judging import Judging
from moa.chat.service import ChatService
from moa.chat.titles import Titles
from moa.config.catalogue import load_catalogue
from moa.config.settings import Settings, load_settings
from moa.core.catalogue import Catalogue
from moa.core.domain import Recipe
from moa.core.errors import InputRefused
from moa.engine.clock import SystemClock
from moa.engine.engine import Engine
from moa.providers.embedded import EmbeddedProvider
from moa.providers.offer import Offer
from moa.providers.openai_compatible import OpenAICompatibleProvider
from moa.providers.registry import Registry
from moa.providers.weights import WeightStore
from storage import SqlStore, open_store

_TINY_BYTES = 300_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """A chat that is ready to be asked. ``models`` is what can be picked."""

    catalogue: Catalogue
    store: SqlStore
    embedded: EmbeddedProvider
    registry: Registry
    chat: ChatService
    judging: Judging
    models: Offer

    def allowed(self, recipe: Recipe) -> Recipe:
        """A stored recipe as it may be run here; see ``assembled``."""
        return _allowed(recipe, self.catalogue, self.registry)


def configured() -> tuple[Settings, Catalogue]:
    """What the environment, ``.env`` and the TOML file say. Raises ConfigError."""
    environ: dict[str, str] = dict(os.environ)
    if is_space(environ):
        environ.setdefault("MOA_HOST", "0.0.0.0")  # noqa: S104 - a Space's proxy reaches the app from outside
        environ.setdefault("MOA_PROXY_HOPS", "1")
    settings = load_settings(environ, Path(".env"))
    embedded = str(settings.embedded_model) if settings.embedded_model else None
    return settings, load_catalogue(settings.config, embedded_file=embedded)


def is_space(environ: Mapping[str, str]) -> bool:
    """Whether this is a Hugging Face Space."""
    return bool(environ.get("SPACE_ID"))


def run_job(job: Coroutine[Any, Any, int]) -> int:
    """Carry a job out on the fastest loop there is."""
    if sys.platform == "win32":
        return asyncio.run(job)
    import uvloop  # there is none for Windows

    return uvloop.run(job)


def opened(settings: Settings) -> SqlStore:
    """The database; see ``open_store``. Call it before the loop runs."""
    return open_store(settings.database_url, settings.data_dir)


@asynccontextmanager
async def offered(settings: Settings, catalogue: Catalogue) -> AsyncIterator[Offer]:
    """Only what can be picked, without a store: for commands that ask nothing."""
    embedded = _embedded(settings, catalogue)
    registry = Registry(catalogue, settings.environ, embedded=embedded)
    try:
        yield Offer(registry, embedded, _default_model(catalogue))
    finally:
        await registry.aclose()


@asynccontextmanager
async def assembled(
    settings: Settings, catalogue: Catalogue, store: SqlStore, *, titled: bool
) -> AsyncIterator[Parts]:  # fmt: skip
    """All parts, closed again with the store when the block is left. ``titled``: the aggregator writes titles.

    A stored recipe is run within the operator's budget, and refused when it names a model that is not offered.
    """
    embedded = _embedded(settings, catalogue)
    registry = Registry(catalogue, settings.environ, embedded=embedded)
    engine = Engine(registry, caps=catalogue.caps)
    titles = Titles(engine, store, lambda model: not _tiny(catalogue, model)) if titled else None
    chat = ChatService(engine, store, titles=titles, allowed=lambda recipe: _allowed(recipe, catalogue, registry))
    default = _default_model(catalogue)
    models = Offer(registry, embedded, default, resting=engine.resting, refreshed=engine.models_refreshed)
    try:
        yield Parts(catalogue, store, embedded, registry, chat, Judging(engine, store, models.exists), models)
    finally:
        await registry.aclose()
        await store.aclose()


def _embedded(settings: Settings, catalogue: Catalogue) -> EmbeddedProvider:
    """The models inside the app. That of the default recipe is loaded while the page opens, the others when used."""
    inside = {name for name, spec in catalogue.providers.items() if spec.kind == "embedded"}
    models = {id_: model for id_, model in catalogue.models.items() if model.provider in inside}
    wanted = _default_model(catalogue)
    return EmbeddedProvider(
        models,
        WeightStore(models, catalogue.weights, settings.data_dir),
        lambda base_url, key: OpenAICompatibleProvider("embedded", base_url=base_url, key=key),
        SystemClock(),
        default=wanted if wanted in models else None,
    )


def _allowed(recipe: Recipe, catalogue: Catalogue, registry: Registry) -> Recipe:
    """A stored recipe within the operator's budget. Raises InputRefused when it names a model that is not offered."""
    offered = {model.id for model in registry.models()}
    agents = [agent for layer in recipe.layers for agent in layer.agents]
    for agent in (*agents, recipe.aggregator, *recipe.fallbacks):
        if agent.model not in offered:
            raise InputRefused(f"{agent.model} is not offered here: choose a mixture, then press Regenerate.")
    own = catalogue.recipes.get(recipe.id, catalogue.recipes[catalogue.default_recipe])
    return replace(recipe, budget=recipe.budget.within(own.budget))


def _tiny(catalogue: Catalogue, model_id: str) -> bool:
    """Whether a model is too small to name a conversation: the question's own words then do it better."""
    weights = catalogue.weights.get(model_id)
    return weights is not None and (weights.size_bytes or 0) < _TINY_BYTES


def _default_model(catalogue: Catalogue) -> str:
    return catalogue.recipes[catalogue.default_recipe].aggregator.model
