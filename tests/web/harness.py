"""Our modules in a page without Gradio: a static server, and a hand for what Gradio's side does."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Dialog, Locator, Page, Request

from tests.web.turns import panel, settled, turn

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
PAGE = Path(__file__).with_name("harness.html")


class StaticServer:
    """Serves the page, ``static/`` and the turns put into ``turns`` (by id) on a free loopback port."""

    def __init__(self) -> None:
        self.turns: dict[str, Any] = {}
        self.asked: list[str] = []
        handler = partial(_Handler, self, directory=str(STATIC))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, server: StaticServer, *args: Any, **named: Any) -> None:
        self._for = server
        super().__init__(*args, **named)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/moa-static/"):
            self.path = path.removeprefix("/moa-static")
            super().do_GET()
        elif path.startswith("/moa/turns/"):
            self._for.asked.append(path.rsplit("/", 1)[1])
            self._answer("application/json", json.dumps(self._for.turns.get(self._for.asked[-1])).encode())
        else:
            self._answer("text/html", PAGE.read_bytes())

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(404 if body == b"null" else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Says nothing: a test's output is its result."""


class Harness:
    """The page, with the components' values in the hand of a test."""

    def __init__(self, page: Page, server: StaticServer, query: str = "") -> None:
        self.page = page
        self.server = server
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._requested)
        page.on("dialog", self._asked)
        page.goto(f"{server.url}/{query}")
        page.wait_for_function("window.ready === true")

    def reset(self) -> None:
        """As after a load: empty components, nothing counted, the window's usual size."""
        self.server.turns.clear()
        self.errors.clear()
        self.page.set_viewport_size({"width": 1280, "height": 800})
        self.page.mouse.move(0, 0)
        self.page.evaluate("window.reset()")
        self.foreign.clear()

    def _asked(self, dialog: Dialog) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.server.url, "data:", "blob:")):
            self.foreign.append(request.url)

    def settled(self, value: dict[str, Any]) -> None:
        """The settled component gets a value, and is drawn."""
        self.page.evaluate("value => window.send('moa-settled', value)", value)

    def live(self, value: dict[str, Any]) -> None:
        """The live component gets a value, and is drawn."""
        self.page.evaluate("value => window.send('moa-live', value)", value)

    def send(self, component: str, value: Any) -> None:
        """Any component by its id."""
        self.page.evaluate("([id, value]) => window.send(id, value)", [component, value])

    def events(self) -> list[dict[str, Any]]:
        """What the components told the server."""
        return list(self.page.evaluate("window.events"))

    def told(self) -> list[tuple[str, Any]]:
        """The same, as names and payloads."""
        return [(event["event"], event["payload"]) for event in self.events()]

    def turn(self, number: int = 1) -> Locator:
        """A turn by its number."""
        return self.page.locator(f'[data-turn="turn{number}"]')

    def answer(self, number: int = 1) -> Locator:
        """The answer of a turn."""
        return self.turn(number).locator("[data-answer]")

    def show(self, text: str, **changes: Any) -> Locator:
        """One settled turn whose answer is ``text``; gives the Markdown element."""
        self.settled(settled(turn(answer=panel("2.1", text=text), layers=[], **changes)))
        return self.answer().locator(".moa-md")
