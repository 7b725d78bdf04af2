"""``check`` says what is configured and what answers, and never a key's value."""

from __future__ import annotations

import io

from rich.console import Console

from moa.cli.check import PING_FAILED, check
from moa.core.catalogue import Catalogue, ProviderSpec
from moa.core.domain import Agent, Layer, Model, Part, Recipe
from moa.providers.registry import Registry
from tests.support.server import HttpError, ProviderServer

KEY = "sk-canary-0123456789abcdef"


def catalogue(base_url: str) -> Catalogue:
    providers = {
        "good": ProviderSpec("good", "Good", base_url=base_url, api_key_env="GOOD_KEY"),
        "keyless": ProviderSpec("keyless", "Keyless", base_url="https://llm.example.org/v1", api_key_env="OTHER_KEY"),
    }
    models = {
        "good/small": Model("good/small", "good", "small", "Small"),
        "keyless/large": Model("keyless/large", "keyless", "large", "Large"),
    }
    small = Recipe("duo", "Duo", (Layer((Agent("good/small"),) * 2),), Agent("good/small", Part.AGGREGATOR))
    large = Recipe("big", "Big", (), Agent("keyless/large", Part.AGGREGATOR))
    return Catalogue(providers, models, {"duo": small, "big": large}, "duo")


async def run(server: ProviderServer, *, ping: bool = False) -> tuple[int, str]:
    offered = catalogue(server.base_url)
    registry = Registry(offered, {"GOOD_KEY": KEY})
    written = io.StringIO()
    try:
        code = await check(offered, registry, Console(file=written, width=200), ping=ping)
    finally:
        await registry.aclose()
    assert KEY not in written.getvalue()
    return code, written.getvalue()


def line_with(text: str, *words: str) -> bool:
    return any(all(word in line for word in words) for line in text.splitlines())


async def test_providers_models_and_recipes_are_listed_with_what_they_need() -> None:
    async with ProviderServer() as server:
        server.models = ["found-by-listing"]
        code, text = await run(server)
    assert code == 0
    assert line_with(text, "Good", "ready")
    assert line_with(text, "Keyless", "needs OTHER_KEY")
    assert line_with(text, "good/found-by-listing")
    assert line_with(text, "duo", "2", "3", "yes")
    assert line_with(text, "big", "needs OTHER_KEY")
    assert [r.path for r in server.requests if r.method == "POST"] == []


async def test_ping_asks_one_token_of_each_ready_provider() -> None:
    async with ProviderServer() as server:
        code, text = await run(server, ping=True)
        asked = [r.json["max_tokens"] for r in server.requests if r.method == "POST"]
    assert (code, asked) == (0, [1])
    assert "good/small answers" in text


async def test_a_ping_that_fails_is_told_and_makes_the_exit_code() -> None:
    async with ProviderServer() as server:
        server.script("small", HttpError(401, f"bad key {KEY}"))
        code, text = await run(server, ping=True)
    assert code == PING_FAILED
    assert "does not answer: The provider refused the key." in text
