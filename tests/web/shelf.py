"""Plays the routes behind the list of conversations to our scripts in a browser, and holds answers back on demand."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Locator, Page, Request, Route

from tests.web.harness import Harness

ROUTES = "**/moa/**"
BASE = "/moa/"


@dataclass
class Told:
    """What the page asked for: ``path`` without the base, the query in it."""

    method: str
    path: str
    body: Any = None


@dataclass
class Shelf:
    """Answers by method and path, given once each in their order, and the last one again until there is another.

    Without one, 503. A path in ``held`` gets its answer when the test says ``release``.
    """

    page: Page
    told: list[Told] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    _answers: dict[tuple[str, str], list[tuple[int, Any]]] = field(default_factory=lambda: defaultdict(list))
    _used: set[tuple[str, str]] = field(default_factory=set)
    _waiting: list[tuple[Route, Told]] = field(default_factory=list)

    def open(self) -> None:
        """Begin to answer."""
        self.page.route(ROUTES, self._asked)

    def close(self) -> None:
        """Leave the routes to the page's own server again."""
        self.page.unroute(ROUTES)

    def answer(self, method: str, path: str, value: Any = None, status: int = 0) -> None:
        """Say what comes next for this request; None is an empty 204."""
        if (method, path) in self._used:
            self._used.remove((method, path))
            self._answers[method, path].clear()
        self._answers[method, path].append((status or (204 if value is None else 200), value))

    def release(self) -> None:
        """Let what was held back come; nothing more is held."""
        self.held.clear()
        waiting, self._waiting = self._waiting, []
        for route, told in waiting:
            self._give(route, told)

    def asked(self, method: str, path: str = "") -> list[Told]:
        """What was asked by this method, at paths that begin so. The list itself is asked for at any time."""
        return [told for told in self.told if told.method == method and told.path.startswith(path)]

    def wait(self, method: str, path: str) -> None:
        """Until it was asked."""
        self.wait_for(1, method, path)

    def wait_for(self, count: int, method: str, path: str) -> None:
        """Until it was asked so many times, and not more."""
        while len(self.asked(method, path)) < count:
            self.page.evaluate("0")  # lets Playwright hand over what has come
        assert len(self.asked(method, path)) == count

    def _asked(self, route: Route, request: Request) -> None:
        address = urlsplit(request.url)
        path = unquote(address.path.removeprefix(BASE)) + (f"?{address.query}" if address.query else "")
        told = Told(request.method, path, _body(request))
        self.told.append(told)
        if path in self.held:
            self._waiting.append((route, told))
        else:
            self._give(route, told)

    def _give(self, route: Route, told: Told) -> None:
        answers = self._answers[told.method, told.path]
        status, value = answers[0] if answers else (503, {"error": "Not now."})
        if len(answers) > 1:
            del answers[0]
        elif answers:
            self._used.add((told.method, told.path))
        body = "" if value is None else value if isinstance(value, str) else json.dumps(value)
        route.fulfill(status=status, content_type="application/json", body=body)


def _body(request: Request) -> Any:
    try:
        return json.loads(request.post_data or "null")
    except ValueError:
        return request.post_data


def entry(number: int, at: str = "2026-11-24T12:00:00.000000+00:00", **changes: Any) -> dict[str, Any]:
    """A line of the list."""
    return {"id": f"talk{number}", "title": f"Talk {number}", "at": at, "running": False, "pinned": False, **changes}


def listing(*entries: dict[str, Any], current: str | None = None, then: str | None = None) -> dict[str, Any]:
    """A page of the list."""
    return {"entries": list(entries), "current": current, "next": then}


def minute(number: int) -> str:
    """A moment that many minutes into a day."""
    return f"2026-11-24T{number // 60:02}:{number % 60:02}:00.000000+00:00"


def row(harness: Harness, number: int) -> Locator:
    """A line on the page."""
    return harness.page.locator(f'.moa-entry[data-conversation="talk{number}"]')


def titles(harness: Harness) -> list[str]:
    """The titles in the order in which they stand."""
    return harness.page.locator(".moa-entry-title").all_text_contents()


def choose(harness: Harness, number: int, name: str) -> None:
    """Choose from a line's menu."""
    row(harness, number).get_by_role("button", name=f"More for Talk {number}", exact=True).click()
    row(harness, number).get_by_role("menuitem", name=name, exact=True).click()


def told_line(harness: Harness) -> Locator:
    """The line that tells what was done."""
    return harness.page.locator(".moa-told")
