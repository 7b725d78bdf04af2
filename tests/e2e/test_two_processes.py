"""Two processes of the app on one PostgreSQL: a run is seen from both, and outlives the one that carried it out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.e2e.conftest import CLOSED, SCRIPTED
from tests.e2e.test_chat import ADDRESS
from tests.storage.conftest import Server, server
from tests.support.app import App
from tests.support.nginx import Nginx
from tests.support.server import Answer, Gate, ProviderServer

__all__ = ["server"]

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
_DIES_WITHIN_MS = 15_000  # 10 s without a heartbeat and a sweep; at once where processes see each other


class Pair:
    """The app twice, on one database, as behind one proxy."""

    def __init__(self, folder: Path, database: str, own: str) -> None:
        environ = {"DATABASE_URL": database, "MOA_PROXY_HOPS": "1"}
        self.apps = []
        for name in ("a", "b"):
            (folder / name).mkdir()
            self.apps.append(App(folder / name, own, environ))
        self._database = create_engine(database, poolclass=NullPool)

    def start(self) -> None:
        """Start those that don't run."""
        for app in self.apps:
            if app.pid is None:
                app.start()

    def stop(self) -> None:
        for app in self.apps:
            app.stop(signal.SIGKILL)

    def carrying(self) -> tuple[App, App]:
        """The one that carries the run out, and the other one."""
        with self._database.connect() as connection:
            name = connection.execute(text("SELECT process FROM run WHERE status = 'running'")).scalar_one()
        one, other = sorted(self.apps, key=lambda app: str(app.pid) != name.split(".")[1])
        return one, other


@pytest.fixture(scope="module")
def made(server: Server, tmp_path_factory: pytest.TempPathFactory, provider: ProviderServer) -> Iterator[Pair]:
    database = server.make()
    folder = tmp_path_factory.mktemp("pair")
    apps = Pair(folder, database, SCRIPTED.format(base_url=provider.base_url, closed=CLOSED))
    yield apps
    apps.stop()
    server.drop(database)


@pytest.fixture
def pair(made: Pair) -> Pair:
    """Both run, whatever the test before has done to them."""
    made.start()
    return made


def ask(page: Page, address: str, question: str) -> None:
    """Open the app at an address and send a question."""
    page.goto(address)
    box = page.get_by_label("Message")
    expect(box).to_be_editable()
    expect(page.locator("#moa-history nav")).to_be_visible()
    box.fill(question)
    page.get_by_role("button", name="Send").click()


def opened_elsewhere(context: BrowserContext, page: Page, app: App) -> Page:
    """The same conversation in another process, opened by the same visitor: cookies know no ports."""
    expect(page).to_have_url(ADDRESS)
    second = context.new_page()
    second.goto(f"{app.url}/?c={page.url.rpartition('=')[2]}")
    return second


def seen_elsewhere(page: Page) -> Locator:
    """What the other process knows, from the database: two panels are done, and the one given writes."""
    for position in (1, 3):
        expect(page.locator(f'[data-slot="1.{position}"]')).to_have_attribute("data-status", "done")
    panel = page.locator('[data-slot="1.2"]')
    expect(panel).to_have_attribute("data-status", "running")
    expect(panel).to_contain_text("Slowly, slowly")
    return panel


def resume(page: Page, provider: ProviderServer) -> None:
    """Resume from the page, and see that only what was missing is called."""
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-answer]")).to_have_attribute("data-status", "done")
    expect(page.locator("[data-answer]")).to_contain_text("Whole again.")
    expect(page.locator("[data-turn]")).to_have_count(1)
    assert {name: len(provider.requests_for(name)) for name in ("a", "b", "c", "writer")} == {
        "a": 1, "b": 2, "c": 1, "writer": 1,
    }  # fmt: skip


def test_F26_a_run_is_seen_live_on_the_other_process_and_resumed_there_once_its_own_is_killed(
    pair: Pair, context: BrowserContext, provider: ProviderServer
) -> None:
    one, other = pair.apps
    gate = Gate()
    provider.script("b", Answer("Slowly, slowly it comes at last.", gate=gate, hold=(2, 4)), Answer("At once."))
    provider.script("writer", Answer("Whole again."))
    first = context.new_page()
    ask(first, one.url, "Are you there?")
    expect(first.locator('[data-slot="1.2"]')).to_contain_text("Slowly, slowly")
    assert pair.carrying() == (one, other)
    page = opened_elsewhere(context, first, other)
    panel = seen_elsewhere(page)
    expect(page.locator("[data-answer]")).to_have_attribute("data-status", "waiting")
    gate.let()
    expect(panel).to_contain_text("it comes")  # it goes on without a reload
    first.close()
    one.stop(signal.SIGKILL)
    expect(panel).to_have_attribute("data-status", "stopped", timeout=_DIES_WITHIN_MS)
    expect(panel).to_contain_text("Slowly, slowly it comes")
    resume(page, provider)
    gate.open()


def test_a_run_is_stopped_from_the_other_process(pair: Pair, context: BrowserContext, provider: ProviderServer) -> None:
    one, other = pair.apps
    gate = Gate()
    provider.script("b", Answer("Slowly, slowly it comes at last.", gate=gate, hold=(2,)))
    first = context.new_page()
    ask(first, one.url, "Will you stop?")
    expect(first.locator('[data-slot="1.2"]')).to_contain_text("Slowly, slowly")
    page = opened_elsewhere(context, first, other)
    expect(page.locator('[data-slot="1.2"]')).to_contain_text("Slowly, slowly")
    page.get_by_role("button", name="Stop", exact=True).click()
    for each in (page, first):
        expect(each.locator('[data-slot="1.2"]')).to_have_attribute("data-status", "stopped")
        expect(each.locator('[data-slot="1.1"]')).to_have_attribute("data-status", "done")
    gate.open()


def test_behind_nginx_one_process_is_killed_and_the_other_takes_over(
    pair: Pair, context: BrowserContext, provider: ProviderServer, tmp_path: Path
) -> None:
    gate = Gate()
    provider.script("b", Answer("Slowly, slowly it comes at last.", gate=gate, hold=(2, 4)), Answer("At once."))
    provider.script("writer", Answer("Whole again."))
    nginx = Nginx(tmp_path, [app.url for app in pair.apps])
    nginx.start()
    try:
        page = context.new_page()
        ask(page, nginx.url, "Are you there?")
        panel = page.locator('[data-slot="1.2"]')
        expect(panel).to_contain_text("Slowly, slowly")
        gate.let()
        expect(panel).to_contain_text("it comes")  # nothing is held back on its way
        carrying, other = pair.carrying()
        second = opened_elsewhere(context, page, other)
        expect(seen_elsewhere(second)).to_contain_text("it comes")
        second.close()
        carrying.stop(signal.SIGKILL)
        page.reload()
        expect(panel).to_have_attribute("data-status", "stopped", timeout=_DIES_WITHIN_MS)
        expect(panel).to_contain_text("Slowly, slowly it comes")
        resume(page, provider)
        with urlopen(Request(f"{nginx.url}/moa-static/css/turn.css", headers={"Accept-Encoding": "gzip"})) as style:  # noqa: S310
            assert style.headers["Content-Encoding"] == "gzip"
    finally:
        gate.open()
        nginx.stop()
