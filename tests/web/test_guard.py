from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from moa.api.routes import health_routes, turn_routes
from moa.api.web import WebOptions, allowed_hosts, build_web
from moa.chat.values import Actor, TurnView
from moa.core.errors import NotFound, StoreReadOnly
from moa.core.view import RunView
from moa.ui.identity import Identity

ORIGIN = "http://127.0.0.1:7860"
SAME = {"origin": ORIGIN}
OWNER = Identity(single_owner=True)
JOIN = "/gradio_api/queue/join"


async def load_turn(actor: Actor, turn_id: str) -> TurnView:
    if turn_id == "locked":
        raise StoreReadOnly("The disk is full.")
    if (actor.user_id, turn_id) != ("local", "mine"):
        raise NotFound("turn")
    return TurnView("mine", "c1", "Hi?", "r1", RunView(), live=False)


async def healthy() -> Mapping[str, str]:
    return {"status": "ok", "store": "ok", "model": "ready"}


def application(static: Path, identity: Identity = OWNER, **options: Any) -> FastAPI:
    hosts = options.pop("hosts", allowed_hosts("127.0.0.1", (), loopback=True, shared=False))
    web = build_web(
        WebOptions(static, hosts, **options), identify=identity,
        routers=[turn_routes(load_turn, lambda turn: {"id": turn.id}, identity), health_routes(healthy)],
    )  # fmt: skip

    @web.api_route("/{path:path}", methods=["GET", "POST"])
    async def page(path: str, request: Request) -> dict[str, Any]:  # stands where the page is mounted
        client = request.client.host if request.client else None
        return {
            "path": path, "bytes": len(await request.body()), "scheme": request.url.scheme, "client": client,
            "forwarded": [name for name in request.headers if name.startswith("x-forwarded")],
        }  # fmt: skip

    return web


def browser(web: FastAPI, base_url: str = ORIGIN) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url=base_url)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "static" / "js").mkdir(parents=True)
    (tmp_path / "static" / "js" / "page.js").write_text("export {};")
    (tmp_path / "moa.db").write_text("secret")
    async with browser(application(tmp_path / "static")) as opened:
        yield opened


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site", "origin": ORIGIN},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
async def test_B11_another_site_changes_nothing(
    client: httpx.AsyncClient, method: str, headers: dict[str, str]
) -> None:
    for path in (JOIN, "/", "/moa/turns/mine"):
        answer = await client.request(method, path, headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/gradio_api/queue/data?session_hash=x", "/moa/turns/mine", "/healthz"])
async def test_B11_another_sites_script_reads_nothing(client: httpx.AsyncClient, path: str) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "https://evil.example"}
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


async def test_B11_a_preflight_gets_no_leave(client: httpx.AsyncClient) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = await client.options(JOIN, headers=headers)
    assert answer.status_code in (400, 403)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [SAME, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {}],
)
async def test_the_page_itself_and_programs_may_post(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.post(JOIN, headers=headers, content=b"{}")).status_code == 200


async def test_a_link_on_another_site_opens_the_page(client: httpx.AsyncClient) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert (await client.get("/?c=abc", headers=headers)).status_code == 200


async def test_B11_nobody_frames_the_page_but_hugging_face_on_a_space(tmp_path: Path) -> None:
    async with browser(application(tmp_path)) as alone:
        headers = (await alone.get("/")).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
    async with browser(application(tmp_path, on_space=True, hosts=("*",))) as space:
        headers = (await space.get("/")).headers
        assert "https://huggingface.co" in headers["content-security-policy"].split("frame-ancestors")[1]
        assert "x-frame-options" not in headers


