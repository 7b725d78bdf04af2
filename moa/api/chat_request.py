"""The body of ``POST /v1/chat/completions``: what is taken, what is refused by name, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from moa.api.problems import Problem
from moa.core.domain import Agent, Message, Recipe, Role, Sampling
from moa.core.text import clean

_INT64 = 2**63
_STOPS, _STOP_CHARS = 16, 256
_MODEL_CHARS = 300


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class TextPart(_Body):
    """A part of a message. There are no others than texts."""

    type: Literal["text"]
    text: str


class ChatMessage(_Body):
    """One message of the conversation. Parts are joined by line ends."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]


class StreamOptions(_Body):
    """What a stream tells besides the answer."""

    include_usage: bool = False


def _whole(value: object) -> object:
    """To JSON, 1.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
Temperature = Annotated[float, Field(ge=0, le=2)]
Stop = Annotated[str, Field(min_length=1, max_length=_STOP_CHARS)]
Tokens = Annotated[Whole, Field(ge=1, le=1_000_000)]


class ChatRequest(_Body):
    """What is taken. Sampling is for the agent that writes the answer; ``moa`` makes a mixture of one's own."""

    model: Annotated[str, Field(min_length=1, max_length=_MODEL_CHARS)]
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    seed: Annotated[Whole, Field(ge=-_INT64, lt=_INT64)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=_STOPS)] | None = None
    moa: dict[str, JsonValue] | None = None
    background: bool | None = None


REF = "#/components/schemas/{model}"
OPENAPI_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": REF.format(model=ChatRequest.__name__)}}},
    }
}
"""What OpenAPI says of the body: it is read here and not by the framework, which would refuse in another shape."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that can be carried out. ``system`` are its system messages in one."""

    model: str
    messages: tuple[Message, ...]
    system: str | None
    sampling: Mapping[str, Any]
    mixture: Mapping[str, object] | None
    stream: bool
    include_usage: bool
    background: bool

    def recipe(self, base: Recipe) -> Recipe:
        """The recipe as this request wants it: what it says of sampling goes to whoever writes the answer, and its
        system messages stand behind the recipe's own."""

        def told(agent: Agent) -> Agent:
            sampling: Sampling = replace(agent.sampling, **self.sampling)
            return agent if sampling == agent.sampling else replace(agent, sampling=sampling)

        system = "\n\n".join(text for text in (base.system, self.system) if text) or None
        fallbacks = tuple(told(agent) for agent in base.fallbacks)
        return replace(base, aggregator=told(base.aggregator), fallbacks=fallbacks, system=system)


def read(body: bytes) -> Asked:
    """Raises Problem (400) that names the field."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(400, "The request is not valid JSON.", code="invalid_json") from None
    if not isinstance(value, dict):
        raise Problem(400, "The request must be a JSON object.", code="invalid_json")
    _refuse_fields(value)
    _refuse_in_messages(value.get("messages"))
    try:
        request = ChatRequest.model_validate(value)
    except ValidationError as error:
        raise _wrong(error) from None
    return _asked(request)


def _asked(request: ChatRequest) -> Asked:
    told = [(message.role, clean(_text(message.content))) for message in request.messages]
    systems = [text for role, text in told if role in ("system", "developer") and text]
    sampling = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_completion_tokens or request.max_tokens,
        "seed": request.seed,
        "stop": (request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ()) or None,
    }
    return Asked(
        request.model,
        tuple(Message(Role(role), text) for role, text in told if role in ("user", "assistant")),
        "\n\n".join(systems) or None,
        {name: value for name, value in sampling.items() if value is not None},
        request.moa,
        bool(request.stream),
        bool(request.stream_options and request.stream_options.include_usage),
        bool(request.background),
    )


def _text(content: str | list[TextPart]) -> str:
    return content if isinstance(content, str) else "\n".join(part.text for part in content)


def _wrong(error: ValidationError) -> Problem:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    # Where a field may be of two forms, the path also names the form that was tried.
    at = [step for step in first["loc"] if isinstance(step, int) or (step != "str" and step.isidentifier())]
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")
    code = "missing" if first["type"] == "missing" else "invalid_value"
    return Problem(400, f'"{where}": {first["msg"]}.', param=where or None, code=code)


# -- what can't be honoured

_OFF: tuple[object, ...] = (None, False, 0, [], {})
_MEANS_NOTHING: dict[str, Callable[[Any], bool]] = {
    "tools": lambda v: v in _OFF,
    "functions": lambda v: v in _OFF,
    "tool_choice": lambda v: v in (None, "none", "auto"),
    "function_call": lambda v: v in (None, "none", "auto"),
    "n": lambda v: v is None or (v == 1 and v is not True),
    "response_format": lambda v: v in (None, {"type": "text"}),
    "modalities": lambda v: v in (None, ["text"]),
    **dict.fromkeys(
        (
            "logprobs", "top_logprobs", "logit_bias", "presence_penalty", "frequency_penalty", "audio",
            "web_search_options", "reasoning_effort", "moderation", "top_k", "min_p", "repetition_penalty",
        ),
        lambda v: v in _OFF,
    ),
}  # fmt: skip
REFUSED = tuple(_MEANS_NOTHING)
"""Fields that are refused when they ask for anything."""


def _refuse_fields(body: Mapping[str, Any]) -> None:
    for name, harmless in _MEANS_NOTHING.items():
        if name in body and not harmless(body[name]):
            raise _unsupported(name)


def _refuse_in_messages(messages: object) -> None:
    for number, message in enumerate(messages if isinstance(messages, list) else ()):
        if not isinstance(message, dict):
            continue
        at = f"messages[{number}]"
        if message.get("role") in ("tool", "function"):
            raise _unsupported(f"{at}.role")
        for name in ("tool_calls", "function_call", "audio"):
            if message.get(name):
                raise _unsupported(f"{at}.{name}")
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind != "text":
                raise _unsupported(f"{at}.content[{place}]", f" ({clean(kind)[:40]})")


def _unsupported(name: str, more: str = "") -> Problem:
    words = f'"{name}"{more} can\'t be honoured here: leave it out.'
    return Problem(400, words, param=name, code="unsupported_parameter")
