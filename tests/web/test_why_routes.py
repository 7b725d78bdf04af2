"""Why an answer reads as it does, over HTTP: its owner is told, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from moa.api.web import WebOptions, build_web
from moa.api.why import why_routes
from moa.chat.values import Actor, TurnView
from moa.chat.why import Explainer
from moa.core.errors import MoaError, NotFound, StoreBusy
from tests.chat.test_why import OWLS, SNOW, answered, said
from tests.web.links import Named, visitor

STATIC = Path(__file__).parents[2] / "static"
ANNA = {"cookie": "who=anna"}
PLACE = "/moa/turns/turn1/why"


class FakeTurns:
    """Loads one turn, of "anna"; ``fault`` is raised instead."""

    def __init__(self) -> None:
        self.turn = answered(said((1, 1), OWLS), said((1, 2), SNOW))
        self.fault: MoaError | None = None

    async def load(self, actor: Actor, turn_id: str) -> TurnView:
        if self.fault is not None:
            raise self.fault
        if actor != Actor("anna") or turn_id != self.turn.id:
            raise NotFound("turn")
        return self.turn


@pytest.fixture
def turns() -> FakeTurns:
    return FakeTurns()


@pytest.fixture
async def client(turns: FakeTurns) -> AsyncIterator[httpx.AsyncClient]:
    who = Named()
    routes = why_routes(turns.load, Explainer(), who)
    web = build_web(WebOptions(STATIC, ("127.0.0.1", "localhost")), identify=who, routers=[routes])
    async with visitor(web) as opened:
        yield opened


async def test_an_owner_is_told_why(client: httpx.AsyncClient) -> None:
    answer = await client.get(PLACE, headers=ANNA)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    why = answer.json()["why"]
    assert (why["run"], why["slots"], why["sentences"][1]) == (
        "run1", ["1.1", "1.2"], {"text": "Owls hunt at night.", "slot": "1.1", "score": 1.0},
    )  # fmt: skip
    assert list(why) == ["run", "slots", "overlaps", "sentences", "agreement", "dissents"]


async def test_where_there_is_nothing_to_tell_it_is_null(client: httpx.AsyncClient, turns: FakeTurns) -> None:
    turns.turn = answered(said((1, 1), OWLS))
    answer = await client.get(PLACE, headers=ANNA)
    assert (answer.status_code, answer.json()) == (200, {"why": None})


async def test_B09_a_foreign_missing_or_malformed_id_is_one_404(client: httpx.AsyncClient) -> None:
    answers = [
        await client.get(path, headers=who)
        for path, who in (
            (PLACE, {"cookie": "who=ben"}),
            (PLACE, {}),
            ("/moa/turns/turn2/why", ANNA),
            ("/moa/turns/turn%201/why", ANNA),
            (f"/moa/turns/{'x' * 65}/why", ANNA),
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_a_store_that_is_busy_is_told_in_words(client: httpx.AsyncClient, turns: FakeTurns) -> None:
    turns.fault = StoreBusy("The conversations are busy.")
    answer = await client.get(PLACE, headers=ANNA)
    assert (answer.status_code, answer.json()) == (503, {"error": "The conversations are busy."})
