"""What a request's body may say, and what is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from moa.api.chat_request import Asked, read
from moa.api.problems import Problem
from moa.core.domain import Agent, Message, Part, Recipe, Role, Sampling

HI = [{"role": "user", "content": "Hi?"}]
ASKED: dict[str, Any] = {"model": "moa/duo", "messages": HI}
PARTS = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "https://x.example"}}]
CALLED = {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}
WRITER = Agent("p/w", Part.AGGREGATOR, Sampling(temperature=0.7, max_tokens=9))
RECIPE = Recipe("r", "R", (), WRITER, fallbacks=(WRITER,), system="Rhyme.")


def said(text: str, role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "content": text}]


def asked(**more: Any) -> Asked:
    return read(json.dumps({**ASKED, **more}).encode())


def refused(body: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        read(body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"n": 2}, "n"),
        ({"n": True}, "n"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"messages": [{"role": "user", "content": PARTS}]}, "messages[0].content[1]"),
        ({"messages": [*HI, {"role": "tool", "content": "4", "tool_call_id": "1"}]}, "messages[1].role"),
        (
            {"messages": [{"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}, *HI]},
            "messages[0].tool_calls",
        ),
    ],
)
def test_what_cannot_be_honoured_is_named(more: dict[str, Any], param: str) -> None:
    problem = refused({**ASKED, **more})
    assert (problem.status, problem.code, problem.param) == (400, "unsupported_parameter", param)
    assert f'"{param}"' in problem.message


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": "x" * 301}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": said("Hi", "robot")}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"seed": 2**63}, "seed"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"moa": []}, "moa"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
    ],
)
def test_what_is_wrong_is_named(more: dict[str, Any], param: str) -> None:
    problem = refused({**ASKED, **more})
    assert (problem.status, problem.param) == (400, param)
    assert f'"{param}"' in problem.message


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"\xff", b'{"model": "\\ud800"}', b"[" * 5000, b'{"n": NaN}'])
def test_what_is_no_json_object_is_said(body: bytes) -> None:
    assert refused(body).code == "invalid_json"


def test_what_means_nothing_is_taken() -> None:
    harmless = {
        "tools": [], "tool_choice": "auto", "n": 1, "response_format": {"type": "text"}, "logprobs": False,
        "presence_penalty": 0.0, "logit_bias": {}, "modalities": ["text"], "user": "u", "metadata": {"a": "b"},
        "store": True, "service_tier": "auto", "anything": [1], "temperature": None, "stream_options": None,
    }  # fmt: skip
    assert asked(**harmless) == asked()


def test_texts_are_cleaned_and_nothing_else_is_changed() -> None:
    assert asked(messages=said(" a\u0000b\u202e\n")).messages == (Message(Role.USER, " ab\n"),)


def test_system_messages_are_one_wherever_they_stand() -> None:
    told = asked(messages=[*said("One.", "system"), *HI, *said("", "system"), *said("Two.", "developer")])
    assert (told.messages, told.system) == ((Message(Role.USER, "Hi?"),), "One.\n\nTwo.")
    assert told.recipe(RECIPE) == replace(RECIPE, system="Rhyme.\n\nOne.\n\nTwo.")


def test_what_is_not_said_of_sampling_stays_as_the_recipe_has_it() -> None:
    assert asked().recipe(RECIPE) == RECIPE
    told = replace(WRITER, sampling=Sampling(temperature=0.0, max_tokens=5, stop=("END",)))
    made = asked(temperature=0, max_tokens=7, max_completion_tokens=5, stop="END").recipe(RECIPE)
    assert (made.aggregator, made.fallbacks) == (told, (told,))
