"""Fixtures of the tests that run our modules in a browser without Gradio."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import browser, page
from tests.web.harness import Harness, StaticServer
from tests.web.shelf import Shelf

__all__ = ["browser", "harness", "page", "server"]


@pytest.fixture(scope="module")
def server() -> Iterator[StaticServer]:
    """The static files and the page, on a free port."""
    with StaticServer() as started:
        yield started


@pytest.fixture(scope="module")
def mounted(browser: Browser, server: StaticServer) -> Iterator[Harness]:
    """One page for the tests of a module: to load it costs more than most of them."""
    context = browser.new_context()
    yield Harness(context.new_page(), server)
    context.close()


@pytest.fixture
def harness(mounted: Harness) -> Harness:
    """The page with all components mounted and nothing in them."""
    mounted.reset()
    return mounted


@pytest.fixture
def shelf(harness: Harness) -> Iterator[Shelf]:
    """The routes behind the list of conversations, played to the page of ``harness``."""
    played = Shelf(harness.page)
    played.open()
    yield played
    played.close()
