"""``python app.py check``: what is configured, which keys are found (never their values), and what answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from moa.core.catalogue import Catalogue
from moa.core.domain import Model, Recipe
from moa.core.errors import CallError
from moa.providers.registry import ProviderStatus, Registry

PING_FAILED = 1


async def check(
    catalogue: Catalogue,
    registry: Registry,
    console: Console,
    *,
    notes: Mapping[str, str] | None = None,
    ping: bool = False,
) -> int:
    """Print providers, models and recipes. With ``ping`` one token is asked of a model of each ready provider.

    ``notes`` holds short remarks by model id ("Not downloaded (398 MB)"). Returns the exit code: 0, or 1 when a
    ping failed.
    """
    await registry.refresh(force=True)
    statuses, models = registry.statuses(), registry.models()
    console.print(_providers(statuses))
    console.print(_models(models, notes or {}))
    console.print(_recipes(catalogue, models, {status.name: status for status in statuses}))
    if not ping:
        return 0
    answers = [await _ping(registry, _first_model(catalogue, models, s.name), s, console) for s in statuses if s.ready]
    return 0 if all(answers) else PING_FAILED


def _providers(statuses: Sequence[ProviderStatus]) -> Table:
    table = Table("Provider", "Name", "State", "Models", title="Providers", title_justify="left")
    for status in statuses:
        table.add_row(status.label, status.name, _state(status), str(status.models) if status.models else "–")
    return table


def _state(status: ProviderStatus) -> str:
    if status.needs:
        return f"needs {status.needs}"
    if status.ready:
        return "ready" if not status.problem else f"ready, but: {status.problem}"
    return status.problem or ("not running" if status.local else "not ready")


def _models(models: Sequence[Model], notes: Mapping[str, str]) -> Table:
    table = Table(title="Models", title_justify="left")
    table.add_column("Model", no_wrap=True, overflow="fold")
    for heading in ("Context", "$ per million", "Note"):
        table.add_column(heading)
    for model in models:
        price = model.price
        cost = f"{price.input_microusd / 1e6:g} / {price.output_microusd / 1e6:g}" if price else "genai-prices"
        context = f"{model.context_tokens:,}" if model.context_tokens else "unknown"
        table.add_row(model.id, context, cost, notes.get(model.id, ""))
    return table


def _recipes(catalogue: Catalogue, models: Sequence[Model], providers: Mapping[str, ProviderStatus]) -> Table:
    table = Table("Recipe", "Title", "Layers", "Calls", "Can run", title="Recipes", title_justify="left")
    owner = {model.id: model.provider for model in models}
    for recipe in catalogue.recipes.values():
        used = {owner.get(m, m.partition("/")[0]) for m in _model_ids(recipe)}
        missing = sorted(_lack(name, providers) for name in used if _lack(name, providers))
        runs = ", ".join(missing) or "yes"
        table.add_row(recipe.id, recipe.title, str(recipe.layer_count), str(recipe.call_count), runs)
    return table


def _lack(name: str, providers: Mapping[str, ProviderStatus]) -> str:
    status = providers.get(name)
    if status is None:
        return f"no provider {name}"
    return "" if status.ready else _state(status)


def _model_ids(recipe: Recipe) -> set[str]:
    agents = [agent for layer in recipe.layers for agent in layer.agents]
    return {agent.model for agent in (*agents, recipe.aggregator)}


def _first_model(catalogue: Catalogue, models: Sequence[Model], provider: str) -> Model | None:
    """A model of the default recipe if the provider serves one: it is there and cheap to load."""
    mine = [model for model in models if model.provider == provider]
    wanted = _model_ids(catalogue.recipes[catalogue.default_recipe])
    return next((m for m in mine if m.id in wanted), mine[0] if mine else None)


async def _ping(registry: Registry, model: Model | None, status: ProviderStatus, console: Console) -> bool:
    if model is None:
        console.print(f"{status.label}: no model to ask")
        return True
    try:
        await registry.ping(model.id)
    except CallError as error:
        console.print(f"{status.label}: {model.id} does not answer: {error.public}", markup=False)
        return False
    console.print(f"{status.label}: {model.id} answers", markup=False)
    return True