async def test_B02_the_policy_names_no_host_of_others(client: httpx.AsyncClient) -> None:
    for path in ("/", "/healthz", "/moa-static/js/page.js", "/gradio_api/upload"):
        headers = (await client.get(path)).headers
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "", "a b"])
async def test_B26_on_loopback_only_this_machines_names_are_served(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/", headers={"host": host})).status_code == 400


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860", "LOCALHOST"])
async def test_B26_this_machines_names_are_served(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/", headers={"host": host})).status_code == 200


async def test_B26_without_a_proxy_nobody_forwards(client: httpx.AsyncClient) -> None:
    headers = {"x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}
    told = (await client.get("/", headers=headers)).json()
    assert (told["scheme"], told["client"], told["forwarded"]) == ("http", "127.0.0.1", [])


async def test_B26_with_one_proxy_its_own_word_counts_and_not_the_visitors(tmp_path: Path) -> None:
    async with browser(application(tmp_path, proxy_hops=1, hosts=("*",))) as client:
        headers = {"x-forwarded-for": "1.1.1.1, 2.2.2.2", "x-forwarded-proto": "javascript, https"}
        told = (await client.get("/", headers=headers)).json()
        assert (told["scheme"], told["client"]) == ("https", "2.2.2.2")


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload", "/gradio_api/upload/", "/gradio_api/file=/etc/passwd", "/gradio_api/file/etc/passwd",
        "/gradio_api/proxy=http://evil.example", "/gradio_api/deep_link", "/gradio_api/openapi.json",
        "/gradio_api/run/predict", "/gradio_api/call/start", "/gradio_api/component_server", "/gradio_api",
        "/gradio_api/stream/x/y/z/playlist.m3u8", "/monitoring", "/monitoring/summary", "/login",
        "/gradio_api/vibe-edit", "/docs", "/gradio_api//upload", "/gradio_api/queue/../upload",
    ],
)  # fmt: skip
async def test_B29_gradios_unused_doors_are_closed(client: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST"):
        assert (await client.request(method, path, headers=SAME)).status_code in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/moa-static/..%2fmoa.db", "/moa-static/../moa.db", "/moa-static/%2e%2e/moa.db", "/moa-static//etc/passwd",
        "/moa-static/js/..%2f..%2fmoa.db", "/moa-static/..%5cmoa.db", "/moa-static/%00", "/moa-static/js",
        "/moa-static/nothing.js",
    ],
)  # fmt: skip
async def test_B29_static_files_lead_nowhere_else(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert "secret" not in answer.text
    assert answer.status_code in (400, 404) or answer.json()["path"] == "moa.db"  # the client resolved the dots


async def test_static_files_are_served_and_asked_for_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/moa-static/js/page.js")
    assert (answer.text, answer.headers["cache-control"]) == ("export {};", "no-cache")
    same = await client.get("/moa-static/js/page.js", headers={"if-none-match": answer.headers["etag"]})
    assert same.status_code == 304


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/" + "a" * 3_000, 414),
        ("GET", "/?q=" + "a" * 9_000, 414),
        ("GET", "/%00", 400),
        ("GET", "/%ff%fe", 400),
        ("GET", "/a%0d%0aset-cookie:x", 400),
        ("GET", "/a%5cb", 400),
        ("GET", "/%zz", 200),
        ("BREW", "/", 405),
        ("TRACE", "/", 405),
    ],
)
async def test_B30_odd_addresses_are_refused(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    assert (await client.request(method, path)).status_code == status


async def test_B07_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_read(client: httpx.AsyncClient) -> None:
    most = await client.post(JOIN, headers=SAME, content=b"a" * 2_000_000)
    assert (most.status_code, most.json()["bytes"]) == (200, 2_000_000)
    more = await client.post(JOIN, headers=SAME, content=b"a" * 2_000_001)
    assert (more.status_code, "2,000,000" in more.text) == (413, True)


async def test_B07_a_body_in_pieces_is_counted_too(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"a" * 100_000

    assert (await client.post(JOIN, headers=SAME, content=endless())).status_code == 413


async def test_B07_an_import_may_be_large_and_only_two_come_in_at_once(client: httpx.AsyncClient) -> None:
    more = await client.post("/moa/import", headers=SAME, content=b"a" * 2_000_001)
    assert (more.status_code, more.json()["bytes"]) == (200, 2_000_001)
    stuck, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def slowly() -> AsyncIterator[bytes]:
        begun.release()
        await stuck.wait()
        yield b"a"

    slow = [asyncio.create_task(client.post("/moa/import", headers=SAME, content=slowly())) for _ in range(2)]
    for _ in slow:
        await begun.acquire()
    third = await client.post("/moa/import", headers=SAME, content=b"a")
    assert (third.status_code, "try again" in third.text) == (503, True)
    stuck.set()
    assert [answer.status_code for answer in await asyncio.gather(*slow)] == [200, 200]


async def test_B07_a_length_that_is_no_number_is_refused(client: httpx.AsyncClient) -> None:
    headers = {**SAME, "content-length": "-1"}
    assert (await client.post(JOIN, headers=headers, content=b"a")).status_code in (400, 413)


async def test_a_turn_is_given_to_its_owner(client: httpx.AsyncClient) -> None:
    answer = await client.get("/moa/turns/mine")
    assert (answer.status_code, answer.json()) == (200, {"id": "mine"})
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("turn", ["missing", "%F0%9F%98%80", "a" * 65, "a%20b", "..."])
async def test_B09_missing_foreign_and_malformed_ids_read_the_same(client: httpx.AsyncClient, turn: str) -> None:
    answer = await client.get(f"/moa/turns/{turn}")
    assert (answer.status_code, answer.json()) == (404, {"error": "This turn doesn't exist any more."})


async def test_B09_another_visitors_turn_reads_as_a_missing_one(tmp_path: Path) -> None:
    async with browser(application(tmp_path, Identity(single_owner=False))) as stranger:
        unknown = await stranger.get("/moa/turns/mine")
        await stranger.get("/")
        known = await stranger.get("/moa/turns/mine")
        missing = await stranger.get("/moa/turns/missing")
    assert unknown.status_code == known.status_code == missing.status_code == 404
    assert unknown.json() == known.json() == missing.json()


async def test_a_store_that_cannot_be_read_is_said(client: httpx.AsyncClient) -> None:
    answer = await client.get("/moa/turns/locked")
    assert (answer.status_code, answer.json()) == (503, {"error": "The disk is full."})


async def test_B23_a_first_page_brings_a_cookie_that_lasts(tmp_path: Path) -> None:
    identity = Identity(single_owner=False)
    async with browser(application(tmp_path, identity)) as visitor:
        first = await visitor.get("/")
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie
        assert "set-cookie" not in (await visitor.get("/")).headers
        assert "set-cookie" not in (await visitor.get("/healthz")).headers
        actor = identity.actor(dict(visitor.cookies))
    assert actor is not None
    assert len(actor.user_id) == 64
    assert actor.user_id not in cookie


@pytest.mark.parametrize(("embedded", "site"), [(False, "SameSite=Lax"), (True, "SameSite=None; Partitioned")])
async def test_B23_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path, embedded: bool, site: str) -> None:
    identity = Identity(single_owner=False, embedded=embedded)
    web = application(tmp_path, identity, hosts=("*",))
    async with browser(web, "https://chat.example.org") as visitor:
        cookie = (await visitor.get("/")).headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert site in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("token", ["", "short", "a" * 44, "a" * 42 + "é", "../../etc/passwd"])
def test_B08_a_cookie_of_another_form_is_nobody(token: str) -> None:
    assert Identity(single_owner=False).actor({"moa_visitor": token}) is None


def test_on_this_machine_alone_everyone_is_the_owner_and_no_cookie_is_needed() -> None:
    assert Identity(single_owner=True).actor({}) == Actor("local")


async def test_the_health_page_is_short(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "store": "ok", "model": "ready"})
