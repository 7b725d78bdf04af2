"""What the HTTP API answers: completions in OpenAI's shape, with the run that they came from as ``moa``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel

from moa.api.ports import LabelOf
from moa.core.domain import Agent, Failure, Finish, Missing, Part, Proposal, RunResult, Slot, Usage
from moa.core.view import Panel, RunView

PREFIX = "chatcmpl-"
"""What stands before a run's id to make that of its completion."""


class UsageJson(BaseModel):
    """Tokens of all calls together, or of one."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CallJson(BaseModel):
    """One agent's part. Unknown is null; money is in micro-dollars; ``text`` is what it wrote, finished or not."""

    slot: str
    agent: str
    model: str
    part: str
    status: str
    text: str
    error: str | None = None
    error_kind: str | None = None
    attempts: int | None = None
    first_token_ms: int | None = None
    duration_ms: int | None = None
    usage: UsageJson | None = None
    usage_estimated: bool | None = None
    cost_microusd: int | None = None


class LayerJson(BaseModel):
    """The agents that were asked together, counted from 1."""

    layer: int
    proposals: list[CallJson]


class DegradedJson(BaseModel):
    """What is missing from the answer, and why."""

    slot: str | None
    agent: str
    why: str


class MoaJson(BaseModel):
    """A run. ``writers`` are the agents that were to write the answer: more than one when the first failed."""

    run: str
    recipe: str
    title: str
    status: str
    layers: list[LayerJson]
    writers: list[CallJson]
    answer_slot: str | None
    degraded: list[DegradedJson]
    calls: int | None
    usage_estimated: bool | None
    cost_microusd: int | None
    first_answer_ms: int | None
    duration_ms: int


class MessageJson(BaseModel):
    """The answer, and the proposals it was written from as one text."""

    role: Literal["assistant"] = "assistant"
    content: str
    reasoning_content: str | None
    refusal: None = None


class ChoiceJson(BaseModel):
    """The one choice there is."""

    index: Literal[0] = 0
    message: MessageJson
    finish_reason: Literal["stop", "length"]
    logprobs: None = None


class CompletionJson(BaseModel):
    """The body of an answer that is not streamed."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChoiceJson]
    usage: UsageJson | None
    moa: MoaJson


class RunJson(BaseModel):
    """A run as it stands; ``answer`` is as far as it is written."""

    id: str
    object: Literal["moa.run"] = "moa.run"
    status: str
    answer: str
    usage: UsageJson | None
    moa: MoaJson


def name_of(agent: Agent, label_of: LabelOf) -> str:
    """An agent as readers know it: its persona with the model, or the model alone."""
    model = label_of(agent.model)
    return f"{agent.label} ({model})" if agent.label and agent.label != model else model


def heading(agent: Agent, slot: Slot, label_of: LabelOf) -> str:
    """What stands above an agent's words where several are told in one text."""
    return f"### {name_of(agent, label_of)} · layer {slot.layer}\n\n"


def thought_of(view: RunView, label_of: LabelOf) -> str:
    """The proposals of a run in one text, then what the answer's writer thought aloud."""
    told = [
        heading(panel.agent, panel.slot, label_of) + "\n\n".join(filter(None, (panel.text, _last_words(panel))))
        for _, panels in view.layers()
        for panel in panels
    ]
    if (writer := view.answer()) is not None and writer.reasoning:
        above = heading(writer.agent, writer.slot, label_of) if told else ""
        told.append(above + writer.reasoning)
    return "\n\n".join(told)


def _last_words(panel: Panel) -> str:
    return f"*{panel.outcome.public}*" if isinstance(panel.outcome, Failure) else ""


def usage_json(usage: Usage | None) -> UsageJson | None:
    """Tokens in OpenAI's words."""
    if usage is None:
        return None
    read, written = usage.input_tokens, usage.output_tokens
    return UsageJson(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


def finish_of(result: RunResult) -> Literal["stop", "length"]:
    """Whether the answer ended by itself."""
    written = next((o for o in result.outcomes if o.slot == result.answer_slot), None)
    return "length" if isinstance(written, Proposal) and written.finish is Finish.LENGTH else "stop"


def moa_json(run_id: str, view: RunView, label_of: LabelOf) -> MoaJson:
    """The run that a view shows, under way or over."""
    result, panels = view.result, sorted(view.panels.values(), key=lambda panel: panel.slot)
    usage = result.usage if result else view.usage()
    slot = result.answer_slot if result else None
    return MoaJson(
        run=run_id,
        recipe=view.recipe.id if view.recipe else "",
        title=view.recipe.title if view.recipe else "",
        status=str(view.status),
        layers=[_layer(number, found, label_of) for number, found in view.layers()],
        writers=[_call(panel, label_of) for panel in panels if panel.agent.part is Part.AGGREGATOR],
        answer_slot=str(slot) if slot else None,
        degraded=[_degraded(missing) for missing in view.degraded],
        calls=result.calls if result else None,
        usage_estimated=usage.estimated if usage else None,
        cost_microusd=result.cost_microusd if result else None,
        first_answer_ms=result.first_answer_ms if result else None,
        duration_ms=result.duration_ms if result else view.at_ms,
    )


def run_json(run_id: str, view: RunView, label_of: LabelOf) -> RunJson:
    """The body of ``GET /v1/runs/{id}``."""
    writer = view.answer()
    answer = view.result.answer if view.result else writer.text if writer else ""
    usage = view.result.usage if view.result else view.usage()
    made = moa_json(run_id, view, label_of)
    return RunJson(id=run_id, status=made.status, answer=answer, usage=usage_json(usage), moa=made)


def completion_json(
    run_id: str, view: RunView, result: RunResult, label_of: LabelOf, *, created: int, model: str
) -> CompletionJson:
    """The body of a run that gave an answer."""
    message = MessageJson(content=result.answer, reasoning_content=thought_of(view, label_of) or None)
    return CompletionJson(
        id=PREFIX + run_id,
        created=created,
        model=model,
        choices=[ChoiceJson(message=message, finish_reason=finish_of(result))],
        usage=usage_json(result.usage),
        moa=moa_json(run_id, view, label_of),
    )


def _layer(number: int, panels: Sequence[Panel], label_of: LabelOf) -> LayerJson:
    return LayerJson(layer=number, proposals=[_call(panel, label_of) for panel in panels])


def _call(panel: Panel, label_of: LabelOf) -> CallJson:
    made = CallJson(
        slot=str(panel.slot),
        agent=name_of(panel.agent, label_of),
        model=panel.agent.model,
        part=str(panel.agent.part),
        status=str(panel.status),
        text=panel.text,
    )
    match panel.outcome:
        case Proposal() as done:
            told = {
                "first_token_ms": done.first_token_ms,
                "cost_microusd": done.cost_microusd,
                "usage": usage_json(done.usage),
            }
            estimated = done.usage.estimated if done.usage else None
            return made.model_copy(update={**_took(done), **told, "usage_estimated": estimated})
        case Failure() as failed:
            return made.model_copy(update={**_took(failed), "error": failed.public, "error_kind": str(failed.kind)})
    return made


def _took(outcome: Proposal | Failure) -> Mapping[str, int]:
    return {"attempts": outcome.attempts, "duration_ms": outcome.duration_ms}


def _degraded(missing: Missing) -> DegradedJson:
    slot: Slot | None = missing.slot
    return DegradedJson(slot=str(slot) if slot else None, agent=missing.label, why=missing.why)
