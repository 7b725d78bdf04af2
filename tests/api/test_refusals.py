"""What can't be taken or answered, in the shape that OpenAI's clients read."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from moa.api.guard import MAX_BODY_BYTES
from tests.api.conftest import HI, Api, complete
from tests.support.server import Answer, Gate, HttpError, cut

ASKED: dict[str, Any] = {"model": "moa/duo", "messages": HI}


def said(text: str, role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "content": text}]


BOUNDS: list[tuple[dict[str, Any], str]] = [
    ({"messages": said("  ")}, "The last message must be the user's, and say something."),
    ({"messages": [*HI, *said("Hello.", "assistant")]}, "The last message must be the user's"),
    ({"messages": said("Be brief.", "system")}, "The last message must be the user's"),
    ({"messages": said("x" * 32_001)}, "A message has at most 32,000 characters; one here has 32,001."),
    ({"messages": [*said("x" * 32_001, "system"), *HI]}, "System messages have at most 32,000 characters together."),
    ({"messages": HI * 201}, "A conversation has at most 200 questions; this one has 201."),
    ({"moa": {"proposers": ["test/none"]}}, "There is no model 'test/none' here"),
    ({"moa": {"layers": 9}}, "The number of layers must be a whole number from 1 to 5."),
    ({"moa": {"quorum": 3}}, "The quorum must be at most 2, the number of proposers."),
    ({"moa": {"base_url": "https://evil.example"}}, "\"moa\" has no key 'base_url'"),
    ({"moa": {"proposers": ["test/a"] * 13}}, "At most 12 proposers"),
]


async def test_bounds_are_those_of_the_page(api: Api) -> None:
    for more, words in BOUNDS:
        answered = await api.post({**ASKED, **more})
        assert answered.status_code == 400
        assert answered.json()["error"]["message"].startswith(words)
    assert api.server.requests == []


async def test_a_refusal_names_the_field_and_calls_nobody(api: Api) -> None:
    answered = await api.post({**ASKED, "tools": [{"type": "function", "function": {"name": "f"}}]})
    assert answered.status_code == 400
    assert answered.json() == {
        "error": {
            "message": '"tools" can\'t be honoured here: leave it out.',
            "type": "invalid_request_error",
            "param": "tools",
            "code": "unsupported_parameter",
        }
    }
    assert (await api.post(b"[")).json()["error"]["code"] == "invalid_json"
    assert api.server.requests == []


async def test_an_oversize_body_is_refused_in_the_same_shape(api: Api) -> None:
    answered = await api.post(b" " * (MAX_BODY_BYTES + 1))
    assert (answered.status_code, answered.json()["error"]["type"]) == (413, "invalid_request_error")


async def test_another_site_cannot_use_it(api: Api) -> None:
    answered = await api.post(ASKED, origin="https://evil.example")
    assert (answered.status_code, answered.json()["error"]["type"]) == (403, "invalid_request_error")
    assert api.server.requests == []


async def test_an_unknown_model_is_404(api: Api) -> None:
    for name in ("moa/none", "test/none", "gpt-4o", "moa/"):
        answered = await api.post({**ASKED, "model": name})
        error = answered.json()["error"]
        assert (answered.status_code, error["param"], error["code"]) == (404, "model", "model_not_found")
    assert (await api.get("/models/test/none")).status_code == 404


async def test_other_addresses_answer_in_the_same_shape(api: Api) -> None:
    for path, status in (
        ("/embeddings", 404), ("/", 404), ("/chat/completions", 405), ("/runs/x", 404), ("/runs/" + "a" * 22, 404),
    ):  # fmt: skip
        answered = await api.get(path)
        assert (answered.status_code, set(answered.json()["error"])) == (status, {"message", "type", "param", "code"})
        assert answered.headers.get("allow") == ("POST" if status == 405 else None)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "status", "code", "wait"),
    [
        (HttpError(429, headers={"Retry-After": "900"}), 429, "rate_limited", "10"),
        (HttpError(500), 502, "overloaded", None),
        (HttpError(401), 503, "bad_key", None),
    ],
)
async def test_a_run_that_fails_has_a_status_of_its_own_also_as_a_stream(
    api: Api, stream: bool, fault: HttpError, status: int, code: str, wait: str | None
) -> None:
    api.server.script("a", fault)
    answered = await api.post({"model": "test/a", "messages": HI, "stream": stream})
    assert (answered.status_code, answered.json()["error"]["code"]) == (status, code)
    assert answered.headers.get("retry-after") == wait
    assert answered.headers.get("x-should-retry") == (None if wait else "false")


async def test_a_used_up_budget_is_no_quota(api: Api) -> None:
    api.server.script("a", HttpError(500))
    api.server.script("b", HttpError(500))
    answered = await api.post({"model": "moa/poor", "messages": HI})
    error = answered.json()["error"]
    assert (answered.status_code, error["type"], error["message"]) == (
        429, "insufficient_quota", "The run's budget is used up.",
    )  # fmt: skip
    assert answered.headers["retry-after"] == "60"


async def test_while_the_app_ends_nothing_is_taken(api: Api) -> None:
    await api.chat.drain(0.0)
    answered = await api.post(ASKED)
    assert (answered.status_code, answered.headers["retry-after"]) == (429, "30")
    assert answered.json()["error"]["type"] == "rate_limit_error"


async def test_a_database_that_takes_nothing_is_said_before_any_call(api: Api) -> None:
    await api.store.aclose()
    answered = await api.post(ASKED)
    assert (answered.status_code, answered.json()["error"]["type"]) == (503, "server_error")
    assert api.server.requests == []


async def streamed(api: Api, model: str) -> str:
    """The text of a stream that ends with an error, which is raised."""
    told = []
    async with api.client() as client:
        try:
            async for chunk in await complete(client, model=model, stream=True):
                told.append(chunk.choices[0].delta.content or "")  # noqa: PERF401 - what came before the error counts
        except openai.APIError as failed:
            told.append(f"|{failed.message}")
    return "".join(told)


async def test_an_answer_that_breaks_off_ends_with_an_error_and_no_second_one(api: Api) -> None:
    api.server.script("agg", cut(after=2))
    told = await streamed(api, "moa/safe")
    assert told == "word word |The connection was lost. The answer broke off after part of it had been sent: ask again."
    await api.server.idle()
    assert api.server.requests_for("spare") == []  # whoever asked has heard that it failed: nothing more is paid


async def test_a_run_that_is_stopped_elsewhere_says_so(api: Api) -> None:
    gate = Gate()
    api.server.script("a", Answer("one two", gate=gate, hold=(1,)))
    async with api.client() as client:
        stream = await complete(client, model="test/a", stream=True)
        run_id = (await anext(stream)).id
        async with api.client() as other:
            stopped = await other.post(f"/runs/{run_id}/cancel", cast_to=dict[str, Any])
        assert stopped["status"] == "cancelled"
        with pytest.raises(openai.APIError, match="Stopped"):
            [chunk async for chunk in stream]
    assert (await api.get(f"/runs/{run_id}")).json()["answer"] == "one "
