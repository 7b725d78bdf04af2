"""What is sent, and what is learned from refusals."""

from __future__ import annotations

import pytest

from moa.core.domain import Message, Model, Role, Sampling
from moa.core.errors import FinalCall
from moa.engine.ports import CallRequest
from tests.support.calls import finish, read, request, served, text
from tests.support.server import Answer, HttpError, Received, Reply, event

NO_TEMPERATURE = HttpError(400, "Unsupported parameter: 'temperature' is not supported with this model.")
RENAME = HttpError(400, "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.")
NO_SYSTEM = HttpError(500, "System role not supported")


async def test_exactly_what_is_asked_for_is_sent() -> None:
    async with served(Answer()) as (server, client):
        await read(client, request(system="Be brief."))
        assert server.requests[0].json == {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        full = Sampling(temperature=0.0, top_p=0.5, max_tokens=9, seed=0, stop=("a", "b"))
        await read(client, request(sampling=full))
        sent = server.requests[1].json
        assert {k: sent[k] for k in ("temperature", "top_p", "max_tokens", "seed", "stop")} == {
            "temperature": 0.0,
            "top_p": 0.5,
            "max_tokens": 9,
            "seed": 0,
            "stop": ["a", "b"],
        }


async def test_any_text_can_be_sent() -> None:
    strange = 'ä€😀 \u0000 \u202e "quotes" \\ \n'
    async with served(Answer()) as (server, client):
        await read(client, request(user=strange))
        assert server.requests[0].messages[0]["content"] == strange
        _, error = await read(client, request(user="half \ud83d of it"))
        assert error is None
        assert server.requests[1].messages[0]["content"] == "half ? of it"


async def test_a_rejected_parameter_is_left_out_at_once_and_from_then_on() -> None:
    sampling = Sampling(temperature=0.5, max_tokens=7)
    async with served(NO_TEMPERATURE, RENAME, NO_SYSTEM, Answer("Done.")) as (server, client):
        asked = request(system="Be brief.", sampling=sampling)
        pieces, error = await read(client, asked)
        assert (text(pieces), error) == ("Done.", None)
        assert len(server.requests) == 4
        assert "temperature" not in server.requests[1].json
        sent = server.requests[3].json
        assert "max_tokens" not in sent
        assert sent["max_completion_tokens"] == 7
        assert sent["messages"] == [{"role": "user", "content": "Be brief.\n\nHi"}]
        await read(client, asked)
        assert len(server.requests) == 5
        assert server.requests[4].json == sent


async def test_a_lesson_is_for_one_model_only() -> None:
    async with served(NO_TEMPERATURE, Answer()) as (server, client):
        sampling = Sampling(temperature=0.5)
        await read(client, request(sampling=sampling))
        await read(client, request("other", sampling=sampling))
        assert server.requests[-1].json["temperature"] == 0.5


async def test_a_value_out_of_range_is_no_lesson() -> None:
    async with served(HttpError(400, "temperature: range: 0..1"), Answer()) as (server, client):
        await read(client, request(sampling=Sampling(temperature=1.5)))
        await read(client, request(sampling=Sampling(temperature=0.5)))
        assert server.requests[-1].json["temperature"] == 0.5


async def test_nothing_is_learned_from_a_call_that_fails_all_the_same() -> None:
    async with served(NO_TEMPERATURE, HttpError(400, "nonsense"), Answer()) as (server, client):
        sampling = Sampling(temperature=0.5)
        _, error = await read(client, request(sampling=sampling))
        assert isinstance(error, FinalCall)
        await read(client, request(sampling=sampling))
        assert server.requests[-1].json["temperature"] == 0.5


async def test_four_tries_are_enough() -> None:
    def refuse(received: Received) -> HttpError:
        name = next(n for n in ("temperature", "top_p", "seed", "stop", "max_tokens") if n in received.json)
        return HttpError(400, f"Unsupported parameter: '{name}' is not supported with this model.")

    async with served(refuse) as (server, client):
        everything = Sampling(temperature=1, top_p=1, max_tokens=1, seed=1, stop=("x",))
        _, error = await read(client, request(sampling=everything))
        assert isinstance(error, FinalCall)
        assert len(server.requests) == 4


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_is_apart_from_text(field: str) -> None:
    async with served(Answer("So.", reasoning="Hm.", reasoning_field=field)) as (_, client):
        pieces, _ = await read(client)
        assert (text(pieces), "".join(p.reasoning for p in pieces)) == ("So.", "Hm.")


async def test_typed_parts_are_read() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    parts = [thinking, {"type": "text", "text": "So."}, None, {"type": "image"}, {"type": "text", "text": 5}]
    stream = Reply([event({"choices": [{"delta": {"content": parts}, "finish_reason": "stop"}]})])
    async with served(stream) as (_, client):
        pieces, _ = await read(client)
        assert (text(pieces), "".join(p.reasoning for p in pieces)) == ("So.", "Hm.")


async def test_a_refusal_is_text() -> None:
    stream = Reply([event({"choices": [{"delta": {"refusal": "I can't."}, "finish_reason": "stop"}]})])
    async with served(stream) as (_, client):
        assert text((await read(client))[0]) == "I can't."


async def test_chunks_that_come_together_make_one_piece() -> None:
    async with served(Answer("one two three", together=True)) as (_, client):
        pieces, _ = await read(client)
        assert len(pieces) == 1
        assert pieces[0].text == "one two three"
        assert pieces[0].finish == "stop"
        assert pieces[0].usage is not None


async def test_the_wire_name_is_what_is_sent() -> None:
    async with served(Answer("Yes."), model="org/real-name") as (server, client):
        asked = CallRequest(Model("alias", "test", "org/real-name", "A"), (Message(Role.USER, "Hi"),))
        pieces, _ = await read(client, asked)
        assert (text(pieces), finish(pieces)) == ("Yes.", "stop")
        assert server.requests[0].model == "org/real-name"
