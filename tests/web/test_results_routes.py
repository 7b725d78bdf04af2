"""The results of votes over HTTP: whose they are, and in what forms they come."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from moa.core.errors import StoreBusy
from tests.evals.compared import compared, comparison
from tests.web.links import visitor
from tests.web.votes import ANNA, Ballots, application

JSON = "/moa/results.json"


@pytest.fixture
def ballots() -> Ballots:
    return Ballots(compared(30))


@pytest.fixture
async def client(ballots: Ballots) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(application(ballots)) as opened:
        yield opened


async def test_the_page_runs_no_script_but_ours_and_holds_no_data(client: httpx.AsyncClient, ballots: Ballots) -> None:
    page = await client.get("/results", headers=ANNA)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert ballots.asked == []
    assert "Qwen" not in page.text


async def test_results_are_the_askers_own(client: httpx.AsyncClient, ballots: Ballots) -> None:
    found = await client.get(JSON, headers=ANNA)
    assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
    assert (found.json()["votes"], found.json()["enough"]) == (30, True)
    assert (await client.get(JSON, headers={"cookie": "who=ben"})).json()["votes"] == 0
    assert (await client.get(JSON)).json()["early"] == "Too early to tell: 0 votes"
    assert ballots.asked == ["anna", "ben"]


async def test_a_new_vote_is_in_the_next_answer(client: httpx.AsyncClient, ballots: Ballots) -> None:
    first = (await client.get(JSON, headers=ANNA)).json()
    assert (await client.get(JSON, headers=ANNA)).json() == first
    ballots.of_anna = [*ballots.of_anna, comparison(0, "MoA", "new one")]
    assert (await client.get(JSON, headers=ANNA)).json()["votes"] == 31


async def test_each_table_is_a_file_of_the_same_cells(client: httpx.AsyncClient) -> None:
    tables = (await client.get(JSON, headers=ANNA)).json()["tables"]
    assert set(tables) == {"ranking", "dollars", "seconds", "matrix", "style", "days", "systems", "tags", "overlap"}
    for name, table in tables.items():
        file = await client.get(f"/moa/results/{name}.csv", headers=ANNA)
        assert file.headers["content-type"] == "text/csv; charset=utf-8"
        assert file.headers["content-disposition"] == f'attachment; filename="moa-results-{name}.csv"'
        assert file.headers["cache-control"] == "no-store"
        head, *rows = csv.reader(io.StringIO(file.text, newline=""))
        assert head == table["head"]
        assert [len(row) for row in rows] == [len(row) for row in table["rows"]]


async def test_blind_votes_are_counted_alone_where_that_is_asked(client: httpx.AsyncClient, ballots: Ballots) -> None:
    ballots.of_anna = [replace(one, blind=i < 12) for i, one in enumerate(ballots.of_anna)]
    every = (await client.get(JSON, headers=ANNA)).json()
    blind = (await client.get(f"{JSON}?blind=1", headers=ANNA)).json()
    assert [(found["votes"], found["blind"]) for found in (every, blind)] == [(30, 12), (12, 12)]
    for address, n in (("/moa/results/days.csv", 30), ("/moa/results/days.csv?blind=1", 12)):
        assert (await client.get(address, headers=ANNA)).text.rstrip().endswith(f",{n}")
    for odd in ("?blind=0", "?blind=", "?blind=yes", "?blind=%00"):
        assert (await client.get(f"{JSON}{odd}", headers=ANNA)).json() == every


async def test_the_page_can_be_framed_only_by_whoever_may_frame_the_chat(client: httpx.AsyncClient) -> None:
    assert "frame-ancestors 'none'" in (await client.get("/results")).headers["content-security-policy"]
    async with visitor(application(Ballots(), framed_by="'self' https://huggingface.co")) as framed:
        policy = (await framed.get("/results")).headers["content-security-policy"]
        assert "frame-ancestors 'self' https://huggingface.co;" in policy


@pytest.mark.parametrize("name", ["nothing", "Days", "%22x", "days;x"])
async def test_B10_another_table_is_404(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/moa/results/{name}.csv", headers=ANNA)).status_code == 404


async def test_B17_a_name_that_is_a_formula_is_a_text_in_the_file(client: httpx.AsyncClient, ballots: Ballots) -> None:
    ballots.of_anna = [comparison(0, "=HYPERLINK(1)", "b")] * 10
    file = await client.get("/moa/results/systems.csv", headers=ANNA)
    assert "\r\n'=HYPERLINK(1),10,0," in file.text


async def test_what_the_store_cannot_do_is_said(client: httpx.AsyncClient, ballots: Ballots) -> None:
    ballots.fault = StoreBusy("The database is busy.")
    for path in (JSON, "/moa/results/days.csv"):
        answer = await client.get(path, headers=ANNA)
        assert (answer.status_code, answer.json()) == (503, {"error": "The database is busy."})
