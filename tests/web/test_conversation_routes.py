from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from moa.api.conversations import ENTRIES, HITS, conversation_routes
from moa.chat.values import Actor, ConversationEntry, SearchHit
from moa.core.errors import Busy, Conflict, InputRefused, MoaError, NotFound, StoreBusy, StoreReadOnly
from moa.ui import history
from moa.ui.identity import Identity

NOW = dt.datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=dt.UTC)
OWNER = Actor("local")
GONE = {"error": "This conversation doesn't exist any more."}


def entry(number: int, **changes: Any) -> ConversationEntry:
    when = NOW - dt.timedelta(hours=number)
    return replace(ConversationEntry(f"talk{number}", f"Talk {number}", when, when), **changes)


@dataclass
class FakeShelf:
    """Implements ``moa.api.ports.Shelf`` over what a test puts in, all of it OWNER's. ``fault`` is raised by all."""

    held: list[ConversationEntry] = field(default_factory=list)
    found: Sequence[SearchHit] = ()
    fault: MoaError | None = None
    told: list[tuple[Any, ...]] = field(default_factory=list)

    async def entries(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None, archived: bool = False
    ) -> Sequence[ConversationEntry]:
        self._note("entries", limit, before, archived)
        mine = [one for one in self.held if one.archived == archived and actor == OWNER]
        return [one for one in mine if before is None or one.updated_at < before][:limit]

    async def search(self, actor: Actor, query: str, *, limit: int = 50, offset: int = 0) -> Sequence[SearchHit]:
        self._note("search", query, limit, offset)
        return self.found[offset : offset + limit] if actor == OWNER else ()

    async def rename(self, actor: Actor, conversation_id: str, title: str) -> None:
        self._one("rename", actor, conversation_id, title)

    async def flag(
        self, actor: Actor, conversation_id: str, *, pinned: bool | None = None, archived: bool | None = None
    ) -> None:
        self._one("flag", actor, conversation_id, pinned, archived)

    async def delete(self, actor: Actor, conversation_id: str) -> None:
        self._one("delete", actor, conversation_id)

    async def restore(self, actor: Actor, conversation_id: str) -> None:
        self._one("restore", actor, conversation_id)

    def _one(self, name: str, actor: Actor, conversation_id: str, *told: Any) -> None:
        self._note(name, conversation_id, *told)
        if actor != OWNER or conversation_id not in {one.id for one in self.held}:
            raise NotFound

    def _note(self, *told: Any) -> None:
        self.told.append(told)
        if self.fault is not None:
            raise self.fault


def visitor(shelf: FakeShelf, *, single_owner: bool = True) -> httpx.AsyncClient:
    web = FastAPI()
    identity = Identity(single_owner=single_owner)
    web.include_router(conversation_routes(shelf, identity, page=history.page, hits=history.hits))
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://127.0.0.1:7860")


@pytest.fixture
def shelf() -> FakeShelf:
    return FakeShelf([entry(1, running=True), entry(2, archived=True)])


@pytest.fixture
async def client(shelf: FakeShelf) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(shelf) as opened:
        yield opened


async def test_the_list_is_given_page_by_page(client: httpx.AsyncClient, shelf: FakeShelf) -> None:
    shelf.held = [entry(number) for number in range(1, 3 * ENTRIES)]
    seen: list[str] = []
    params: dict[str, str] | None = {}
    while params is not None:
        answer = await client.get("/moa/conversations", params=params)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        seen += [one["id"] for one in answer.json()["entries"]]
        before = answer.json()["next"]
        params = {"before": before} if before else None
    assert seen == [one.id for one in shelf.held]


async def test_a_line_has_what_the_browser_shows(client: httpx.AsyncClient) -> None:
    told = (await client.get("/moa/conversations")).json()
    at = "2026-11-24T11:00:00.250000+00:00"
    line = {"id": "talk1", "title": "Talk 1", "at": at, "running": True, "pinned": False}
    assert told == {"entries": [line], "current": None, "next": None}


async def test_archived_ones_are_a_list_of_their_own(client: httpx.AsyncClient) -> None:
    for archived, ids in (("1", ["talk2"]), ("0", ["talk1"])):
        told = (await client.get("/moa/conversations", params={"archived": archived})).json()
        assert [one["id"] for one in told["entries"]] == ids


