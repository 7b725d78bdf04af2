from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Literal

import httpx
import pytest
from fastapi import FastAPI

from moa.api.exchange import exchange_routes
from moa.chat.exchange import Download
from moa.chat.values import Actor
from moa.core.errors import InputRefused, NotFound
from moa.ui.identity import Identity

OWNER = Actor("local")
SINGLE = Identity(single_owner=True)


class FakeCarrier:
    """Implements ``moa.api.ports.Carrier`` over one conversation of OWNER's, "mine"."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def download(
        self, actor: Actor, conversation_id: str, kind: Literal["md", "json"], label_of: Callable[[str], str]
    ) -> Download:
        if (actor, conversation_id) != (OWNER, "mine"):
            raise NotFound
        return Download(f"moa-2026-11-24-mine.{kind}", f"<script>{label_of('a')}</script>".encode())

    async def archive(self, actor: Actor) -> tuple[str, AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"{"
            yield b"}"

        return "moa-2026-11-24-all.json", pieces()

    async def take_in(self, actor: Actor, data: bytes) -> tuple[str, ...]:
        self.taken.append(data)
        if data == b"bad":
            raise InputRefused("This file can't be read.")
        return tuple("xyz"[: len(data)])


@pytest.fixture
def carrier() -> FakeCarrier:
    return FakeCarrier()


def client(carrier: FakeCarrier, identity: Identity = SINGLE) -> httpx.AsyncClient:
    web = FastAPI()
    web.include_router(exchange_routes(carrier, identity, label_of=str.upper))
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://127.0.0.1")


@pytest.mark.parametrize(("kind", "media"), [("md", "text/markdown"), ("json", "application/json")])
async def test_B16_a_download_is_an_attachment_under_a_name_of_ours(
    carrier: FakeCarrier, kind: str, media: str
) -> None:
    async with client(carrier) as asks:
        answer = await asks.get(f"/moa/conversations/mine/export.{kind}")
    assert answer.text == "<script>A</script>"
    assert answer.headers["content-type"].startswith(media)
    assert answer.headers["content-disposition"] == f'attachment; filename="moa-2026-11-24-mine.{kind}"'
    assert answer.headers["cache-control"] == "no-store"


async def test_the_archive_comes_in_pieces(carrier: FakeCarrier) -> None:
    async with client(carrier) as asks:
        answer = await asks.get("/moa/archive.json")
    assert (answer.text, answer.headers["content-disposition"]) == (
        "{}",
        'attachment; filename="moa-2026-11-24-all.json"',
    )


@pytest.mark.parametrize(("body", "wanted"), [(b"1", (1, "x")), (b"22", (2, None))])
async def test_an_import_says_how_many_came_and_which_if_it_is_one(
    carrier: FakeCarrier, body: bytes, wanted: tuple[int, str | None]
) -> None:
    async with client(carrier) as asks:
        answer = await asks.post("/moa/import", content=body)
    assert answer.json() == {"imported": wanted[0], "conversation": wanted[1]}


async def test_a_file_that_can_not_be_taken_is_refused_in_one_sentence(carrier: FakeCarrier) -> None:
    async with client(carrier) as asks:
        answer = await asks.post("/moa/import", content=b"bad")
    assert (answer.status_code, answer.json()) == (400, {"error": "This file can't be read."})


async def test_B09_missing_malformed_and_foreign_ids_are_one_404(carrier: FakeCarrier) -> None:
    async with client(carrier) as asks:
        answers = [await asks.get(f"/moa/conversations/{id_}/export.md") for id_ in ("theirs", "a.b", "a" * 65, "%00")]
    async with client(carrier, Identity(single_owner=False)) as asks:
        answers.append(await asks.get("/moa/conversations/mine/export.md"))
        answers.append(await asks.get("/moa/archive.json"))
        answers.append(await asks.post("/moa/import", content=b"1"))
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.text for answer in answers} == {'{"error":"This conversation doesn\'t exist any more."}'}
    assert carrier.taken == []


async def test_another_kind_of_file_is_not_offered(carrier: FakeCarrier) -> None:
    async with client(carrier) as asks:
        assert (await asks.get("/moa/conversations/mine/export.html")).status_code in (404, 422)
