"""The shape of our own JSON export, version 1: what stands where, and how large it may be. ``archive`` writes it.

It is checked on what a JSON parser gives, and strictly: ``true`` and ``"1"`` are no numbers. Keys that are missing
here are passed over, so that a later version may add some; one that older apps would misread raises the version.
Lists fail at their first wrong item: a hostile one would have a million. Lengths of questions and answers are bounded
by the app's caps, when the values are made. A recipe's numbers may be what a catalogue may set: an imported question
can be asked again, with its recipe.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StrictBool, StringConstraints

from moa.core.domain import FailureKind, Finish, Part, PromptStyle, Role, Status

CONVERSATION, ARCHIVE = "moa-chat/conversation", "moa-chat/archive"
VERSION = 1

_SLOTS = 500
_FURTHER = 3  # columns beside the first
_FIRST, _LAST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


def _is_text(value: object) -> object:
    if not isinstance(value, str):  # a number would be taken for seconds since 1970
        raise ValueError("should be a text")  # noqa: TRY004 - pydantic takes a ValueError
    return value


def _whole(least: int, most: int) -> Any:
    return Field(strict=True, ge=least, le=most)


def _decimal(most: float) -> Any:
    return Field(strict=True, ge=0, le=most)


Number = Annotated[int, _whole(0, 10**12)]
Count = Annotated[int, _whole(1, 10_000)]
Seed = Annotated[int, _whole(0, 2**63 - 1)]
Seconds = Annotated[float, _decimal(86_400)]
Name = Annotated[str, StringConstraints(max_length=300)]
Line = Annotated[str, StringConstraints(max_length=2_000)]
System = Annotated[str, StringConstraints(max_length=8_000)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Place = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}\.[1-9][0-9]{0,3}$")]
Moment = Annotated[AwareDatetime, Field(ge=_FIRST, lt=_LAST), BeforeValidator(_is_text)]


@dataclass(frozen=True, slots=True)
class SamplingShape:
    """``moa.core.domain.Sampling``."""

    temperature: Annotated[float, _decimal(2)] | None = None
    top_p: Annotated[float, _decimal(1)] | None = None
    max_tokens: Annotated[int, _whole(1, 1_000_000)] | None = None
    seed: Seed | None = None
    stop: Annotated[tuple[Name, ...], Field(max_length=16)] = ()


@dataclass(frozen=True, slots=True)
class AgentShape:
    """``moa.core.domain.Agent``."""

    model: Name
    part: Part
    sampling: SamplingShape = SamplingShape()
    system: System | None = None
    label: Name | None = None


Agents = Annotated[tuple[AgentShape, ...], Field(max_length=12)]


@dataclass(frozen=True, slots=True)
class LayerShape:
    """``moa.core.domain.Layer``."""

    agents: Annotated[Agents, Field(min_length=1)]
    quorum: Count | None
    grace_s: Seconds
    deadline_s: Seconds


@dataclass(frozen=True, slots=True)
class BudgetShape:
    """``moa.core.domain.Budget``."""

    calls: Count | None
    cost_microusd: Number | None
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class RecipeShape:
    """``moa.core.domain.Recipe``."""

    id: Name
    title: Name
    layers: Annotated[tuple[LayerShape, ...], Field(max_length=5)]
    aggregator: AgentShape
    fallbacks: Agents
    prompt_style: PromptStyle
    system: System | None
    budget: BudgetShape
    about: System = ""


@dataclass(frozen=True, slots=True)
class UsageShape:
    """``moa.core.domain.Usage``."""

    input_tokens: Number
    output_tokens: Number
    estimated: StrictBool


@dataclass(frozen=True, slots=True)
class LeftOutShape:
    """``moa.core.domain.LeftOut``."""

    turns: Number
    proposal_chars: Number


@dataclass(frozen=True, slots=True)
class MessageShape:
    """One message of a call, where it is no text that stands elsewhere in the conversation."""

    role: Role
    text: str


Sent = Annotated[tuple[MessageShape | Key, ...], Field(fail_fast=True)]
"""The messages of a call. A key is a turn's (its question, as the user's message) or a run's (its answer, without
blanks around it, as the assistant's): a long conversation is not repeated in each of its calls."""


@dataclass(frozen=True, slots=True)
class ProposalShape:
    """A slot that has a text: ``moa.core.domain.Proposal`` and what was sent for it."""

    slot: Place
    status: Literal["done"]
    agent: AgentShape
    text: str
    reasoning: str
    finish: Finish
    usage: UsageShape | None
    attempts: Number
    first_token_ms: Number | None
    duration_ms: Number
    cost_microusd: Number | None
    reused: StrictBool
    left_out: LeftOutShape
    messages: Sent


@dataclass(frozen=True, slots=True)
class FailureShape:
    """A slot that has none: ``moa.core.domain.Failure``. ``text`` is what had arrived."""

    slot: Place
    status: Literal["failed"]
    agent: AgentShape
    kind: FailureKind
    public: Line
    retryable: StrictBool
    text: str
    reasoning: str
    attempts: Number
    duration_ms: Number
    left_out: LeftOutShape
    messages: Sent


@dataclass(frozen=True, slots=True)
class GrowingShape:
    """A slot of a run under way, as far as its text was stored."""

    slot: Place
    status: Literal["growing"]
    text: str


@dataclass(frozen=True, slots=True)
class MissingShape:
    """``moa.core.domain.Missing``."""

    slot: Place | None
    label: Line
    why: Line


@dataclass(frozen=True, slots=True)
class ResultShape:
    """``moa.core.domain.RunResult``; ``outcomes`` names slots in the order in which it was told of them."""

    answer: str
    answer_slot: Place | None
    outcomes: Annotated[tuple[Place, ...], Field(max_length=_SLOTS, fail_fast=True)]
    degraded_because: Annotated[tuple[MissingShape, ...], Field(max_length=_SLOTS, fail_fast=True)]
    usage: UsageShape | None
    cost_microusd: Number | None
    calls: Number
    first_answer_ms: Number | None
    duration_ms: Number


AnySlot = Annotated[ProposalShape | FailureShape | GrowingShape, Field(discriminator="status")]


@dataclass(frozen=True, slots=True)
class RunShape:
    """An attempt at a turn. Without a result it was under way."""

    id: Key
    status: Status
    started_at: Moment
    heartbeat_at: Moment | None
    seed: Seed
    result: ResultShape | None
    recipe: RecipeShape
    slots: Annotated[tuple[AnySlot, ...], Field(max_length=_SLOTS, fail_fast=True)]


@dataclass(frozen=True, slots=True)
class ComparisonShape:
    """``moa.chat.values.Comparison``."""

    order: Annotated[tuple[Count, ...], Field(min_length=2, max_length=1 + _FURTHER)]
    blind: StrictBool


Runs = Annotated[tuple[RunShape, ...], Field(min_length=1, fail_fast=True)]


@dataclass(frozen=True, slots=True)
class TurnShape:
    """A question. Its parent stands before it. ``columns`` are the second and those after it of a comparison, each with
    its runs."""

    id: Key
    parent: Key | None
    created_at: Moment
    question: str
    shown: Key
    runs: Runs
    comparison: ComparisonShape | None = None
    columns: Annotated[tuple[Runs, ...], Field(max_length=_FURTHER)] = ()


@dataclass(frozen=True, slots=True)
class ConversationShape:
    """A whole conversation. ``head`` is the last turn of the path shown."""

    title: Line
    created_at: Moment
    updated_at: Moment
    head: Key
    turns: Annotated[tuple[TurnShape, ...], Field(min_length=1, fail_fast=True)]
