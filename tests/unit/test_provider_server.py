"""The test server itself: other tests rely on what it says of gates, sockets and order."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
from openai import AsyncOpenAI

from tests.support.calls import KEY, provider, read, request, served, text
from tests.support.server import Answer, Gate, HttpError, ProviderServer, hang_after


async def test_a_gate_lets_chunks_through_one_by_one() -> None:
    gate = Gate()
    async with served(Answer("a b c", gate=gate)) as (server, client), client.stream(request()) as pieces:
        for part in ("a ", "b ", "c"):
            await gate.arrived()
            gate.let()
            assert (await anext(pieces)).text == part
        assert (server.active, server.open_sockets) == (1, 1)
        gate.open()
        assert (await anext(pieces)).finish == "stop"


async def test_it_serves_other_loops_from_a_thread() -> None:
    gate = Gate()
    with ProviderServer.in_thread() as server:
        server.script("m", HttpError(500), hang_after(1, gate, "from afar"))
        client = provider(server)
        assert (await read(client))[1] is not None
        task = asyncio.create_task(read(client))
        await gate.arrived()
        gate.open()
        assert text((await task)[0]) == "from afar"
        await client.aclose()
        await server.idle()
        await server.closed()
        assert [r.used_key(KEY) for r in server.requests_for("m")] == [True, True]
        assert KEY not in str(server.requests)


async def test_it_answers_the_sdk_without_a_stream() -> None:
    async with ProviderServer() as server, AsyncOpenAI(api_key=KEY, base_url=server.base_url) as client:
        server.models = ["m"]
        answer = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        assert answer.choices[0].message.content == "Hello from m."
        assert [model.id async for model in client.models.list()] == ["m"]


async def test_it_leaves_though_a_client_reads_nothing() -> None:
    gate = Gate()
    async with ProviderServer() as server:
        server.script("m", hang_after(1, gate))
        client = provider(server)
        task = asyncio.create_task(read(client))
        await gate.arrived()
    assert (await task)[1] is not None
    await client.aclose()


async def test_it_is_told_what_to_do_in_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.server", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        base_url = (await process.stdout.readline()).decode().strip()
        control = base_url.removesuffix("/v1") + "/control"
        scripts = [{"kind": "http_error", "status": 503}, {"text": "a b", "gate": "g", "hold": [1]}]
        async with aiohttp.ClientSession() as session, ProviderServer() as unused:
            await session.post(f"{control}/script", json={"model": "m", "scripts": scripts})
            client = provider(unused, base_url=base_url)
            assert (await read(client))[1] is not None
            await session.post(f"{control}/open", json={"gate": "g"})
            assert text((await read(client))[0]) == "a b"
            await client.aclose()
            async with session.get(f"{control}/requests") as told:
                assert [r["model"] for r in (await told.json())["requests"]] == ["m", "m"]
    finally:
        process.terminate()
        await process.wait()
