"""The least that can do it: bare aiohttp and orjson, everything streamed, nothing guarded."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import orjson

from moa.engine.prompts import PAPER_BLOCK
from tests.bench.mock import PROPOSERS
from tests.bench.worker import Runner


def make(base_url: str) -> Runner:
    sessions: list[aiohttp.ClientSession] = []

    def session() -> aiohttp.ClientSession:
        if not sessions:
            sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        return sessions[0]

    async def ask(model: str, messages: list[dict[str, str]], begun: float) -> tuple[str, float]:
        body = orjson.dumps({"model": model, "messages": messages, "stream": True})
        parts, first, rest = [], 0.0, b""
        async with session().post(base_url + "/chat/completions", data=body) as response:
            async for data in response.content.iter_any():
                *events, rest = (rest + data).split(b"\n\n")
                for event in events:
                    if event == b"data: [DONE]":
                        continue
                    choices = orjson.loads(event[6:])["choices"]
                    text = choices[0]["delta"].get("content") if choices else None
                    if text:
                        first = first or time.perf_counter() - begun
                        parts.append(text)
        return "".join(parts), first

    async def run(layers: int, messages: list[dict[str, str]], prefix: str) -> float:
        begun = time.perf_counter()
        asked = messages
        for _ in range(layers - 1):
            calls = (ask(f"{prefix}proposer-{i}", asked, begun) for i in range(PROPOSERS))
            answers = [text for text, _ in await asyncio.gather(*calls)]
            block = PAPER_BLOCK + "".join(f"\n{n}. {text}" for n, text in enumerate(answers, 1))
            asked = [{"role": "system", "content": block}, *messages]
        return (await ask(f"{prefix}aggregator", asked, begun))[1]

    return run
