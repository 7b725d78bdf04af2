"""The Chromium that browser tests drive. Import ``browser`` and ``page`` into a folder's ``conftest.py``.

Looked for in this order: ``MOA_TEST_CHROMIUM``, the system's Chromium or Chrome, Playwright's own. Where there is
none the tests are skipped with the command that installs one, and fail when ``MOA_TESTS_REQUIRE_ALL=1``.

Tests that use it are plain functions, not coroutines: Playwright's synchronous side holds the thread's event loop.
That is why a browser lives for one module and not for the session: coroutine tests of other modules need the loop.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PLACES = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # a leak is seen, and goes nowhere
)
expect.set_options(timeout=20_000)  # how long a busy machine may take; what is there passes at once
MISSING = "no Chromium found; install one: apt install chromium, or playwright install chromium"


def find_chromium(playwright: Playwright) -> str | None:
    """The path of a Chromium or Chrome, or None."""
    named = os.environ.get("MOA_TEST_CHROMIUM")
    found = [shutil.which(name) for name in _NAMES]
    places = [named, *found, *_PLACES, playwright.chromium.executable_path]
    return next((place for place in places if place and Path(place).is_file()), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium that resolves no host but this machine."""
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        if path is None:
            (pytest.fail if os.environ.get("MOA_TESTS_REQUIRE_ALL") == "1" else pytest.skip)(MISSING)
        launched = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in a context of its own, 1280 by 800."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()
