"""The compare bar: what answers beside the mixture, from the page's raw value to recipes and back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from moa.core.domain import Recipe
from moa.core.errors import InputRefused
from moa.ui import inputs, texts
from moa.ui.contract import OpponentJson, SystemJson, VersusJson
from moa.ui.mixture import MAX_TEMPERATURE, Mixture, of_recipe
from moa.ui.ports import ModelChoice

AGGREGATOR = "aggregator"
_RECIPE, _MODEL = "recipe:", "model:"
_BESIDE = 3
_NAME_CHARS = 200
_SHOWN_CHARS = 60

MakeRecipe = Callable[[Recipe, Mixture], Recipe]


@dataclass(frozen=True, slots=True)
class Opponent:
    """What answers in a further column, by its id in ``SystemJson``; ``temperature`` None is its own."""

    system: str
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Versus:
    """Whether and how the next question is asked in several columns."""

    on: bool = False
    picked: tuple[Opponent, ...] = (Opponent(AGGREGATOR),)
    blind: bool = True
    reuse: bool = False


def parse(value: object) -> Versus:
    """The compare bar's value, checked. Raises InputRefused with what to change; anything may have been sent."""
    raw = value if isinstance(value, Mapping) else {}
    if raw.get("on") is not True:
        return Versus()
    picked = raw.get("picked")
    if not isinstance(picked, list) or not 1 <= len(picked) <= _BESIDE:
        raise InputRefused(texts.RELOAD)
    return Versus(True, tuple(map(_opponent, picked)), raw.get("blind") is not False, raw.get("reuse") is True)


def recipes(versus: Versus, mixture: Mixture, known: Mapping[str, Recipe], make: MakeRecipe) -> tuple[Recipe, ...]:
    """What answers in each column, the settings' own mixture first. Raises InputRefused for what isn't there."""
    base = known.get(mixture.base)
    if base is None:
        raise InputRefused(f"{texts.RECIPE}: choose one from the list.")
    others = [_recipe(opponent, base, mixture, known, make) for opponent in versus.picked]
    return make(base, mixture), *others


def choices(known: Mapping[str, Recipe], models: Sequence[ModelChoice]) -> list[SystemJson]:
    """All that can answer beside a mixture."""
    needs = {model.id: model.needs for model in models}
    own = SystemJson(id=AGGREGATOR, label=texts.AGGREGATOR_ALONE, group="own", needs=None)
    listed = (
        SystemJson(id=_RECIPE + r.id, label=r.title, group="recipe", needs=missing_key(r, needs))
        for r in known.values()
    )
    single = (SystemJson(id=_MODEL + m.id, label=m.label, group="model", needs=m.needs) for m in models)
    return [own, *listed, *single]


def missing_key(recipe: Recipe, needs: Mapping[str, str | None]) -> str | None:
    """The variable of a key that one of a recipe's models lacks, or None."""
    agents = chain.from_iterable(layer.agents for layer in recipe.layers)
    models = [*(agent.model for agent in agents), recipe.aggregator.model]
    return next((needs[model] for model in models if needs.get(model)), None)


def versus_json(versus: Versus, systems: list[SystemJson]) -> VersusJson:
    """The compare bar's value."""
    picked = [OpponentJson(system=o.system, temperature=o.temperature) for o in versus.picked]
    return VersusJson(on=versus.on, choices=systems, picked=picked, blind=versus.blind, reuse=versus.reuse, max=_BESIDE)


def named(names: str, systems: Sequence[SystemJson], without: str) -> tuple[tuple[Opponent, ...], tuple[str, ...]]:
    """The opponents that a link names, with commas between them, by the plain ids of recipes and models, each once and
    none that is ``without``, the recipe in the first column; and the names of those that can't be had, shortened."""
    offered = {system["id"] for system in systems if not system["needs"]} - {_RECIPE + without}
    found: list[str] = []
    unknown: list[str] = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        ids = (name, _RECIPE + name, _MODEL + name)
        system = next((id_ for id_ in ids if id_ in offered), None)
        if system and system not in found and len(found) < _BESIDE:
            found.append(system)
        else:
            unknown.append(name[:_SHOWN_CHARS])
    return tuple(map(Opponent, found)), tuple(dict.fromkeys(unknown))


def _opponent(item: object) -> Opponent:
    system = item.get("system") if isinstance(item, Mapping) else None
    if not isinstance(system, str) or not 0 < len(system) <= _NAME_CHARS or not isinstance(item, Mapping):
        raise InputRefused(texts.RELOAD)
    raw = item.get("temperature")
    if raw is None or raw == "":
        return Opponent(system)
    return Opponent(system, inputs.number(raw, 0.0, MAX_TEMPERATURE, texts.TEMPERATURE))


def _recipe(
    opponent: Opponent, base: Recipe, mixture: Mixture, known: Mapping[str, Recipe], make: MakeRecipe
) -> Recipe:
    warmth = opponent.temperature
    if opponent.system.startswith(_RECIPE):
        other = known.get(opponent.system.removeprefix(_RECIPE))
        if other is None:
            raise InputRefused(texts.CHOOSE_OPPONENT)
        own = of_recipe(other)
        return make(other, own if warmth is None else replace(own, temperature=warmth))
    model = mixture.aggregator if opponent.system == AGGREGATOR else opponent.system.removeprefix(_MODEL)
    if opponent.system not in (AGGREGATOR, _MODEL + model):
        raise InputRefused(texts.CHOOSE_OPPONENT)
    alone = replace(mixture, picked=(), aggregator=model, layers=1)
    made = make(base, alone if warmth is None else replace(alone, temperature=warmth))
    return replace(made, fallbacks=())  # a model that is measured by itself has nobody to stand in for it
