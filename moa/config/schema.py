"""The shape of the catalogue's TOML: which tables and keys there are, and what each may hold.

Strict (``"3"`` is not 3) and closed (an unknown key is an error). Rules that reach across keys are in
``checks``. Nothing is interpolated or evaluated: a text is a text.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from moa.core.domain import Budget, Layer
from moa.core.policy import Breaker, Caps, Deadlines, Limits, Retries

_DEADLINES, _LIMITS, _RETRIES, _BREAKER, _CAPS = Deadlines(), Limits(), Retries(), Breaker(), Caps()
_LAYER = Layer(())

MAX_PROPOSERS = 12
"""Most proposers in one layer."""

MAX_LAYERS = 6
"""Most layers in a file, counted with the aggregator."""

MAX_SYSTEM_CHARS = 8_000
"""Longest system prompt of a recipe or an agent."""

PROVIDER_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
RECIPE_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
MODEL_ID = r"^[a-z0-9][a-z0-9_-]{0,63}/[!-~]{1,200}$"
_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"

Line = Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[str, StringConstraints(max_length=MAX_SYSTEM_CHARS, pattern=r"^[^\x00]*$")]
ModelId = Annotated[str, StringConstraints(pattern=MODEL_ID)]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,63}$")]
HubRepo = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*$")
]
FileName = Annotated[str, StringConstraints(pattern=_FILE, max_length=300)]
Chars = Annotated[int, Field(ge=1, le=10_000_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Temperature = Annotated[float, Field(ge=0, le=2)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000)]


class Table(BaseModel):
    """A TOML table: frozen, strict, closed; numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """Only what the file sets."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class TimeoutsTable(Table):
    """``moa.core.policy.Deadlines``."""

    connect_s: Seconds = _DEADLINES.connect_s
    first_token_s: Seconds = _DEADLINES.first_token_s
    idle_s: Seconds = _DEADLINES.idle_s
    total_s: Seconds = _DEADLINES.total_s


class LimitsTable(Table):
    """``moa.core.policy.Limits``."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = _LIMITS.concurrency
    queue: Annotated[int, Field(ge=0, le=10_000)] = _LIMITS.queue


class RetriesTable(Table):
    """``moa.core.policy.Retries``."""

    attempts: Annotated[int, Field(ge=1, le=10)] = _RETRIES.attempts
    first_wait_s: Seconds = _RETRIES.first_wait_s
    max_wait_s: Seconds = _RETRIES.max_wait_s
    share: Annotated[float, Field(ge=0, le=1)] = _RETRIES.share


class BreakerTable(Table):
    """``moa.core.policy.Breaker``."""

    failures: Annotated[int, Field(ge=1, le=1_000)] = _BREAKER.failures
    window_calls: Annotated[int, Field(ge=1, le=10_000)] = _BREAKER.window_calls
    window_s: Seconds = _BREAKER.window_s
    open_s: Seconds = _BREAKER.open_s
    max_open_s: Seconds = _BREAKER.max_open_s


class CapsTable(Table):
    """``moa.core.policy.Caps``."""

    question_chars: Chars = _CAPS.question_chars
    proposal_chars: Chars = _CAPS.proposal_chars
    output_chars: Chars = _CAPS.output_chars
    turns: Annotated[int, Field(ge=1, le=10_000)] = _CAPS.turns


class ProviderTable(Table):
    """``[providers.NAME]``."""

    enabled: bool = True
    label: Line | None = None
    kind: Literal["openai", "embedded"] = "openai"
    base_url: str | None = None
    api_key_env: EnvName | None = None
    optional_key: bool = False
    discover: bool = True
    local: bool = False
    allow_private: bool = False
    price_provider: Line | None = None
    extra_body: dict[str, JsonValue] = {}
    limits: LimitsTable = LimitsTable()
    timeouts: TimeoutsTable = TimeoutsTable()
    retries: RetriesTable = RetriesTable()
    breaker: BreakerTable = BreakerTable()


class PriceTable(Table):
    """Dollars for a million tokens, as providers publish them."""

    input: Dollars
    output: Dollars


class ModelTable(Table):
    """``[models."provider/name"]``. The keys from ``file`` on are for embedded models alone."""

    enabled: bool = True
    label: Line | None = None
    wire_name: Line | None = None
    context_tokens: Annotated[int, Field(ge=256, le=100_000_000)] | None = None
    price: PriceTable | None = None
    reasoning: bool = False
    good_at: list[Literal["proposer", "analyst", "aggregator"]] = []
    extra_body: dict[str, JsonValue] = {}
    timeouts: TimeoutsTable = TimeoutsTable()
    file: Line | None = None
    wheel: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    wheel_file: FileName | None = None
    hub_repo: HubRepo | None = None
    hub_file: FileName | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    size_bytes: Annotated[int, Field(ge=1)] | None = None


class AgentTable(Table):
    """An agent of a recipe; a plain model id stands for a table with that ``model`` alone."""

    model: ModelId
    temperature: Temperature | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    system: Text | None = None
    label: Line | None = None
    count: Annotated[int, Field(ge=1, le=MAX_PROPOSERS)] = 1


def _as_table(value: object) -> object:
    return {"model": value} if isinstance(value, str) else value


AgentEntry = Annotated[AgentTable, BeforeValidator(_as_table)]


class LayerTable(Table):
    """``[[recipes.NAME.layer]]``: one layer of proposers; what it leaves out is the recipe's."""

    proposers: Annotated[list[AgentEntry], Field(min_length=1, max_length=MAX_PROPOSERS)]
    quorum: Annotated[int, Field(ge=1, le=MAX_PROPOSERS)] | None = None
    grace_s: Seconds | None = None
    deadline_s: Seconds | None = None


class BudgetTable(Table):
    """``moa.core.domain.Budget``; ``dollars`` is the whole run's."""

    calls: Annotated[int, Field(ge=1, le=10_000)] | None = None
    dollars: Dollars | None = None
    seconds: Seconds = Budget().seconds


class RecipeTable(Table):
    """``[recipes.NAME]``. ``layers`` counts the aggregator's."""

    enabled: bool = True
    title: Line
    about: Text = ""
    proposers: Annotated[list[AgentEntry], Field(max_length=MAX_PROPOSERS)] = []
    aggregator: AgentEntry
    layers: Annotated[int, Field(ge=1, le=MAX_LAYERS)] | None = None
    layer: Annotated[list[LayerTable], Field(max_length=MAX_LAYERS - 1)] = []
    quorum: Annotated[int, Field(ge=1, le=MAX_PROPOSERS)] | None = None
    grace_s: Seconds = _LAYER.grace_s
    deadline_s: Seconds = _LAYER.deadline_s
    fallbacks: Annotated[list[AgentEntry], Field(max_length=MAX_PROPOSERS)] = []
    prompt_style: Literal["paper", "fenced", "analysis"] = "fenced"
    temperature: Temperature | None = None
    system: Text | None = None
    budget: BudgetTable = BudgetTable()


class CatalogueFile(Table):
    """The whole file."""

    default_recipe: str
    caps: CapsTable = CapsTable()
    providers: dict[Annotated[str, StringConstraints(pattern=PROVIDER_NAME)], ProviderTable]
    models: dict[ModelId, ModelTable] = {}
    recipes: dict[Annotated[str, StringConstraints(pattern=RECIPE_NAME)], RecipeTable]