async def test_a_search_gives_pieces_and_its_next_page(client: httpx.AsyncClient, shelf: FakeShelf) -> None:
    hit = SearchHit("talk1", "Talk 1", "turn1", "proposal", "😀 blue sky", ((2, 6),), NOW)
    shelf.found = [hit] * (HITS + 1)
    first = (await client.get("/moa/search", params={"q": 'sky "blue & red"'})).json()
    assert shelf.told[-1] == ("search", 'sky "blue & red"', HITS + 1, 0)
    assert (len(first["hits"]), first["next"]) == (HITS, HITS)
    assert first["hits"][0] == {
        "conversation": "talk1", "title": "Talk 1", "turn": "turn1", "where": "proposal",
        "snippet": [{"text": "😀 ", "hit": False}, {"text": "blue", "hit": True}, {"text": " sky", "hit": False}],
        "at": "2026-11-24T12:00:00.250000+00:00",
    }  # fmt: skip
    last = (await client.get("/moa/search", params={"q": "sky", "offset": first["next"]})).json()
    assert (len(last["hits"]), last["next"]) == (1, None)


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("PATCH", "", {"title": " Blue "}, [("rename", "talk1", " Blue ")]),
        ("PATCH", "", {"pinned": True}, [("flag", "talk1", True, None)]),
        ("PATCH", "", {"archived": False}, [("flag", "talk1", None, False)]),
        ("PATCH", "", {"title": "A", "archived": True}, [("rename", "talk1", "A"), ("flag", "talk1", None, True)]),
        ("DELETE", "", None, [("delete", "talk1")]),
        ("POST", "/restore", None, [("restore", "talk1")]),
    ],
)
async def test_a_line_is_changed_deleted_and_restored(
    client: httpx.AsyncClient, shelf: FakeShelf, method: str, path: str, body: Any, told: list[Any]
) -> None:
    answer = await client.request(method, f"/moa/conversations/talk1{path}", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert shelf.told == told


ONE: list[tuple[str, str, Any]] = [
    ("PATCH", "/moa/conversations/{id}", {"title": "Mine"}),
    ("PATCH", "/moa/conversations/{id}", {"pinned": True}),
    ("PATCH", "/moa/conversations/{id}", {"archived": True}),
    ("DELETE", "/moa/conversations/{id}", None),
    ("POST", "/moa/conversations/{id}/restore", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ONE)
async def test_B09_foreign_missing_and_malformed_ids_read_the_same(
    shelf: FakeShelf, method: str, path: str, body: Any
) -> None:
    async with visitor(shelf, single_owner=False) as stranger:
        before = await stranger.request(method, path.format(id="talk1"), json=body)
        stranger.cookies.set("moa_visitor", "a" * 43)
        answers = [
            await stranger.request(method, path.format(id=name), json=body)
            for name in ("talk1", "missing", "a" * 65, "%F0%9F%98%80", "a%20b", "...", "'--")
        ]
    assert {(answer.status_code, str(answer.json())) for answer in [before, *answers]} == {(404, str(GONE))}


async def test_B09_lists_and_searches_of_a_stranger_hold_nothing_of_others(shelf: FakeShelf) -> None:
    shelf.found = [SearchHit("talk1", "Talk 1", None, "title", "Talk 1", ((0, 4),), NOW)]
    async with visitor(shelf, single_owner=False) as stranger:
        for path in ("/moa/conversations", "/moa/search?q=Talk"):
            assert (await stranger.get(path)).status_code == 404
        assert shelf.told == []
        stranger.cookies.set("moa_visitor", "a" * 43)
        assert (await stranger.get("/moa/conversations")).json() == {"entries": [], "current": None, "next": None}
        assert (await stranger.get("/moa/search?q=Talk")).json() == {"hits": [], "next": None}


@pytest.mark.parametrize("name", ["title", "pinned", "archived"])
async def test_B10_a_change_of_a_wrong_type_changes_nothing(
    client: httpx.AsyncClient, shelf: FakeShelf, name: str
) -> None:
    good: dict[str, object] = {"title": "A", "pinned": True, "archived": True}
    wrong = [None, 1, 0, 1.5, [], {}, ["x"], *(["true", ""] if name != "title" else [True])]
    for value, rest in itertools.product(wrong, ({}, good)):
        answer = await client.patch("/moa/conversations/talk1", json={**rest, name: value})
        assert_refused(answer)
    assert shelf.told == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"title"', b"1", b"{}", b'{"owner": "x"}', b'{"title": "A", "id": 1}', b"\xff\xfe",
     b"[" * 100_000, b"NaN"],
    ids=range(12),
)  # fmt: skip
async def test_B10_a_body_that_is_no_change_is_refused(
    client: httpx.AsyncClient, shelf: FakeShelf, body: bytes
) -> None:
    assert_refused(await client.patch("/moa/conversations/talk1", content=body))
    assert shelf.told == []


@pytest.mark.parametrize(
    "query",
    [
        "before=", "before=yesterday", "before=2026-11-24T12:00:00", "before=2026-11-24", "before=%00",
        "before=0001-01-01T00:00%2B23:00", "before=9999-12-31T23:59-23:00", "before=%F0%9F%98%80", "archived=2",
        "archived=true", "archived=",
    ],
)  # fmt: skip
async def test_B10_a_page_that_does_not_exist_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert_refused(await client.get(f"/moa/conversations?{query}"))


@pytest.mark.parametrize("offset", ["-1", "", "x", "1.5", "10001", "9" * 5_000, "²", "٣", "0x1", " 1"])
async def test_B10_an_offset_that_is_no_small_number_is_refused(client: httpx.AsyncClient, offset: str) -> None:
    assert_refused(await client.get("/moa/search", params={"q": "sky", "offset": offset}))


def assert_refused(answer: httpx.Response) -> None:
    """One plain sentence and nothing more."""
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert 10 < len(answer.json()["error"]) < 120
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (InputRefused("A title has 1 to 200 characters."), 400),
        (NotFound(), 404),
        (Conflict("This has changed elsewhere."), 409),
        (Busy("Too much at once.", retry_after_s=1.2), 429),
        (StoreBusy("The database is locked.", detail="secret path"), 503),
        (StoreReadOnly("The disk is full.", detail="secret path"), 503),
    ],
)
async def test_F27_each_refusal_has_its_status_and_its_plain_text(
    client: httpx.AsyncClient, shelf: FakeShelf, fault: MoaError, status: int
) -> None:
    shelf.fault = fault
    for method, path, body in [*ONE, ("GET", "/moa/conversations", None), ("GET", "/moa/search?q=x", None)]:
        answer = await client.request(method, path.format(id="talk1"), json=body)
        assert (answer.status_code, answer.json()) == (status, {"error": fault.public})
        assert answer.headers.get("retry-after") == ("2" if status == 429 else None)
