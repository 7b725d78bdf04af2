"""Mixtures put together by a user: on the page, in a request, on the command line. Pure; nothing is trusted.

A user picks from what the catalogue offers. There is no way to name a provider, an address or a key here:
such a field is unknown, and refused like any other. What is refused is an InputRefused that names the limit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from moa.config.checks import CUSTOM
from moa.config.problems import from_validation, printable
from moa.config.schema import MAX_PROPOSERS, MAX_SYSTEM_CHARS, AgentEntry, AgentTable
from moa.core.domain import Agent, Layer, Part, Recipe, Sampling
from moa.core.errors import InputRefused

CUSTOM_ID = CUSTOM
CUSTOM_TITLE = "Custom mixture"
CUSTOM_LAYERS = 5
"""Most layers of a user's mixture, counted with the aggregator."""

Pick = str | Mapping[str, object]
"""A model id, or a table as in TOML: model, temperature, top_p, max_tokens, seed, system, label, count."""


def parse_proposers(raw: object) -> tuple[AgentTable, ...]:
    """Read a list of picks, or one text of ids with commas between them; at most 12 with their counts."""
    entries = [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw
    if not isinstance(entries, Sequence):
        raise InputRefused("The proposers must be a list of models.")
    if len(entries) > MAX_PROPOSERS:
        raise _too_many()
    tables = tuple(_parse_one(i, entry) for i, entry in enumerate(entries, start=1))
    if sum(table.count for table in tables) > MAX_PROPOSERS:
        raise _too_many()
    return tables


def custom_recipe(
    catalogue_models: Callable[[str], bool] | Container[str],
    *,
    base: Recipe,
    proposers: Sequence[Pick],
    aggregator: str,
    layers: int | None,
    temperature: float | None = None,
    system: str | None = None,
    quorum: int | None = None,
    grace_s: float | None = None,
    deadline_s: float | None = None,
) -> Recipe:
    """The mixture that these settings make of ``base``, or ``base`` itself when they change nothing.

    ``None`` leaves what ``base`` says; an empty ``system`` removes it. With one layer the proposers are
    ignored. A proposer or aggregator that ``base`` has too keeps its persona (label, system, sampling) unless
    the pick says otherwise; a ``temperature`` other than the one shown for ``base`` is for every agent.
    Prompt style, budget and fallbacks stay. Raises InputRefused: unknown models by name, numbers and lengths
    with their limit.
    """
    count = _layers(layers, base)
    heads = parse_proposers(proposers) if count > 1 else ()
    if count > 1 and not heads:
        raise InputRefused("Choose at least one proposer, or set layers to 1.")
    _refuse_unknown(catalogue_models, [*(head.model for head in heads), aggregator])
    warmth = _new_temperature(base, temperature)
    timing = _Timing(
        quorum=_between("The quorum", quorum, 1, MAX_PROPOSERS, whole=True),
        grace_s=_between("The grace period in seconds", grace_s, 0, 600),
        deadline_s=_between("A layer's deadline in seconds", deadline_s, 1, 3_600),
    )
    made = replace(
        base,
        layers=_made_layers(base, heads, count, warmth, timing),
        aggregator=_aggregator(base, aggregator, warmth),
        fallbacks=tuple(_warmed(agent, warmth) for agent in base.fallbacks),
        system=base.system if system is None else _system(system, base),
    )
    return base if made == base else replace(made, id=CUSTOM_ID, title=CUSTOM_TITLE, about="")


@dataclass(frozen=True, slots=True)
class _Timing:
    quorum: float | None
    grace_s: float | None
    deadline_s: float | None


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)
    pick: AgentEntry


def _parse_one(number: int, entry: object) -> AgentTable:
    raw = dict(entry) if isinstance(entry, Mapping) else entry
    try:
        return _Entry.model_validate({"pick": raw}).pick
    except ValidationError as error:
        problem = from_validation(error, _Entry)[0]
        key = printable(" ".join(str(step) for step in problem.at[1:]))
        raise InputRefused(f"Proposer {number}: {key} {problem.what}.".replace("  ", " ")) from None


def _too_many() -> InputRefused:
    return InputRefused(f"At most {MAX_PROPOSERS} proposers can be asked in a layer.")


def _refuse_unknown(known: Callable[[str], bool] | Container[str], ids: Sequence[str]) -> None:
    exists = known if callable(known) else known.__contains__
    unknown = [repr(str(id_)[:80]) for id_ in ids if not (isinstance(id_, str) and exists(id_))]
    if unknown:
        raise InputRefused(
            f"There is no model {', '.join(dict.fromkeys(unknown))} here; choose one from the list."
        )


def _layers(layers: float | None, base: Recipe) -> int:
    if layers is None or layers == base.layer_count:
        return base.layer_count
    return int(_between("The number of layers", layers, 1, CUSTOM_LAYERS, whole=True) or 1)


