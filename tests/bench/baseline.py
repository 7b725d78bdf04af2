"""What one would write first: the plain SDK and ``asyncio.gather``."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from openai import AsyncOpenAI

from moa.engine.prompts import PAPER_BLOCK
from tests.bench.mock import PROPOSERS
from tests.bench.worker import Runner


def make(base_url: str) -> Runner:
    client = AsyncOpenAI(base_url=base_url, api_key="bench", max_retries=0)

    async def ask(model: str, messages: list[dict[str, str]], begun: float) -> tuple[str, float]:
        given: Any = messages
        stream = await client.chat.completions.create(model=model, messages=given, stream=True)
        parts, first = [], 0.0
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                first = first or time.perf_counter() - begun
                parts.append(chunk.choices[0].delta.content)
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
