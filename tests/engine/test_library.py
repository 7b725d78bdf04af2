"""The engine as a library: the README's example as it stands there, and what it is made of."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

import moa
from tests.support.app import ROOT
from tests.support.server import Answer, ProviderServer

KEY = "sk-test-0123456789abcdef"


def example() -> str:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    found: str
    (found,) = [block for block in blocks if "moa.Engine" in block]
    return found


async def test_the_example_of_the_readme_runs_and_has_ten_lines(tmp_path: Path) -> None:
    code = example()
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    async with ProviderServer() as server:
        server.script("gpt-5-mini", Answer("A proposal."), Answer("The answer."))
        places = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": KEY, "PYTHONPATH": str(ROOT)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, cwd=tmp_path, env={**os.environ, **places}, stdout=PIPE, stderr=PIPE
        )
        out, err = await process.communicate()
        proposed, written = server.requests_for("gpt-5-mini")
        (other,) = server.requests_for("gpt-5-nano")
    assert (process.returncode, out, err) == (0, b"The answer.\n", b"")
    question = {"role": "user", "content": "Why is the sky blue?"}
    assert proposed.messages == other.messages == [question]
    assert written.messages[-1]["content"].startswith("Why is the sky blue?\n\n")
    assert '"A proposal."' in written.messages[-1]["content"]
    assert '"Hello from gpt-5-nano."' in written.messages[-1]["content"]
    assert all(request.used_key(KEY) for request in (proposed, other, written))


async def test_events_come_while_a_run_goes_on() -> None:
    recipe = moa.mixture([], aggregator="writer", layers=1)
    async with ProviderServer() as server, moa.connect(server.base_url) as models:
        server.script("writer", Answer("Blue of course."))
        async with moa.Engine(models).run(recipe, [moa.Message(moa.Role.USER, "Which colour?")]) as run:
            told = [event.text async for event in run if isinstance(event, moa.TextDelta)]
    assert "".join(told) == "Blue of course."
    assert run.result is not None
    assert run.result.status is moa.Status.COMPLETE


async def test_the_key_of_the_environment_goes_to_no_other_address() -> None:
    recipe = moa.mixture([], aggregator="writer", layers=1)
    environ = {"OPENAI_API_KEY": KEY}
    async with ProviderServer() as server, moa.connect(server.base_url, environ=environ) as models:
        async with moa.Engine(models).run(recipe, [moa.Message(moa.Role.USER, "Why?")]) as run:
            await run.wait()
        assert not server.requests[0].used_key(KEY)


def test_each_layer_asks_the_same_models() -> None:
    recipe = moa.mixture(["a", "b", "a"], aggregator="c", layers=3)
    assert [[agent.model for agent in layer.agents] for layer in recipe.layers] == [["a", "b", "a"]] * 2
    assert (recipe.layer_count, recipe.call_count) == (3, 7)
    assert recipe.aggregator == moa.Agent("c", moa.Part.AGGREGATOR)


@pytest.mark.parametrize(("proposers", "layers"), [([], 2), (["a"], 1), (["a"], 0), ("model", 2)])
def test_a_mixture_that_cannot_be_is_refused(proposers: list[str], layers: int) -> None:
    with pytest.raises(ValueError, match="a mixture has "):
        moa.mixture(proposers, aggregator="c", layers=layers)


def test_every_public_name_leads_somewhere() -> None:
    assert [name for name in moa.__all__ if getattr(moa, name, None) is None] == []
