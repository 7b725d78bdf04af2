"""Share links over HTTP: who may make and end them, what a reader gets, and that a bad link tells nothing."""

from __future__ import annotations

import html
import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from moa.api.guesses import Guesses
from moa.core.domain import FailureKind
from moa.core.errors import CallError, InputRefused, StoreBusy
from moa.ui.identity import Identity
from tests.support.clock import ManualClock
from tests.web.links import TOKEN, FakeLinks, application, drawn, shown, turn_view, visitor

SHARES = "/moa/conversations/talk1/shares"
ANNA = {"cookie": "who=anna"}
BEN = {"cookie": "who=ben"}
OWNERS = (("POST", SHARES), ("GET", SHARES), ("DELETE", "/moa/shares/share1"))
OPENED = (f"/s/{TOKEN}", f"/moa/shared/{TOKEN}")


@pytest.fixture
def links() -> FakeLinks:
    return FakeLinks(shown(turn_view("first"), turn_view("second", "And then?")))


@pytest.fixture
async def client(links: FakeLinks) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(application(links, drawn)) as opened:
        yield opened


# -- the owner


async def test_an_owner_makes_lists_and_ends_a_link(client: httpx.AsyncClient, links: FakeLinks) -> None:
    told = {"id": "share1", "created_at": "2026-11-24T12:00:00+00:00", "expires_at": "2026-12-01T12:00:00+00:00"}
    made = await client.post(SHARES, json={"days": 7}, headers=ANNA)
    assert (made.status_code, made.json()) == (201, {"share": told, "path": f"/s/{TOKEN}"})
    listed = await client.get(SHARES, headers=ANNA)
    assert (listed.status_code, listed.json()) == (200, {"shares": [told]})
    ended = await client.delete("/moa/shares/share1", headers=ANNA)
    assert (ended.status_code, ended.content) == (204, b"")
    assert {answer.headers["cache-control"] for answer in (made, listed, ended)} == {"no-store"}
    assert links.calls == [("share", "anna", 7), ("shares", "anna"), ("revoke", "anna")]


@pytest.mark.parametrize(("method", "path"), OWNERS)
async def test_B09_nobody_else_makes_lists_or_ends_one(client: httpx.AsyncClient, method: str, path: str) -> None:
    missing = path.replace("talk1", "missing").replace("share1", "missing")
    answers = [
        await client.request(method, address, headers=who, json={"days": 7})
        for address, who in ((path, BEN), (path, {}), (missing, ANNA), (path.replace("1", "%20"), ANNA))
    ]
    assert {answer.status_code for answer in answers} == {404}
    told = {answer.json()["error"] for answer in answers}
    assert len(told) == 1 or path == "/moa/shares/share1"
    assert all("doesn't exist any more" in one for one in told)


@pytest.mark.parametrize("days", ["7", None, [7], {"n": 7}, 1.5, "x" * 1000])
async def test_B10_days_of_another_type_are_refused_by_the_number_that_no_link_has(
    client: httpx.AsyncClient, links: FakeLinks, days: object
) -> None:
    links.fault = InputRefused("A link is good for 1, 7, 30, 365 days.")
    answer = await client.post(SHARES, json={"days": days}, headers=ANNA)
    assert (answer.status_code, answer.json()) == (400, {"error": "A link is good for 1, 7, 30, 365 days."})
    assert links.calls == [("share", "anna", 0)]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"7"])
async def test_B10_a_body_that_is_no_object_is_refused(
    client: httpx.AsyncClient, links: FakeLinks, body: bytes
) -> None:
    assert (await client.post(SHARES, content=body, headers=ANNA)).status_code == 400
    assert links.calls == []


@pytest.mark.parametrize(("method", "path"), [*OWNERS, ("POST", f"/moa/shared/{TOKEN}/copy")])
async def test_B11_another_site_makes_ends_and_copies_nothing(
    client: httpx.AsyncClient, links: FakeLinks, method: str, path: str
) -> None:
    for site in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = await client.request(method, path, headers={**ANNA, **site}, json={"days": 7})
        assert answer.status_code == (200 if method == "GET" and "origin" in site else 403)
    assert not {name for name, *_ in links.calls} & {"share", "revoke", "copy"}