def _between(
    what: str, value: float | None, least: float, most: float, *, whole: bool = False
) -> float | None:
    if value is None:
        return None
    number = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
    if not number or not least <= value <= most or (whole and value != int(value)):
        raise InputRefused(f"{what} must be {'a whole number ' if whole else ''}from {least:g} to {most:g}.")
    return value


def _system(text: str, base: Recipe) -> str | None:
    if not isinstance(text, str) or len(text) > MAX_SYSTEM_CHARS:
        raise InputRefused(f"The system prompt can have at most {MAX_SYSTEM_CHARS:,} characters.")
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise InputRefused("The system prompt holds characters that can't be stored; type it again.")
    if text.strip() == (base.system or "").strip():  # blanks around it are no change
        return base.system
    return text if text.strip() else None


def _agents(recipe: Recipe) -> list[Agent]:
    return [*(agent for layer in recipe.layers for agent in layer.agents), recipe.aggregator]


def _common_temperature(recipe: Recipe) -> float | None:
    found = {agent.sampling.temperature for agent in _agents(recipe)}
    return found.pop() if len(found) == 1 else None


def _new_temperature(base: Recipe, temperature: float | None) -> float | None:
    """The temperature to set everywhere, or ``None`` when it is what ``base`` shows already."""
    value = _between("The temperature", temperature, 0, 2)
    return None if value is None or value == _common_temperature(base) else float(value)


def _made_layers(
    base: Recipe, heads: tuple[AgentTable, ...], count: int, warmth: float | None, timing: _Timing
) -> tuple[Layer, ...]:
    """One layer fewer than ``count``: those of ``base``, its last repeated, while the proposers stay."""
    if not heads:
        return ()
    first = base.layers[0] if base.layers else Layer(())
    agents = _proposers(base, first.agents, heads)
    same = Counter(agents) == Counter(first.agents)  # a picker that groups by model changes only the order
    rows = base.layers if same else (replace(first, agents=agents),)
    rows = (*rows, *[rows[-1]] * count)[: count - 1]
    return tuple(_timed(row, warmth, timing) for row in rows)


def _timed(layer: Layer, warmth: float | None, timing: _Timing) -> Layer:
    heads = len(layer.agents)
    if timing.quorum is not None and timing.quorum > heads:
        raise InputRefused(f"The quorum must be at most {heads}, the number of proposers.")
    quorum = int(timing.quorum) if timing.quorum is not None else layer.quorum
    return replace(
        layer,
        agents=tuple(_warmed(agent, warmth) for agent in layer.agents),
        quorum=min(quorum, heads) if quorum is not None else None,
        grace_s=timing.grace_s if timing.grace_s is not None else layer.grace_s,
        deadline_s=timing.deadline_s if timing.deadline_s is not None else layer.deadline_s,
    )


def _proposers(base: Recipe, agents: tuple[Agent, ...], heads: tuple[AgentTable, ...]) -> tuple[Agent, ...]:
    """An agent for each head. A persona of ``base`` is taken over once: by model and label, else by model."""
    left, warmth = list(agents), _common_temperature(base)
    made = []
    for head in heads:
        for _ in range(head.count):
            same = [agent for agent in left if agent.model == head.model]
            kept = next((agent for agent in same if agent.label == head.label), same[0] if same else None)
            if kept is not None:
                left.remove(kept)
            made.append(_told(kept or _plain(base, head.model, Part.PROPOSER, warmth), head))
    return tuple(made)


def _told(agent: Agent, head: AgentTable) -> Agent:
    """The agent with what the pick says of it."""
    told: dict[str, Any] = {name: value for name, value in head.given().items() if value is not None}
    of_agent = {name: told[name] for name in ("system", "label") if name in told}
    of_sampling = {
        name: told[name] for name in ("temperature", "top_p", "max_tokens", "seed") if name in told
    }
    return replace(agent, sampling=replace(agent.sampling, **of_sampling), **of_agent)


def _plain(base: Recipe, model: str, part: Part, warmth: float | None) -> Agent:
    """An agent without a persona, under the widest cap that ``base`` sets this model."""
    caps = [agent.sampling.max_tokens for agent in _agents(base) if agent.model == model]
    return Agent(model, part, Sampling(temperature=warmth, max_tokens=max(caps, key=_size, default=None)))


def _size(cap: int | None) -> float:
    return math.inf if cap is None else cap


def _aggregator(base: Recipe, model: str, warmth: float | None) -> Agent:
    """The aggregator of ``base``, or another model at its temperature."""
    own = base.aggregator
    if model == own.model:
        return _warmed(own, warmth)
    return _warmed(_plain(base, model, Part.AGGREGATOR, own.sampling.temperature), warmth)


def _warmed(agent: Agent, warmth: float | None) -> Agent:
    return agent if warmth is None else replace(agent, sampling=replace(agent.sampling, temperature=warmth))
