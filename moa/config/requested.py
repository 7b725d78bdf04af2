"""The recipe that a request names: one of the catalogue's, a single model, or a mixture put together in the request.
Pure; nothing is trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moa.config.recipes import CUSTOM_ID, Pick, custom_recipe
from moa.core.catalogue import Catalogue
from moa.core.domain import Agent, Part, Recipe
from moa.core.errors import InputRefused

DEFAULT = "moa"
"""The model name of the default recipe; that of any other is ``moa/`` and its id."""

_NUMBERS = ("layers", "temperature", "quorum", "grace_s", "deadline_s")
_KEYS = ("proposers", "aggregator", "system", *_NUMBERS)


def requested_recipe(
    catalogue: Catalogue, exists: Callable[[str], bool], model: str, mixture: Mapping[str, object] | None = None
) -> Recipe | None:
    """The recipe for ``model``, changed by ``mixture`` as in ``changed_recipe``; None when there is no such model.

    For a single model ``mixture`` changes that model as the aggregator, under the default recipe's budget. Raises
    InputRefused.
    """
    base = _named(catalogue, exists, model)
    return base if base is None or mixture is None else changed_recipe(exists, base, mixture)


def changed_recipe(exists: Callable[[str], bool], base: Recipe, mixture: Mapping[str, object]) -> Recipe:
    """``base`` changed as on the page; what ``mixture`` leaves out is the base's own.

    It may hold proposers, aggregator, layers, temperature, system, quorum, grace_s and deadline_s. Raises InputRefused:
    unknown keys and models by name, numbers and lengths by their limit.
    """
    unknown = [repr(str(key)[:40]) for key in mixture if key not in _KEYS]
    if unknown:
        raise InputRefused(f'"moa" has no key {", ".join(unknown)}; it may hold {", ".join(_KEYS)}.')
    asked: dict[str, Any] = {key: value for key, value in mixture.items() if value is not None}
    layers = asked.get("layers", max(base.layer_count, 2 if asked.get("proposers") else 1))
    return custom_recipe(
        exists,
        base=base,
        proposers=_proposers(asked.get("proposers"), base),
        aggregator=asked.get("aggregator", base.aggregator.model),
        layers=layers,
        system=asked.get("system"),
        **{key: asked.get(key) for key in _NUMBERS if key != "layers"},
    )


def _named(catalogue: Catalogue, exists: Callable[[str], bool], model: str) -> Recipe | None:
    default = catalogue.recipes[catalogue.default_recipe]
    if model == DEFAULT:
        return default
    if model.startswith(f"{DEFAULT}/"):
        return catalogue.recipes.get(model.removeprefix(f"{DEFAULT}/"))
    if not exists(model):
        return None
    return Recipe(CUSTOM_ID, model, (), Agent(model, Part.AGGREGATOR), budget=default.budget)


def _proposers(asked: Any, base: Recipe) -> Sequence[Pick]:
    """The picks asked for, else those of the base's first layer."""
    if asked is not None:
        return asked if isinstance(asked, list) else [asked]
    agents = base.layers[0].agents if base.layers else ()
    counted = Counter((agent.model, agent.label) for agent in agents)
    return [
        {"model": model, "count": count, **({"label": label} if label else {})}
        for (model, label), count in counted.items()
    ]