# -- the reader


async def test_a_reader_gets_the_conversation_without_an_id_of_its_owner(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/moa/shared/{TOKEN}")
    told = answer.json()
    assert (answer.status_code, sorted(told), told["title"]) == (200, ["title", "turns"], "Why the sky is blue")
    assert [turn["question"] for turn in told["turns"]] == ["Why?", "And then?"]
    named = [[turn[key] for key in ("id", "run", "position", "attempts", "siblings")] for turn in told["turns"]]
    assert named == [["1", "1", 1, ["1"], ["1"]], ["2", "2", 2, ["2"], ["2"]]]
    for secret in ("talk1", "anna", "first-", "second-", TOKEN):
        assert secret not in answer.text
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == (
        "no-store", "noindex, nofollow, noarchive",
    )  # fmt: skip


async def test_B15_the_page_holds_no_data_and_is_listed_cached_and_told_nowhere(
    client: httpx.AsyncClient, links: FakeLinks
) -> None:
    answer = await client.get(f"/s/{TOKEN}")
    assert answer.status_code == 200
    for word in (TOKEN, links.shown.title, "Why?", "{{"):
        assert word not in answer.text
    assert '<meta name="robots" content="noindex' in answer.text
    headers = answer.headers
    assert headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


def policy(answer: httpx.Response) -> dict[str, set[str]]:
    """What each kind of content may come from."""
    directives = map(str.split, answer.headers["content-security-policy"].split(";"))
    return {name: set(sources) for name, *sources in directives}


@pytest.mark.parametrize("on_space", [False, True])
async def test_the_pages_policy_is_stricter_than_the_apps(links: FakeLinks, on_space: bool) -> None:
    async with visitor(application(links, drawn, on_space=on_space)) as client:
        mine, apps = policy(await client.get(f"/s/{TOKEN}")), policy(await client.get("/"))
    assert (mine["default-src"], mine["script-src"], mine["frame-ancestors"]) == ({"'none'"}, {"'self'"}, {"'none'"})
    assert "'unsafe-eval'" in apps["script-src"]
    for name in ("connect-src", "img-src", "font-src", "form-action", "base-uri"):
        assert mine[name] - {"'none'"} <= apps[name]
    assert not any("http" in source or source == "*" for sources in mine.values() for source in sources)


async def test_other_pages_keep_the_apps_policy(client: httpx.AsyncClient) -> None:
    for path in ("/", f"/moa/shared/{TOKEN}", "/moa-static/js/shared.js"):
        headers = (await client.get(path)).headers
        assert "'unsafe-inline'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"


async def test_HEAD_tells_what_GET_does_without_a_body(client: httpx.AsyncClient) -> None:
    for path in (*OPENED, f"/s/{TOKEN[::-1]}", f"/moa/shared/{TOKEN[::-1]}"):
        got, head = await client.get(path, headers=BEN), await client.head(path, headers=BEN)
        assert (head.status_code, head.headers, head.content) == (got.status_code, got.headers, b"")


async def test_the_page_file_itself_is_no_static_file(client: httpx.AsyncClient) -> None:
    for name in ("shared.html", "SHARED.HTML", "./shared.html", "js/../shared.html"):
        assert (await client.get(f"/moa-static/{name}")).status_code == 404


async def test_a_visitor_of_a_link_gets_a_cookie_and_copies_to_its_own(links: FakeLinks) -> None:
    async with visitor(application(links, drawn, Identity(single_owner=False))) as client:
        before = await client.post(f"/moa/shared/{TOKEN}/copy")
        first = await client.get(f"/s/{TOKEN}")
        again = await client.get(f"/s/{TOKEN}")
        copied = await client.post(f"/moa/shared/{TOKEN}/copy")
    assert (before.status_code, "cookies" in before.json()["error"]) == (400, True)
    assert ("set-cookie" in first.headers, "set-cookie" in again.headers) == (True, False)
    assert (copied.status_code, copied.json(), copied.headers["cache-control"]) == (
        200, {"conversation": "copy1"}, "no-store",
    )  # fmt: skip
    (copy,) = (call for call in links.calls if call[0] == "copy")
    assert len(copy[2]) == 64


@pytest.mark.parametrize(
    ("fault", "status"),
    [(StoreBusy("The database is busy."), 503), (CallError(FailureKind.INTERNAL), 503)],
)
async def test_a_store_that_fails_is_said_in_words(
    client: httpx.AsyncClient, links: FakeLinks, fault: Exception, status: int
) -> None:
    links.fault = fault
    page, data = await client.get(OPENED[0]), await client.get(OPENED[1])
    assert (page.status_code, data.status_code, data.json()) == (status, status, {"error": str(fault)})
    assert str(fault) in html.unescape(page.text)
    assert 'data-link="closed"' in page.text


# -- links that don't work

WRONG = (
    TOKEN[:-1] + "x", TOKEN[:-1], TOKEN + "x", "x", "'%20OR%201=1--", "%F0%9F%98%80" * 10, "..%2f" * 9,
    "%7B%7Bsays%7D%7D", "х" * 43, "a" * 42 + "%0a", "<script>", "null", "a" * 1_900,
)  # fmt: skip


async def test_B15_whatever_is_no_link_reads_the_same(links: FakeLinks) -> None:
    async with visitor(application(links, drawn, guesses=Guesses(most=1_000))) as client:
        for prefix, end, method in (("/s/", "", "GET"), ("/moa/shared/", "", "GET"), ("/moa/shared/", "/copy", "POST")):
            wrong = [
                token for token in WRONG if "%2f" not in token and "%0a" not in token
            ]  # no path, no header of ours
            answers = [await client.request(method, prefix + token + end, headers=BEN) for token in wrong]
            assert {answer.status_code for answer in answers} == {404}
            assert len({answer.content for answer in answers}) == 1
            assert len({json.dumps(sorted(answer.headers.items())) for answer in answers}) == 1
    asked = {token for _, token, *_ in links.calls}
    assert asked == {WRONG[0]}  # the only one of a token's form


async def test_B15_a_page_of_no_link_says_so_and_leads_to_the_app(client: httpx.AsyncClient) -> None:
    answer = await client.get("/s/nothing", headers=BEN)
    assert "This link doesn't work any more." in html.unescape(answer.text)
    assert 'href="../"' in answer.text
    open_page = await client.get(f"/s/{TOKEN}", headers=BEN)
    assert dict(answer.headers) | {"content-length": ""} == dict(open_page.headers) | {"content-length": ""}


async def test_B15_a_token_stands_in_no_log(
    client: httpx.AsyncClient, links: FakeLinks, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "moa")
    for path in OPENED:
        await client.get(path)
    links.fault = StoreBusy("The database is busy.")
    for path in OPENED:
        await client.get(path)
    said = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]  # the test's own
    assert not any(TOKEN in line for line in said)


