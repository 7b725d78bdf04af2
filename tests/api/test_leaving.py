"""Who goes away stops their run, unless it was to go on without them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from moa.chat.values import LOCAL
from moa.core.domain import Status
from tests.api.conftest import HI, Api
from tests.support.server import Answer, Gate


async def leave(api: Api, gate: Gate, **more: Any) -> str:
    """Ask, go away while the model writes, and give the run's id."""
    api.server.script("a", Answer("one two", gate=gate, hold=(1,)))
    body = {"model": "test/a", "messages": HI, **more}
    async with httpx.AsyncClient() as client:
        asking = asyncio.create_task(client.post(f"{api.url}/chat/completions", json=body))
        await gate.arrived()
        (live,) = api.chat.answering._runs._live.values()
        asking.cancel()
        await asyncio.wait([asking])
    return live.record.id


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_away_stops_its_run(api: Api, stream: bool) -> None:
    run_id = await leave(api, Gate(), stream=stream)
    view = await api.ended(run_id)
    assert (view.view.status, view.view.result and view.view.result.answer) == (Status.CANCELLED, "one ")
    await api.server.idle()
    shown = (await api.get(f"/runs/{run_id}")).json()
    assert (shown["status"], shown["answer"]) == ("cancelled", "one ")


async def test_in_the_background_a_stream_goes_on_without_its_reader(api: Api) -> None:
    gate = Gate()
    run_id = await leave(api, gate, stream=True, background=True)
    shown = (await api.get(f"/runs/{run_id}")).json()
    assert (shown["object"], shown["status"], shown["answer"]) == ("moa.run", "running", "one ")
    gate.open()
    await api.ended(run_id)
    shown = (await api.get(f"/runs/chatcmpl-{run_id}")).json()
    assert (shown["status"], shown["answer"], shown["moa"]["calls"]) == ("complete", "one two", 1)
    assert shown["usage"]["total_tokens"] == 3


async def test_in_the_background_the_id_comes_at_once(api: Api) -> None:
    gate = Gate()
    api.server.script("a", Answer("one two", gate=gate, hold=(1,)))
    begun = await api.post({"model": "test/a", "messages": HI, "background": True})
    assert (begun.status_code, begun.json()["status"], begun.json()["moa"]["title"]) == (202, "running", "test/a")
    gate.open()
    run = await api.ended(begun.json()["id"])
    assert (run.view.status, run.live) == (Status.COMPLETE, False)


async def test_a_run_in_the_background_can_be_stopped(api: Api) -> None:
    gate = Gate()
    api.server.script("a", Answer("one two", gate=gate, hold=(1,)))
    run_id = (await api.post({"model": "test/a", "messages": HI, "background": True})).json()["id"]
    await gate.arrived()
    async with httpx.AsyncClient() as client:
        for _ in range(2):  # again is no error
            stopped = await client.post(f"{api.url}/runs/{run_id}/cancel")
            assert (stopped.status_code, stopped.json()["status"]) == (200, "cancelled")
    assert (await api.chat.turn(LOCAL, (await api.ended(run_id)).id)).view.status is Status.CANCELLED
