"""Pictures of the running app: starts it with data of its own, asks the model inside it, and looks at the page.

``python scripts/screenshot.py`` writes docs/screenshot.png for the README, 1440 pixels wide, while the proposers'
panels stand open. ``--all DIR`` writes each state of the page instead: first screen, writing, answered, settings, each
at 1440, 1024 and 390 pixels, light and dark.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "Explain photosynthesis in simple words."
WIDTHS = {1440: 960, 1024: 800, 390: 844}
WRITTEN_MS = 240_000
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description="Take pictures of the running app.")
    parser.add_argument("--all", type=Path, metavar="DIR", help="every state, width and theme, into this folder")
    chosen = parser.parse_args()
    with running_app() as url, sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        if chosen.all:
            take_all(browser, url, chosen.all)
        else:
            take_one(browser, url, ROOT / "docs" / "screenshot.png")
        browser.close()


@contextmanager
def running_app() -> Iterator[str]:
    """The app on a free port, with an empty history; gives its address."""
    with tempfile.TemporaryDirectory() as data:
        environ = {**os.environ, "MOA_DATA": data, "MOA_PORT": "0", "MOA_OPEN_BROWSER": "0", "PYTHONUNBUFFERED": "1"}
        app = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        try:
            line = app.stdout.readline() if app.stdout else ""
            found = re.search(r"http://\S+", line)
            if found is None:
                raise SystemExit("The app did not start.")
            yield found.group(0)
        finally:
            app.terminate()
            app.wait(60)


def take_one(browser: Browser, url: str, target: Path) -> None:
    """The README's picture: proposals open, their answer being written below."""
    page = opened(browser, url, 1440, "light")
    ask(page)
    finished(page)
    page.locator('[data-layer="1"] > summary').click()
    page.evaluate("window.scrollTo(0, 0)")
    shoot(page, target)


def take_all(browser: Browser, url: str, folder: Path) -> None:
    """One conversation, then every state of the page at every width in both themes."""
    page = opened(browser, url, 1440, "light")
    shoot(page, folder / "loading-1440-light.png")
    ask(page)
    expect(page.locator('[data-slot="1.3"] .moa-md')).to_contain_text(re.compile(r"(\w+\W+){12}"), timeout=WRITTEN_MS)
    shoot(page, folder / "writing-1440-light.png")
    finished(page)
    address = page.url
    for width in WIDTHS:
        for theme in ("light", "dark"):
            name = f"{width}-{theme}.png"
            page = opened(browser, url, width, theme)
            expect(page.locator(".moa-example")).to_have_count(3)
            shoot(page, folder / f"first-{name}")
            page = opened(browser, address, width, theme)
            expect(page.locator("[data-answer]")).to_have_attribute("data-status", "done")
            shoot(page, folder / f"answered-{name}")
            page.locator('[data-layer="1"] > summary').click()
            page.evaluate("window.scrollTo(0, 0)")
            shoot(page, folder / f"proposals-{name}")
            page.locator("#moa-summary").click()
            expect(page.locator(".moa-mixer")).to_be_in_viewport()
            shoot(page, folder / f"settings-{name}")


def opened(browser: Browser, url: str, width: int, theme: str) -> Page:
    """The page at a width and in a theme, ready to be typed in."""
    size = {"width": width, "height": WIDTHS[width]}
    scheme = "dark" if theme == "dark" else "light"
    page = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(url)
    expect(page.get_by_label("Message")).to_be_editable()
    expect(page.locator("#moa-history nav")).to_be_attached()
    return page


def ask(page: Page) -> None:
    """Send the question, once the model is ready."""
    expect(page.locator("#moa-status p")).to_have_count(0, timeout=WRITTEN_MS)
    page.get_by_label("Message").fill(QUESTION)
    page.get_by_role("button", name="Send").click()


def finished(page: Page) -> None:
    """Wait for the answer's end."""
    expect(page.locator("[data-answer]")).to_have_attribute("data-status", "done", timeout=WRITTEN_MS)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()


def shoot(page: Page, target: Path) -> None:
    """Write one picture."""
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target)
    print(target)


if __name__ == "__main__":
    main()