async def test_B15_who_guesses_has_to_wait_and_others_need_not(links: FakeLinks) -> None:
    clock = ManualClock()
    web = application(links, drawn, guesses=Guesses(clock.now), proxy_hops=1)
    async with visitor(web) as client:

        async def ask(path: str, address: str = "9.9.9.9") -> httpx.Response:
            method = "POST" if path.endswith("/copy") else "GET"
            return await client.request(method, path, headers={**BEN, "x-forwarded-for": address})

        for number in range(10):
            for path in (f"/s/{number}", f"/moa/shared/{number}", f"/moa/shared/{number:043}/copy"):
                assert (await ask(path)).status_code == 404
        for path in ("/s/x", f"/moa/shared/{'x' * 43}", f"/moa/shared/{'x' * 43}/copy"):
            refused = await ask(path)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
            assert "Wait a minute" in refused.text
        assert (await ask(f"/s/{TOKEN}")).status_code == 200  # others may read from the same address
        assert (await ask("/s/x", "8.8.8.8")).status_code == 404
        clock.advance(60)
        assert (await ask("/s/x")).status_code == 404


async def test_reading_a_link_often_is_no_guess(client: httpx.AsyncClient) -> None:
    for _ in range(40):
        assert (await client.get(f"/moa/shared/{TOKEN}")).status_code == 200
