"""The catalogue: shipped providers, models and recipes, with the operator's own file laid over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from moa.config import convert
from moa.config.checks import live_recipes, problems_of
from moa.config.files import merge, read_toml
from moa.config.problems import Place, Problem, from_validation
from moa.config.schema import CatalogueFile, RecipeTable
from moa.core.catalogue import Catalogue, ProviderSpec, Weights
from moa.core.domain import Model, Recipe
from moa.core.errors import ConfigError
from moa.core.policy import Caps

DEFAULTS = Path(__file__).parent.parent / "defaults.toml"
"""What is shipped."""


def load_catalogue(own: Path | None, *, embedded_file: str | None = None) -> Catalogue:
    """Read the shipped catalogue and lay the file ``own`` over it.

    ``embedded_file`` takes the place of the default embedded model's weights. It is not opened here: a
    missing file is that model's trouble, not the app's. Raises ConfigError: ``public`` is the first problem
    as one line (file, table, key, what to do), ``detail`` holds all of them, a line each.
    """
    mine = read_toml(own) if own is not None else {}
    try:
        file = CatalogueFile.model_validate(merge(read_toml(DEFAULTS), mine))
    except ValidationError as error:
        raise _refusal(from_validation(error, CatalogueFile), own, mine) from None
    written = mine.get("recipes", {})
    if problems := list(problems_of(file, written)):
        raise _refusal(problems, own, mine)
    catalogue = _catalogue(file, live_recipes(file, written), own.parent if own is not None else Path())
    return catalogue if embedded_file is None else _with_embedded_file(catalogue, embedded_file)


def _refusal(problems: list[Problem], own: Path | None, mine: Mapping[str, Any]) -> ConfigError:
    lines = [p.line(str(own) if _is_mine(p.at, mine) else "moa/defaults.toml") for p in problems]
    more = f" ({len(lines) - 1} more)" if len(lines) > 1 else ""
    return ConfigError(lines[0] + more, detail="\n".join(lines))


def _is_mine(at: Place, mine: Mapping[str, Any]) -> bool:
    """Whether the operator's file has the table in question.

    What is shipped is right by itself, so a default recipe that is gone went because of their file.
    """
    if at == ("default_recipe",):
        return bool(mine)
    here: object = mine
    for step in at[:2]:
        if not isinstance(here, Mapping) or step not in here:
            return False
        here = here[step]
    return bool(at)


def _catalogue(file: CatalogueFile, recipes: Mapping[str, RecipeTable], folder: Path) -> Catalogue:
    providers = {name: convert.provider_spec(name, t) for name, t in file.providers.items() if t.enabled}
    tables = {id_: t for id_, t in file.models.items() if t.enabled and _provider_of(id_) in providers}
    made = {name: convert.recipe(name, table) for name, table in recipes.items()}
    models = {id_: convert.model(id_, table) for id_, table in tables.items()}
    told = {id_: convert.deadlines(table, providers[_provider_of(id_)]) for id_, table in tables.items()}
    return Catalogue(
        providers=MappingProxyType(providers),
        models=MappingProxyType({**models, **_named_only_in(made.values(), models)}),
        recipes=MappingProxyType(made),
        default_recipe=file.default_recipe,
        weights=MappingProxyType(
            {id_: convert.weights(t, folder) for id_, t in tables.items() if _is_embedded(id_, providers)}
        ),
        caps=Caps(**file.caps.model_dump()),
        deadlines=MappingProxyType({id_: value for id_, value in told.items() if value is not None}),
    )


def _provider_of(model_id: str) -> str:
    return model_id.partition("/")[0]


def _is_embedded(model_id: str, providers: Mapping[str, ProviderSpec]) -> bool:
    return providers[_provider_of(model_id)].kind == "embedded"


def _named_only_in(recipes: Iterable[Recipe], models: Mapping[str, Model]) -> dict[str, Model]:
    """Models that a recipe names and nothing declares: their provider is asked for them."""
    ids = {id_ for recipe in recipes for id_ in _models_of(recipe)} - models.keys()
    return {
        id_: Model(id_, _provider_of(id_), id_.partition("/")[2], id_.rpartition("/")[2])
        for id_ in sorted(ids)
    }


def _models_of(recipe: Recipe) -> set[str]:
    agents = [agent for layer in recipe.layers for agent in layer.agents]
    return {agent.model for agent in (*agents, recipe.aggregator, *recipe.fallbacks)}


def _with_embedded_file(catalogue: Catalogue, file: str) -> Catalogue:
    """Which model: the default recipe's aggregator if it is embedded, else the first that is declared."""
    writer = catalogue.recipes[catalogue.default_recipe].aggregator.model
    chosen = writer if writer in catalogue.weights else next(iter(catalogue.weights), None)
    if chosen is None:
        raise ConfigError("MOA_EMBEDDED_MODEL: no embedded model is declared that it could replace; unset it")
    model = replace(catalogue.models[chosen], label=Path(file).stem)
    return replace(
        catalogue,
        models=MappingProxyType({**catalogue.models, chosen: model}),
        weights=MappingProxyType({**catalogue.weights, chosen: Weights(file=file)}),
    )
