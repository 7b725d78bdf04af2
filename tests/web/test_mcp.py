"""The MCP server of the running app, used by the real client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from moa.chat.values import LOCAL
from storage import open_store
from tests.cli.terminal import settings
from tests.support.app import App
from tests.support.server import Answer, Gate, HttpError, ProviderServer

ANSWER = "Because of Rayleigh scattering."


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as started:
        started.script("agg", Answer(ANSWER))
        yield started


@asynccontextmanager
async def running(folder: Path, server: ProviderServer, **environ: str) -> AsyncIterator[App]:
    app = App(folder, settings(server), environ)
    await asyncio.to_thread(app.start)
    try:
        yield app
    finally:
        assert await asyncio.to_thread(app.stop) == 0


@asynccontextmanager
async def client(app: App, token: str = "") -> AsyncIterator[ClientSession]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx.AsyncClient(headers=headers, timeout=60) as http,
        streamable_http_client(f"{app.url}/gradio_api/mcp/", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def test_the_recipes_are_one_tool(tmp_path: Path, server: ProviderServer) -> None:
    async with running(tmp_path, server, MOA_MCP="1") as app, client(app) as session:
        (tool,) = (await session.list_tools()).tools
        assert tool.name == "ask_mixture"
        assert "another one writes one answer" in (tool.description or "")
        assert tool.inputSchema["required"] == ["question"]
        assert tool.inputSchema["properties"]["recipe"]["default"] == "duo"
        assert "duo (Duo; calls: 3)" in tool.inputSchema["properties"]["recipe"]["description"]

        asked = await session.call_tool("ask_mixture", {"question": "Why is the sky blue?"})
        assert (asked.isError, text_of(asked)) == (False, ANSWER)
        alone = await session.call_tool("ask_mixture", {"question": "Why?", "recipe": "alone"})
        assert text_of(alone) == "Hello from a."
        assert server.requests_for("a")[-1].messages == [{"role": "user", "content": "Why?"}]

        server.script("b", HttpError(400))
        degraded = text_of(await session.call_tool("ask_mixture", {"question": "Why?"}))
        assert degraded.startswith(f"{ANSWER}\n\n(1 of 2 proposers · missing Model B")

        unknown = await session.call_tool("ask_mixture", {"question": "Why?", "recipe": "nope"})
        assert (unknown.isError, "There is no recipe 'nope'" in text_of(unknown)) == (True, True)
        server.script("a", HttpError(401))
        failed = await session.call_tool("ask_mixture", {"question": "Why?", "recipe": "alone"})
        assert (failed.isError, "The provider refused the key." in text_of(failed)) == (True, True)
        assert "Traceback" not in app.log


async def test_who_goes_away_stops_the_run(tmp_path: Path, server: ProviderServer) -> None:
    gate = Gate()
    server.script("a", Answer("never ends", gate=gate, hold=(1,)))
    body = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "ask_mixture", "arguments": {"question": "Why?", "recipe": "alone"}},
    }  # fmt: skip
    async with running(tmp_path, server, MOA_MCP="1") as app:
        async with httpx.AsyncClient(timeout=60) as http:
            accept = {"accept": "application/json, text/event-stream"}
            call = asyncio.create_task(http.post(f"{app.url}/gradio_api/mcp/", json=body, headers=accept))
            await gate.arrived()
            call.cancel()
            await asyncio.wait([call])
        await server.idle()


async def test_it_is_off_unless_it_is_switched_on(tmp_path: Path, server: ProviderServer) -> None:
    async with running(tmp_path, server) as app, httpx.AsyncClient() as http:
        for path in ("/gradio_api/mcp/", "/gradio_api/mcp", "/gradio_api/mcp/schema", "/gradio_api/mcp/sse"):
            assert (await http.post(app.url + path, json={})).status_code == 404


async def test_other_doors_of_gradio_stay_closed(tmp_path: Path, server: ProviderServer) -> None:
    async with running(tmp_path, server, MOA_MCP="1") as app, httpx.AsyncClient() as http:
        for path in (
            "mcp/schema",
            "mcp/sse",
            "mcp/messages/",
            "call/ask_mixture",
            "run/ask_mixture",
            "api/ask_mixture",
        ):
            assert (await http.post(f"{app.url}/gradio_api/{path}", json={})).status_code == 404
        elsewhere = {"origin": "https://evil.example"}
        assert (await http.post(f"{app.url}/gradio_api/mcp/", json={}, headers=elsewhere)).status_code == 403
        rebound = {"host": "evil.example"}
        assert (await http.post(f"{app.url}/gradio_api/mcp/", json={}, headers=rebound)).status_code == 400


async def test_off_loopback_it_needs_a_token(tmp_path: Path, server: ProviderServer) -> None:
    async with running(tmp_path, server, MOA_MCP="1", MOA_HOST="0.0.0.0") as app:
        app.url = app.url.replace("0.0.0.0", "127.0.0.1")
        async with httpx.AsyncClient() as http:
            refused = await http.post(f"{app.url}/gradio_api/mcp/", json={})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        store = open_store("", tmp_path / "data")
        _, told = await store.create_token(LOCAL, "test")
        await store.aclose()
        async with client(app, told) as session:
            assert text_of(await session.call_tool("ask_mixture", {"question": "Why?"})) == ANSWER


async def test_without_its_package_the_start_ends_with_what_to_install(tmp_path: Path, server: ProviderServer) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "PathFinder.find_spec = lambda name, *rest: None if name == 'mcp' else find(name, *rest)\n",
        encoding="utf-8",
    )
    app = App(tmp_path, settings(server), {"MOA_MCP": "1", "PYTHONPATH": str(tmp_path)})
    ended = await asyncio.to_thread(app.run)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("MOA_MCP=1 needs a package that is missing: ")
    assert ended.stderr.count("\n") == 1
