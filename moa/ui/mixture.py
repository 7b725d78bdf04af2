"""The settings panel's values: from a recipe to the fields, and from the fields to a mixture. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from moa.core.domain import Recipe
from moa.core.errors import InputRefused
from moa.ui import inputs, texts
from moa.ui.contract import ChoiceJson, MixerJson, PickedJson
from moa.ui.ports import ModelChoice

MAX_PROPOSERS = 12
MAX_LAYERS = 5
MAX_TEMPERATURE = 2.0
_NAME_CHARS = 200
_SYSTEM_CHARS = 8_000


@dataclass(frozen=True, slots=True)
class Picked:
    """One model among the proposers, asked ``count`` times. ``label`` names a persona of the recipe it came from."""

    model: str
    count: int = 1
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Mixture:
    """What the settings panel says: a recipe and how it is changed. Values that are the recipe's own change nothing.

    ``temperature`` None leaves each agent's own.
    """

    base: str
    picked: tuple[Picked, ...]
    aggregator: str
    layers: int
    temperature: float | None
    system: str

    @property
    def calls(self) -> int:
        """Calls of one question: every proposer in every layer but the last, and the aggregator."""
        return sum(p.count for p in self.picked) * (self.layers - 1) + 1


def of_recipe(recipe: Recipe) -> Mixture:
    """A recipe as the panel shows it: the proposers of its first layer."""
    first = recipe.layers[0].agents if recipe.layers else ()
    counted = Counter((agent.model, agent.label) for agent in first)
    agents = [agent for layer in recipe.layers for agent in layer.agents] + [recipe.aggregator]
    temperatures = {agent.sampling.temperature for agent in agents}
    return Mixture(
        base=recipe.id,
        picked=tuple(Picked(model, count, label) for (model, label), count in counted.items()),
        aggregator=recipe.aggregator.model,
        layers=min(recipe.layer_count, MAX_LAYERS),
        temperature=temperatures.pop() if len(temperatures) == 1 else None,
        system=recipe.system or "",
    )


def parse(
    base: object, mixer: object, aggregator: object, layers: object, temperature: object, system: object
) -> Mixture:
    """The panel's raw values, checked. Raises InputRefused with what to change."""
    prompt = inputs.text(system).strip()
    if len(prompt) > _SYSTEM_CHARS:
        raise InputRefused(f"{texts.SYSTEM}: at most {_SYSTEM_CHARS:,} characters.")
    return Mixture(
        base=_name(base, texts.RECIPE),
        picked=picked(mixer.get("picked") if isinstance(mixer, dict) else None),
        aggregator=_name(aggregator, texts.AGGREGATOR),
        layers=inputs.whole(layers, 1, MAX_LAYERS, texts.LAYERS),
        temperature=_temperature(temperature),
        system=prompt,
    )


def picked(value: object) -> tuple[Picked, ...]:
    """The chosen proposers. Raises InputRefused when they are too many or not of the right form."""
    if not isinstance(value, list) or len(value) > MAX_PROPOSERS:
        raise InputRefused(texts.RELOAD)
    chosen = tuple(_picked(item) for item in value)
    if sum(p.count for p in chosen) > MAX_PROPOSERS:
        raise InputRefused(f"{texts.PROPOSERS}: at most {MAX_PROPOSERS}.")
    return chosen


def mixer_json(choices: Sequence[ModelChoice], chosen: Sequence[Picked]) -> MixerJson:
    """The proposer picker's value."""
    return MixerJson(
        choices=[ChoiceJson(id=c.id, label=c.label, provider=c.provider, needs=c.needs, note=c.note) for c in choices],
        picked=[PickedJson(model=p.model, label=p.label, count=p.count) for p in chosen],
        max=MAX_PROPOSERS,
    )


def _temperature(value: object) -> float | None:
    if value is None or value == "":
        return None
    return inputs.number(value, 0.0, MAX_TEMPERATURE, texts.TEMPERATURE)


def _picked(item: object) -> Picked:
    if not isinstance(item, dict):
        raise InputRefused(texts.RELOAD)
    label = item.get("label")
    return Picked(
        model=_name(item.get("model"), texts.PROPOSERS),
        count=inputs.whole(item.get("count", 1), 1, MAX_PROPOSERS, texts.PROPOSERS),
        label=_name(label, texts.PROPOSERS) if label else None,
    )


def _name(value: object, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _NAME_CHARS:
        raise InputRefused(f"{what}: choose one from the list.")
    return value
