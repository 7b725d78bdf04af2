"""Answers through OpenAI's own client, whole and streamed, and what the models were sent for them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, OpenAI

from moa.chat.values import LOCAL
from moa.core.domain import Status
from moa.engine.prompts import PAPER_BLOCK
from tests.api.conftest import HI, Api, complete
from tests.support.server import Answer, Gate, HttpError

PROPOSED = PAPER_BLOCK + "\n1. First.\n2. Second."
THOUGHT = "### Model A · layer 1\n\nFirst.\n\n### Careful (Model B) · layer 1\n\nSecond."


def scripted(api: Api) -> None:
    api.server.script("a", Answer("First."))
    api.server.script("b", Answer("Second."))
    api.server.script("agg", Answer("The best answer."))


async def streamed(client: AsyncOpenAI, **more: Any) -> list[Any]:
    """All chunks of an answer."""
    return [chunk async for chunk in await complete(client, stream=True, **more)]


def joined(chunks: list[Any], field: str) -> str:
    found = (getattr(chunk.choices[0].delta, field, None) for chunk in chunks if chunk.choices)
    return "".join(text for text in found if text)


async def test_the_models_are_the_recipes_and_the_catalogue(api: Api) -> None:
    async with api.client() as client:
        found = [(model.id, model.owned_by) async for model in await client.models.list()]
        one = await client.models.retrieve("moa/duo")
    assert found[:4] == [("moa/duo", "moa"), ("moa/safe", "moa"), ("moa/poor", "moa"), ("test/a", "Test")]
    assert one.id == "moa/duo"
    listed = {model["id"]: model.get("needs") for model in (await api.get("/models")).json()["data"]}
    assert (listed["test/a"], listed["test/spare"]) == (None, "OTHER_KEY")


async def test_a_whole_answer_brings_its_run(api: Api) -> None:
    scripted(api)
    async with api.client() as client:
        answer = await complete(client)
    message = answer.choices[0].message
    assert (message.role, message.content, message.reasoning_content) == ("assistant", "The best answer.", THOUGHT)
    assert (answer.object, answer.model, answer.choices[0].finish_reason) == ("chat.completion", "moa/duo", "stop")
    run = await api.ended(answer.id.removeprefix("chatcmpl-"))
    result = run.view.result
    assert result is not None
    assert result.usage is not None
    assert answer.usage.total_tokens == result.usage.input_tokens + result.usage.output_tokens
    moa = answer.moa
    assert (moa["status"], moa["recipe"], moa["calls"], moa["degraded"]) == ("complete", "duo", 3, [])
    assert moa["cost_microusd"] == result.cost_microusd
    proposals = moa["layers"][0]["proposals"]
    assert [(p["slot"], p["agent"], p["model"], p["status"], p["text"]) for p in proposals] == [
        ("1.1", "Model A", "test/a", "done", "First."),
        ("1.2", "Careful (Model B)", "test/b", "done", "Second."),
    ]
    assert proposals[0]["usage"] == {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    assert proposals[0]["cost_microusd"] == 3


async def test_every_model_is_sent_the_conversation_and_the_system_messages(api: Api) -> None:
    scripted(api)
    history: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "developer", "content": "In English."},
        {"role": "user", "content": [{"type": "text", "text": "Why"}, {"type": "text", "text": "so?"}]},
    ]
    assert (await api.post({"model": "moa/duo", "messages": history})).status_code == 200
    system = "Be brief.\n\nIn English."
    turns = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "Why\nso?"},
    ]

    def told(text: str) -> dict[str, str]:
        return {"role": "system", "content": text}

    assert api.sent("a") == [[told(system), *turns]]
    assert api.sent("b") == [[told(f"{system}\n\nBe careful."), *turns]]
    assert api.sent("agg") == [[told(f"{system}\n\n{PROPOSED}"), *turns]]


async def test_sampling_goes_to_the_one_that_writes(api: Api) -> None:
    asked = {"temperature": 0.5, "top_p": 0.9, "max_completion_tokens": 9, "seed": 7, "stop": ["END"]}
    api.server.script("agg", HttpError(400))
    answered = await api.post({"model": "moa/safe", "messages": HI, **asked})
    assert answered.json()["choices"][0]["message"]["content"] == "Hello from spare."
    names = ("temperature", "top_p", "max_tokens", "seed", "stop")
    for model, wanted in (("a", [None] * 5), ("agg", [0.5, 0.9, 9, 7, ["END"]]), ("spare", [0.5, 0.9, 9, 7, ["END"]])):
        (sent,) = api.server.requests_for(model)
        assert [sent.json.get(name) for name in names] == wanted


async def test_a_catalogue_model_answers_alone(api: Api) -> None:
    api.server.script("a", Answer("Alone.", reasoning="Hm."))
    body = (await api.post({"model": "test/a", "messages": HI})).json()
    assert body["choices"][0]["message"]["content"] == "Alone."
    assert body["choices"][0]["message"]["reasoning_content"] == "Hm."
    assert body["moa"]["layers"] == []
    assert api.sent("a") == [HI]


async def test_a_cut_answer_says_so(api: Api) -> None:
    api.server.script("a", Answer("Half an", finish="length"))
    body = (await api.post({"model": "test/a", "messages": HI})).json()
    assert body["choices"][0]["finish_reason"] == "length"


async def test_a_stream_tells_the_proposals_then_the_answer(api: Api) -> None:
    scripted(api)
    async with api.client() as client:
        chunks = await streamed(client)
    assert joined(chunks, "reasoning_content") == THOUGHT
    assert joined(chunks, "content") == "The best answer."
    kinds = [bool(getattr(c.choices[0].delta, "reasoning_content", None)) for c in chunks]
    assert kinds.index(True) < len(kinds) - 1 - kinds[::-1].index(False)
    assert len({chunk.id for chunk in chunks}) == 1
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == ["stop"]
    assert chunks[-1].moa["status"] == "complete"
    assert [hasattr(chunk, "moa") for chunk in chunks[:-1]] == [False] * (len(chunks) - 1)
    assert chunks[-1].usage is None


async def test_the_usage_of_all_calls_comes_last_when_asked_for(api: Api) -> None:
    scripted(api)
    async with api.client() as client:
        *others, last = await streamed(client, stream_options={"include_usage": True})
    assert (last.choices, others[-1].choices[0].finish_reason) == ([], "stop")
    calls = [*last.moa["layers"][0]["proposals"], *last.moa["writers"]]
    assert last.usage.total_tokens == sum(call["usage"]["total_tokens"] for call in calls)
    assert [chunk.usage for chunk in others] == [None] * len(others)


async def test_tokens_come_as_they_are_written_and_agents_in_their_order(api: Api) -> None:
    first, second, last = Gate(), Gate(), Gate()
    api.server.script("a", Answer("one two", gate=first, hold=(1,)))
    api.server.script("b", Answer("three four", gate=second, hold=(1,)))
    api.server.script("agg", Answer("five six", gate=last, hold=(1,)))
    told: list[str] = []
    async with api.client() as client:
        stream = await complete(client, stream=True)

        async def until(text: str) -> None:
            async for chunk in stream:
                told.extend(filter(None, (getattr(chunk.choices[0].delta, "reasoning_content", None),)))
                told.append(chunk.choices[0].delta.content or "")
                if "".join(told).endswith(text):
                    return

        await until("one ")
        assert "three" not in "".join(told)
        second.open()
        await second.arrived()
        first.open()
        await until("two\n\n### Careful (Model B) · layer 1\n\nthree four")
        await until("five ")
        last.open()
        await until("six")
        await stream.close()


async def test_the_plain_client_works_as_well(api: Api) -> None:
    def asked() -> tuple[str | None, str]:
        with OpenAI(base_url=api.url, api_key="unused", max_retries=0) as client:
            create: Any = client.chat.completions.create
            whole = create(model="moa", messages=HI)
            pieces = [chunk.choices[0].delta.content or "" for chunk in create(model="moa", messages=HI, stream=True)]
            return whole.choices[0].message.content, "".join(pieces)

    assert await asyncio.to_thread(asked) == ("Hello from agg.", "Hello from agg.")


async def test_runs_of_the_api_are_kept_and_stay_out_of_the_list_and_the_search(api: Api) -> None:
    scripted(api)
    body = (await api.post({"model": "moa/duo", "messages": HI})).json()
    run = await api.ended(body["moa"]["run"])
    assert (run.question, run.view.status) == ("Hi?", Status.COMPLETE)
    assert (await api.chat.open(LOCAL, run.conversation_id)).title == "Hi?"
    tree = await api.store.load_tree(LOCAL, run.conversation_id)
    assert [message.text for message in tree.turns[0].runs[0].calls[0].messages] == ["Hi?"]
    assert await api.chat.library.entries(LOCAL) == ()
    assert await api.chat.library.search(LOCAL, "best") == ()
    assert await api.store.list_ids(LOCAL) == []
    await api.chat.drain(1.0)
    assert len(api.server.requests) == 3  # and none for a title


async def test_a_mixture_of_ones_own(api: Api) -> None:
    api.server.script("c", Answer("Third."))
    moa = {"proposers": ["test/c", {"model": "test/b", "count": 2, "temperature": 1.0}], "quorum": 2, "layers": 3}
    body = (await api.post({"model": "test/agg", "messages": HI, "moa": moa})).json()
    assert body["moa"]["recipe"] == "custom"
    assert [[p["model"] for p in layer["proposals"]] for layer in body["moa"]["layers"]] == [
        ["test/c", "test/b", "test/b"],
        ["test/c", "test/b", "test/b"],
    ]
    assert [request.json["temperature"] for request in api.server.requests_for("b")] == [1.0] * 4
    assert len(api.sent("agg")) == 1


async def test_a_mixture_may_change_a_recipe(api: Api) -> None:
    moa = {"aggregator": "test/c", "system": "Rhyme."}
    body = (await api.post({"model": "moa/duo", "messages": HI, "moa": moa})).json()
    assert body["choices"][0]["message"]["content"] == "Hello from c."
    assert api.sent("b") == [[{"role": "system", "content": "Rhyme.\n\nBe careful."}, *HI]]


async def test_what_is_missing_is_told(api: Api) -> None:
    api.server.script("a", HttpError(500))
    body = (await api.post({"model": "moa/duo", "messages": HI})).json()
    assert body["moa"]["status"] == "degraded"
    assert body["moa"]["degraded"] == [{"slot": "1.1", "agent": "Model A", "why": "provider error"}]
    failed = body["moa"]["layers"][0]["proposals"][0]
    assert (failed["status"], failed["error_kind"], failed["usage"]) == ("failed", "overloaded", None)
    assert body["choices"][0]["message"]["reasoning_content"].startswith(
        "### Model A · layer 1\n\n*The provider has a problem right now.*\n\n### Careful"
    )
    async with api.client() as client:
        told = joined(await streamed(client), "reasoning_content")
    assert told == body["choices"][0]["message"]["reasoning_content"]


async def test_a_proposal_stands_in_for_an_answer_that_nobody_wrote(api: Api) -> None:
    scripted(api)
    api.server.script("agg", HttpError(500))
    async with api.client() as client:
        chunks = await streamed(client)
    assert joined(chunks, "content") == "First."
    assert (chunks[-1].moa["status"], chunks[-1].moa["answer_slot"]) == ("degraded", "1.1")


async def test_twenty_streams_at_once(api: Api) -> None:
    gate = Gate()
    api.server.script("agg", Answer("one two three", gate=gate, hold=(1,)))
    async with api.client() as client:
        asked = [asyncio.create_task(streamed(client)) for _ in range(20)]
        await gate.arrived(16)  # as many as one provider is asked at once
        gate.open()
        answers = await asyncio.gather(*asked)
    assert [joined(chunks, "content") for chunks in answers] == ["one two three"] * 20
    assert len({chunks[0].id for chunks in answers}) == 20


async def test_a_comment_every_ten_seconds_keeps_a_silent_stream_open(api: Api) -> None:
    gate = Gate()
    api.server.script("a", Answer("Hello.", head_gate=gate))
    body = {"model": "test/a", "messages": HI, "stream": True}
    async with httpx.AsyncClient() as client:
        asking = client.build_request("POST", f"{api.url}/chat/completions", json=body)
        response = asyncio.create_task(client.send(asking, stream=True))
        await gate.arrived()
        api.clock.advance(10)
        lines = (await response).aiter_lines()
        first = [await anext(lines) for _ in range(2)]
        api.clock.advance(10)
        assert first[0].startswith('data: {"id":"chatcmpl-')
        assert await anext(lines) == ": keep-alive"
        gate.open()
        rest = [line async for line in lines if line]
        await (await response).aclose()
    assert rest[-1] == "data: [DONE]"


@pytest.mark.parametrize("stream", [False, True])
async def test_json_needs_no_content_type(api: Api, stream: bool) -> None:
    body = json.dumps({"model": "moa/duo", "messages": HI, "stream": stream}).encode()
    answered = await api.post(body, **{"content-type": "application/x-www-form-urlencoded"})
    assert answered.status_code == 200
    assert answered.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
