"""Real refusals, as they stand in public bug reports of each provider, and what the next request leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moa.providers.quirks import find

SYSTEM = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
BODY: dict[str, Any] = {
    "model": "m",
    "messages": SYSTEM,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.7,
    "top_p": 0.9,
    "max_tokens": 100,
    "seed": 7,
    "stop": ["END"],
}


def adapt(body: dict[str, Any], error: str) -> dict[str, Any] | None:
    """The next request as the provider makes it; None when the error asks for none."""
    quirk = find(body, error)
    return None if quirk is None else quirk.apply(body)


def openai(message: str, param: str | None = None, code: str | None = None) -> str:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}})


def mistral(*where: str) -> str:
    detail = [{"type": "extra_forbidden", "loc": ["body", *where], "msg": "Extra inputs are not permitted", "input": 1}]
    return json.dumps({"object": "error", "message": {"detail": detail}, "type": "invalid_request_error", "code": None})


def google(message: str) -> str:
    return json.dumps([{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}], indent=2)


DROPPED = [
    (
        "temperature",
        openai("Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1)."),
    ),
    ("top_p", openai("Unsupported parameter: 'top_p' is not supported with this model.", "top_p")),
    ("stop", openai("Unsupported parameter: 'stop' is not supported with this model.", "stop")),
    ("stream_options", openai("Unknown parameter: 'stream_options'.", "stream_options", "unknown_parameter")),
    ("stream_options", openai("Unrecognized request argument supplied: stream_options")),
    ("stream_options", mistral("stream_options", "include_usage")),
    ("seed", mistral("seed")),
    ("seed", '{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]}'),
    ("seed", google('Invalid JSON payload received. Unknown name "seed": Cannot find field.')),
    ("stream_options", openai("property 'stream_options' is unsupported, did you mean 'stream'?")),
    ("stream_options", '{"code":"400","error":"Argument not supported: stream_options"}'),
    ("stop", '{"code":"400","error":"Argument not supported on this model: stop"}'),
    ("temperature", openai("`temperature` is deprecated for this model.")),
    ("top_p", openai("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")),
    ("top_p", openai("temperature and top_p cannot both be specified for this model. Please use only one.")),
    (
        "stream_options",
        (
            "{'object': 'error', 'message': \"[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': "
            "'Extra inputs are not permitted', 'input': {'include_usage': True}}]\"}"
        ),
    ),
]


@pytest.mark.parametrize(("name", "error"), DROPPED)
def test_an_unsupported_parameter_is_dropped_for_good(name: str, error: str) -> None:
    adapted = adapt(BODY, error)
    assert adapted == {key: value for key, value in BODY.items() if key != name}
    quirk = find(BODY, error)
    assert quirk is not None
    assert quirk.lasting


@pytest.mark.parametrize(
    "error",
    [
        openai("max_tokens is too large: 6000. This model supports at most 4096 completion tokens.", "max_tokens"),
        openai(
            "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is 64001 "
            "tokens and your request has 24235 input tokens (64000 > 64001 - 24235)."
        ),
    ],
)
def test_a_limit_that_is_too_large_is_dropped_this_once(error: str) -> None:
    quirk = find(BODY, error)
    assert quirk is not None
    assert (quirk.name, quirk.renamed, quirk.lasting) == ("max_tokens", None, False)


@pytest.mark.parametrize("error", ["temperature: range: 0..1", "Invalid params: temperature must be in range (0, 2)"])
def test_a_value_out_of_range_is_dropped_this_once(error: str) -> None:
    quirk = find(BODY, openai(error))
    assert quirk is not None
    assert (quirk.name, quirk.lasting) == ("temperature", False)


def test_max_tokens_is_renamed_where_the_provider_says_so() -> None:
    error = openai(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter",
    )
    adapted = adapt(BODY, error)
    assert adapted is not None
    assert "max_tokens" not in adapted
    assert adapted["max_completion_tokens"] == 100


def test_max_completion_tokens_is_renamed_where_extra_names_are_forbidden() -> None:
    body = {"model": "m", "messages": SYSTEM, "max_completion_tokens": 5}
    assert adapt(body, mistral("max_completion_tokens")) == {"model": "m", "messages": SYSTEM, "max_tokens": 5}


@pytest.mark.parametrize(
    "error",
    [
        openai("Unsupported value: 'messages[0].role' does not support 'system' with this model.", "messages[0].role"),
        google("Developer instruction is not enabled for models/gemma-3-27b-it"),
        '{"object":"error","message":"System role not supported","type":"BadRequestError","param":null,"code":400}',
        "Conversation roles must alternate user/assistant/user/assistant/...",
    ],
)
def test_a_system_message_is_folded_into_the_question(error: str) -> None:
    adapted = adapt(BODY, error)
    assert adapted is not None
    assert adapted["messages"] == [{"role": "user", "content": "Be brief.\n\nHi"}]
    assert BODY["messages"] is SYSTEM
    assert adapt(adapted, error) is None


def test_a_conversation_is_folded_at_its_first_question() -> None:
    turns = [*SYSTEM, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "Why?"}]
    adapted = adapt({"messages": turns}, "System role not supported")
    assert adapted == {"messages": [{"role": "user", "content": "Be brief.\n\nHi"}, *turns[2:]]}
    alone = adapt({"messages": turns[:1]}, "System role not supported")
    assert alone == {"messages": [{"role": "user", "content": "Be brief."}]}


@pytest.mark.parametrize(
    "error",
    [
        "",
        "Bad request",
        openai("property 'store' is unsupported, did you mean 'stop'?"),
        openai("Images are not supported by this model. Please stop sending them."),
        openai("This model's maximum context length is 8192 tokens. Please reduce the length of the messages."),
        openai("you must be logged in", code="invalid_api_key"),
    ],
)
def test_other_refusals_change_nothing(error: str) -> None:
    assert adapt(BODY, error) is None


def test_what_was_not_sent_is_not_blamed() -> None:
    assert adapt({"messages": SYSTEM[1:]}, DROPPED[0][1]) is None
    assert adapt({"messages": SYSTEM[1:]}, "System role not supported") is None
