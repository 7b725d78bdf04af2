"""Share links over HTTP on a real store: how they end, what stays as it was, and whose a copy is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from moa.api.guesses import Guesses
from moa.chat.library import Library
from moa.chat.runs import Runs
from moa.core.errors import NotFound
from moa.engine.engine import Engine
from moa.engine.ports import Endpoint
from storage import SqlStore, open_store
from tests.storage.samples import ADA
from tests.storage.test_listing import NEW_YEAR, Calendar
from tests.storage.test_shares import answered
from tests.web.links import Named, application, drawn, visitor

ADAS = {"cookie": "who=ada"}
BEN = {"cookie": "who=ben"}


class Nowhere:
    """A directory without models: nothing is asked here."""

    def endpoint(self, model_id: str) -> Endpoint:
        raise NotFound(model_id)


@pytest.fixture
async def store(tmp_path: Path, calendar: Calendar) -> AsyncIterator[SqlStore]:
    opened = open_store("", tmp_path, now=calendar)
    yield opened
    await opened.aclose()


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
async def real(store: SqlStore, calendar: Calendar) -> AsyncIterator[httpx.AsyncClient]:
    library = Library(store, Runs(Engine(Nowhere()), store), calendar)
    async with visitor(application(library, drawn, Named(), Guesses(most=1_000))) as opened:
        yield opened


async def link(real: httpx.AsyncClient, conversation: str, days: int = 7) -> tuple[str, str]:
    """A link's id and token."""
    made = await real.post(f"/moa/conversations/{conversation}/shares", json={"days": days}, headers=ADAS)
    assert made.status_code == 201
    return made.json()["share"]["id"], made.json()["path"].removeprefix("/s/")


async def test_B15_every_end_of_a_link_reads_as_one_that_never_was(
    real: httpx.AsyncClient, store: SqlStore, calendar: Calendar
) -> None:
    kept, deleted = await answered(store, "1"), await answered(store, "2")
    _, expired = await link(real, kept.conversation_id, 1)
    revoked_id, revoked = await link(real, kept.conversation_id, 30)
    _, resting = await link(real, deleted.conversation_id, 30)
    _, good = await link(real, kept.conversation_id, 30)
    for token in (expired, revoked, resting, good):
        assert (await real.get(f"/s/{token}", headers=BEN)).status_code == 200
    calendar.later(days=2)
    await real.delete(f"/moa/shares/{revoked_id}", headers=ADAS)
    await store.delete_conversation(ADA, deleted.conversation_id)
    ends = (expired, revoked, resting, "A" * 43, "malformed")
    for method, address in (("GET", "/s/{}"), ("GET", "/moa/shared/{}"), ("POST", "/moa/shared/{}/copy")):
        answers = [await real.request(method, address.format(token), headers=BEN) for token in ends]
        assert {answer.status_code for answer in answers} == {404}
        assert len({(answer.content, json.dumps(sorted(answer.headers.items()))) for answer in answers}) == 1
    assert (await real.get(f"/s/{good}")).status_code == 200
    listed = await real.get(f"/moa/conversations/{kept.conversation_id}/shares", headers=ADAS)
    assert len(listed.json()["shares"]) == 1


async def test_B15_a_link_shows_what_stood_when_it_was_made(real: httpx.AsyncClient, store: SqlStore) -> None:
    first = await answered(store, "1")
    _, token = await link(real, first.conversation_id)
    before = (await real.get(f"/moa/shared/{token}")).json()
    await answered(store, "2", conversation_id=first.conversation_id, expected_head=first.id)
    await store.rename_conversation(ADA, first.conversation_id, "Secret")
    assert (await real.get(f"/moa/shared/{token}")).json() == before
    (turn,) = before["turns"]
    assert (before["title"], turn["answer"]["text"]) == ("Why is the sky blue?", "Answer 1.")
    assert turn["layers"][0]["panels"][0]["text"] == "Because of Rayleigh."
    told = json.dumps(before)
    for secret in ("ada", first.id, first.conversation_id, first.shown_run_id):
        assert secret not in told


async def test_B09_a_copy_is_the_visitors_own_and_its_owner_sees_nothing_of_it(
    real: httpx.AsyncClient, store: SqlStore
) -> None:
    turn = await answered(store)
    share_id, token = await link(real, turn.conversation_id)
    copied = (await real.post(f"/moa/shared/{token}/copy", headers=BEN)).json()["conversation"]
    assert copied != turn.conversation_id
    for who, conversation, status in ((BEN, copied, 200), (ADAS, copied, 404), (BEN, turn.conversation_id, 404)):
        assert (await real.get(f"/moa/conversations/{conversation}/shares", headers=who)).status_code == status
    assert (await real.delete(f"/moa/shares/{share_id}", headers=BEN)).status_code == 404
    assert (await real.get(f"/s/{token}")).status_code == 200


@pytest.mark.parametrize("days", [0, -1, 2, 366, 10**30, True])
async def test_B10_a_link_lasts_for_one_of_a_few_times(real: httpx.AsyncClient, store: SqlStore, days: int) -> None:
    turn = await answered(store)
    answer = await real.post(f"/moa/conversations/{turn.conversation_id}/shares", json={"days": days}, headers=ADAS)
    assert (answer.status_code, answer.json()) == (400, {"error": "A link is good for 1, 7, 30, 365 days."})


async def test_a_link_expires_when_it_says(real: httpx.AsyncClient, store: SqlStore, calendar: Calendar) -> None:
    turn = await answered(store)
    made = await real.post(f"/moa/conversations/{turn.conversation_id}/shares", json={"days": 7}, headers=ADAS)
    assert dt.datetime.fromisoformat(made.json()["share"]["expires_at"]) == NEW_YEAR + dt.timedelta(days=7)
    calendar.later(days=7, seconds=-1)
    assert (await real.get(made.json()["path"])).status_code == 200
    calendar.later(seconds=1)
    assert (await real.get(made.json()["path"])).status_code == 404
