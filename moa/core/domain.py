"""What a run is made of: frozen values without ids; ids belong to storage.

Words are those of Wang et al., *Mixture-of-Agents* (arXiv 2406.04692): proposers answer, layer upon
layer, and an aggregator writes the final answer. Unknown is ``None``, never 0. Money is integer
micro-dollars. Times are whole milliseconds on the monotonic clock, counted from the run's start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import orjson


class Role(StrEnum):
    """Who speaks in a conversation, as chat APIs name it."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Part(StrEnum):
    """What an agent is there for within its layer."""

    PROPOSER = "proposer"
    ANALYST = "analyst"
    AGGREGATOR = "aggregator"


class PromptStyle(StrEnum):
    """How proposals are put before the next layer; see ``moa.engine.prompts``."""

    PAPER = "paper"
    FENCED = "fenced"
    ANALYSIS = "analysis"


class Finish(StrEnum):
    """How a text ended: by itself, or cut by a limit. A text that broke off is a Failure."""

    STOP = "stop"
    LENGTH = "length"


class Status(StrEnum):
    """A run's status. ``RUNNING`` is the only one that is not final."""

    RUNNING = "running"
    COMPLETE = "complete"
    DEGRADED = "degraded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Slot(NamedTuple):
    """A place in a run: layer and position, both counted from 1. Written ``"2.1"``."""

    layer: int
    position: int

    def __str__(self) -> str:
        return f"{self.layer}.{self.position}"

    @classmethod
    def parse(cls, text: str) -> Slot:
        """Read ``"2.1"``. Raises ValueError on anything else."""
        layer, dot, position = text.partition(".")
        if not (dot and layer.isdecimal() and position.isdecimal() and len(text) <= 9):
            raise ValueError(f"not a slot: {text[:20]!r}")
        return cls(int(layer), int(position))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars for a million tokens, which is the published dollars per million × 10⁶."""

    input_microusd: int
    output_microusd: int


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a provider serves. ``id`` is ``provider/wire_name`` or a declared alias of it."""

    id: str
    provider: str
    wire_name: str
    label: str
    context_tokens: int | None = None
    price: Price | None = None
    reasoning: bool = False
    good_at: tuple[Part, ...] = ()
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling of one call; ``None`` leaves the provider's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """A model with a role, sampling and, if given, a persona of its own (``system``)."""

    model: str
    part: Part = Part.PROPOSER
    sampling: Sampling = Sampling()
    system: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """Proposers that are called together.

    ``quorum`` answers are enough: once they are in, the rest have ``grace_s`` more. Without a quorum all
    are waited for, until ``deadline_s``.
    """

    agents: tuple[Agent, ...]
    quorum: int | None = None
    grace_s: float = 10.0
    deadline_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of one run, checked before each call; ``None`` is no bound."""

    calls: int | None = None
    cost_microusd: int | None = None
    seconds: float = 900.0

    def within(self, other: Budget) -> Budget:
        """The narrower of two, bound by bound."""
        calls = [bound for bound in (self.calls, other.calls) if bound is not None]
        costs = [bound for bound in (self.cost_microusd, other.cost_microusd) if bound is not None]
        return Budget(min(calls, default=None), min(costs, default=None), min(self.seconds, other.seconds))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A mixture: layers of proposers, then one aggregator whose text is the answer.

    Layers are counted with the aggregator, as in the paper: ``layers`` holds one fewer than
    ``layer_count``. A recipe without proposers is a single model (one layer, one call).
    """

    id: str
    title: str
    layers: tuple[Layer, ...]
    aggregator: Agent
    fallbacks: tuple[Agent, ...] = ()
    prompt_style: PromptStyle = PromptStyle.FENCED
    system: str | None = None
    budget: Budget = Budget()
    about: str = ""

    @property
    def layer_count(self) -> int:
        """Layers with the aggregator's."""
        return len(self.layers) + 1

    @property
    def call_count(self) -> int:
        """Calls of a run in which nothing fails."""
        analyst = self.prompt_style is PromptStyle.ANALYSIS and bool(self.layers)
        return sum(len(layer.agents) for layer in self.layers) + 1 + analyst

    @property
    def digest(self) -> str:
        """SHA-256 (first 16 hex digits) of what decides the answers: all but id, title and about."""
        what = {k: getattr(self, k) for k in ("layers", "aggregator", "fallbacks", "prompt_style", "system", "budget")}
        return hashlib.sha256(orjson.dumps(what, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call or a run. ``estimated`` when the provider did not tell."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was trimmed from a prompt so that it fits the model's window."""

    turns: int = 0
    proposal_chars: int = 0

    def __bool__(self) -> bool:
        return bool(self.turns or self.proposal_chars)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A finished text of one slot, a proposer's or an aggregator's."""

    slot: Slot
    agent: Agent
    text: str
    finish: Finish = Finish.STOP
    usage: Usage | None = None
    attempts: int = 1
    first_token_ms: int | None = None
    duration_ms: int = 0
    cost_microusd: int | None = None
    reasoning: str = ""
    reused: bool = False


class FailureKind(StrEnum):
    """Why a slot has no usable text; grouped as ``moa.core.errors`` groups them."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNREACHABLE = "unreachable"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    CALL_TIMEOUT = "call_timeout"
    DROPPED = "dropped"
    MALFORMED = "malformed"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    FILTERED = "filtered"
    BAD_KEY = "bad_key"
    NO_KEY = "no_key"
    UNKNOWN_MODEL = "unknown_model"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    QUEUE_FULL = "queue_full"
    NOT_READY = "not_ready"
    LATE = "late"
    STOPPED = "stopped"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Failure:
    """A slot that ended without a proposal. ``public`` is safe to show; ``partial`` is what had arrived."""

    slot: Slot
    agent: Agent
    kind: FailureKind
    public: str
    retryable: bool = False
    attempts: int = 1
    duration_ms: int = 0
    partial: str = ""
    reasoning: str = ""


Outcome = Proposal | Failure


@dataclass(frozen=True, slots=True)
class Missing:
    """One reason why an answer is degraded: a slot that is missing (or ``None``: the run as a whole)."""

    slot: Slot | None
    label: str
    why: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended. ``answer_slot`` names the slot whose text is the answer."""

    status: Status
    answer: str
    answer_slot: Slot | None
    outcomes: tuple[Outcome, ...]
    degraded_because: tuple[Missing, ...] = ()
    usage: Usage | None = None
    cost_microusd: int | None = None
    calls: int = 0
    first_answer_ms: int | None = None
    duration_ms: int = 0

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """The slots that have a text."""
        return tuple(o for o in self.outcomes if isinstance(o, Proposal))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The slots that have none."""
        return tuple(o for o in self.outcomes if isinstance(o, Failure))
