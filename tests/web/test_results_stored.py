"""Results over HTTP of real comparisons: asked of the loopback provider, stored, voted on, counted."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from moa.api.results import results_routes
from moa.api.web import WebOptions, build_web
from moa.chat.judged import JudgedResults
from moa.chat.results import Results
from moa.chat.service import ChatService
from moa.chat.values import BAD, TIE
from moa.core.domain import Agent, Part, Recipe
from tests.chat import conftest
from tests.chat.conftest import ANNA, World, mixture, views
from tests.support.server import Answer, HttpError
from tests.web.links import STATIC, Named, visitor

ANNAS, BENS = {"cookie": "who=anna"}, {"cookie": "who=ben"}
JSON = "/moa/results.json"
MIX = replace(mixture("a", "b"), title="MoA")
A, B = (Recipe(name, f"{name} alone", (), Agent(name, Part.AGGREGATOR)) for name in "ab")
FROM_A, FROM_B = "Blue light is scattered most by the air.", "Nobody knows, they say, and never will."

world = conftest.world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    who = Named()
    results = Results(world.chat.votes, world.store.voted_proposals, str.upper)
    judged = JudgedResults(world.store.list_judgements, str.upper).judged
    routes = results_routes(results.comparisons, who, STATIC / "results.html", load_judged=judged)
    web = build_web(WebOptions(STATIC, ("127.0.0.1", "localhost")), identify=who, routers=[routes])
    async with visitor(web) as opened:
        yield opened


class Voter:
    """Asks, waits for all answers and votes: for a recipe, a tie or all bad."""

    def __init__(self, world: World) -> None:
        self._world, self._n = world, 0

    @property
    def chat(self) -> ChatService:
        return self._world.chat

    async def vote(self, choice: Recipe | str, *recipes: Recipe, blind: bool = True) -> None:
        self._n += 1
        started = await self.chat.compare(
            ANNA, question="Why is the sky blue?", recipes=recipes, request_key=f"key-{self._n:04}", blind=blind
        )
        runs = (started.run_id, *started.columns)
        for run_id in runs:
            await views(self.chat, run_id)
        chosen = choice if isinstance(choice, str) else runs[recipes.index(choice)]
        await self.chat.vote(ANNA, started.turn_id, chosen)


def says(world: World) -> None:
    """The mixture's answer is what a said; each model says the same whenever it is asked."""
    for name, text in (("a", FROM_A), ("b", FROM_B), ("agg", FROM_A)):
        world.server.script(name, *[Answer(text)] * 60)


async def read(client: httpx.AsyncClient, table: str, query: str = "") -> list[dict[str, str]]:
    file = await client.get(f"/moa/results/{table}.csv{query}", headers=ANNAS)
    return list(csv.DictReader(io.StringIO(file.text, newline="")))


async def test_real_votes_become_the_figures_of_the_page_and_of_its_files(
    client: httpx.AsyncClient, world: World
) -> None:
    says(world)
    voter = Voter(world)
    for choice, blind in ((MIX, True), (MIX, True), (A, False), (TIE, True)):
        await voter.vote(choice, MIX, A, blind=blind)
    for choice in (A, A, A, BAD):
        await voter.vote(choice, A, B)
    await voter.vote(MIX, B, MIX)
    early = (await client.get(JSON, headers=ANNAS)).json()
    assert (early["votes"], early["enough"], early["early"]) == (9, False, "Too early to tell: 9 votes")
    await voter.vote(MIX, B, MIX)

    found = (await client.get(JSON, headers=ANNAS)).json()
    assert (found["votes"], found["blind"], found["enough"], found["early"]) == (10, 9, True, "")
    assert [place["system"] for place in found["plain"]] == ["MoA", "A", "B"]
    rates = {system["system"]: (system["answers"], system["failed"], system["rate"]) for system in found["systems"]}
    assert rates == {"MoA": (6, 0, 4.5 / 6), "A": (8, 0, 5 / 8), "B": (6, 0, 0.5 / 6)}
    assert (await client.get(f"{JSON}?blind=1", headers=ANNAS)).json()["votes"] == 9

    met = {(row["System"], row["Against"]): row for row in await read(client, "matrix")}
    assert [met["MoA", "A"][name] for name in ("Votes", "Wins", "Losses", "Ties", "Both bad")] == list("42110")
    assert [met["B", "A"][name] for name in ("Win rate (%)", "Both bad")] == ["12.5", "1"]
    assert [row["Votes so far"] for row in await read(client, "days", "?blind=1")] == ["9"]

    # what the mixtures' answers share with a and b goes the way of the votes between a and b, in each of the six
    assert (found["overlap"], found["overlap_early"]) == (
        {"mean": 1.0, "items": 6, "undefined": 0}, "Too early to tell: 6 answers",
    )  # fmt: skip


async def test_a_system_that_failed_loses_and_is_counted_apart(client: httpx.AsyncClient, world: World) -> None:
    says(world)
    world.server.script("b", *[HttpError(400)] * 12)
    voter = Voter(world)
    for _ in range(10):
        await voter.vote(A, A, B)
    found = (await client.get(JSON, headers=ANNAS)).json()
    assert [(one["system"], one["answers"], one["failed"], one["rate"]) for one in found["systems"]] == [
        ("A", 10, 0, 1.0), ("B", 0, 10, 0.0),
    ]  # fmt: skip
    assert found["seconds"]["unknown"] == ["B"]


async def test_nobody_elses_votes_are_counted(client: httpx.AsyncClient, world: World) -> None:
    says(world)
    await Voter(world).vote(TIE, A, B)
    for headers in (BENS, {}):
        found = (await client.get(JSON, headers=headers)).json()
        assert (found["votes"], found["systems"], found["days"]) == (0, [], [])
        file = await client.get("/moa/results/systems.csv", headers=headers)
        assert len(file.text.splitlines()) == 1
