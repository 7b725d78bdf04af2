"""The page behind a share link in a browser, under the policy that it is really served with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from moa.core.errors import StoreBusy
from moa.ui.contract import TurnJson
from tests.web.hostile import REMOTE, XSS
from tests.web.links import TOKEN, FakeLinks, Served, application, shown, turn_view
from tests.web.turns import layer, panel, turn

pytestmark = pytest.mark.browser

TITLE = "Which sort should I use?"
WATCH = """
window.hits = 0;
window.hit = () => { window.hits += 1; };
window.alert = window.hit;
"""


class Reader:
    """A browser's page at a link, and what it did that it must not."""

    def __init__(self, page: Page, url: str, links: FakeLinks) -> None:
        self.page, self.url, self.links = page, url, links
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type != "log" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request", lambda asked: None if asked.url.startswith((url, "data:")) else self.foreign.append(asked.url)
        )
        page.add_init_script(WATCH)

    def open(self, token: str = TOKEN) -> None:
        self.page.goto(f"{self.url}/s/{token}")

    def buttons(self) -> set[str]:
        """The names of all buttons that can be seen."""
        seen = [button for button in self.page.get_by_role("button").all() if button.is_visible()]
        return {button.get_attribute("aria-label") or button.inner_text() for button in seen}

    @property
    def turns(self) -> Any:
        return self.page.locator(".moa-turn")


@contextmanager
def reading(page: Page, turns: Sequence[TurnJson], title: str = TITLE, below: str = "") -> Iterator[Reader]:
    """A reader of a link to these turns; the app is served below the path ``below``."""
    made = {str(number): _told(one, str(number)) for number, one in enumerate(turns, 1)}
    links = FakeLinks(shown(*[turn_view(name) for name in made], title=title))
    web = application(links, lambda view: made[view.id])
    with Served(_below(web, below) if below else web) as served:
        yield Reader(page, served.url + below, links)
        page.goto("about:blank")  # lets go of the server


def _told(one: TurnJson, name: str) -> dict[str, Any]:
    return dict(one) | {"id": name, "run": name, "position": int(name), "attempts": [name], "siblings": [name]}


def _below(web: Any, path: str) -> Callable[..., Any]:
    """As a proxy serves it that takes its own path off."""

    async def proxied(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            assert scope["path"].startswith(path + "/")
            stripped = scope["path"].removeprefix(path)
            scope = {**scope, "path": stripped, "raw_path": stripped.encode()}
        await web(scope, receive, send)

    return proxied


def test_the_conversation_is_shown_under_its_policy_without_a_complaint(page: Page) -> None:
    styled = r"$\fcolorbox{red}{white}{$x$}$ and $\pmb{x}$"  # set by style attributes, unlike most of KaTeX
    first = turn(1, question="First?", answer=panel("2.1", text=styled))
    second = turn(2, question="Second?", layers=[layer(1), layer(2, count=2)])
    with reading(page, [first, second]) as reader:
        reader.open()
        expect(reader.turns).to_have_count(2)
        expect(page.get_by_role("heading", name=TITLE, level=1)).to_be_visible()
        expect(page.get_by_text("Shared conversation · read only")).to_be_visible()
        expect(page).to_have_title(f"{TITLE} · MoA Chat")
        expect(page.locator("#moa-shared-says")).to_be_hidden()
        assert page.locator(".moa-question").all_inner_texts() == ["First?", "Second?"]
        answer = reader.turns.nth(1).locator("[data-answer]")
        for place in reader.turns.locator("[data-answer]").all():
            expect(place.locator(".katex").first).to_be_visible()
        expect(answer.locator(".hljs-keyword").first).to_be_visible()
        assert (
            page.locator("[data-answer] .katex [style*='border'], [data-answer] .katex [style*='shadow']").count() > 1
        )
        assert reader.complaints == []
        assert reader.foreign == []


def test_panels_are_folded_open_on_a_click_and_can_be_copied_and_stretched(page: Page) -> None:
    with reading(page, [turn(layers=[layer(1, text="A proposal.")])]) as reader:
        reader.open()
        panels = page.locator(".moa-panel")
        expect(panels).to_have_count(3)
        expect(panels.first).to_be_hidden()
        page.locator(".moa-layer > summary").click()
        expect(panels.first.get_by_text("A proposal.")).to_be_visible()
        panels.first.get_by_role("button", name="Full height").click()
        expect(panels.first).to_have_attribute("data-tall", "")
        panels.nth(1).locator(".moa-panel-title").click()
        expect(panels.nth(1).get_by_text("A proposal.")).to_be_hidden()
        expect(panels.nth(2).get_by_role("button", name="Copy")).to_be_visible()
        assert reader.complaints == []


@pytest.mark.parametrize("status", ["complete", "failed", "interrupted", "degraded"])
def test_nothing_can_be_changed(page: Page, status: str) -> None:
    panels = layer(1, count=1, status="failed", text="Half", error="The provider can't be reached.")
    made = turn(layers=[panels], answer=panel("2.1", text="Text."), status=status, notice="Something happened.")
    with reading(page, [dict(made) | {"canRetry": True, "mend": "resume"}]) as reader:  # type: ignore[list-item]
        reader.open()
        expect(reader.turns).to_have_count(1)
        if page.locator(".moa-layer").get_attribute("open") is None:
            page.locator(".moa-layer > summary").click()
        page.locator(".moa-question").hover()
        named = {"Continue from here", "Copy answer", "Copy SmolLM2 135M · Careful", "Full height"}
        assert {name for name in reader.buttons() if "Careful" not in name or name.startswith("Copy")} == named
        expect(page.locator(":is(textarea, input, select, form, [aria-haspopup]):visible")).to_have_count(0)


def test_B01_hostile_texts_run_nothing_and_ask_nobody(page: Page) -> None:
    texts = XSS + REMOTE
    made = [
        turn(question=text, answer=panel("2.1", text=text, reasoning=text, note=text), notice=text,
             layers=[layer(1, count=1, text=text, label=text, model=text)])
        for text in texts
    ]  # fmt: skip
    with reading(page, made, title=XSS[2]) as reader:
        reader.open()
        expect(reader.turns).to_have_count(len(texts), timeout=60_000)
        expect(page.get_by_role("heading", level=1)).to_have_text(XSS[2])
        expect(page).to_have_title(f"{XSS[2]} · MoA Chat")
        for summary in page.locator(".moa-layer > summary").all():
            summary.evaluate("node => node.click()")
        page.mouse.wheel(0, 50_000)
        assert page.evaluate("window.hits") == 0
        assert reader.foreign == []
        assert page.evaluate("[...document.querySelectorAll('body *')].every((node) =>"
                             "[...node.attributes].every(({ name }) => !name.startsWith('on')))")  # fmt: skip
        assert page.locator("main :is(script, style, iframe, object, embed, img, form, link, meta, base)").count() == 0
        # the sanitizer reads such texts in a document of its own, where the policy refuses handlers once more
        assert all("Content Security Policy" in said and "inline" in said for said in reader.complaints)


def test_going_on_copies_the_conversation_and_leads_to_the_copy(page: Page) -> None:
    with reading(page, [turn()]) as reader:
        reader.open()
        page.get_by_role("button", name="Continue from here").click()
        page.wait_for_url(f"{reader.url}/?c=copy1")
        assert [call for call in reader.links.calls if call[0] == "copy"] == [("copy", TOKEN, "visitor")]
        assert reader.complaints == []
        page.go_back()
        expect(page.get_by_role("button", name="Continue from here")).to_be_enabled()


def test_when_going_on_fails_the_reason_is_said_and_it_can_be_tried_again(page: Page) -> None:
    with reading(page, [turn()]) as reader:
        reader.open()
        onward = page.get_by_role("button", name="Continue from here")
        expect(onward).to_be_visible()
        reader.links.fault = StoreBusy("The database is busy.")
        onward.click()
        expect(page.get_by_role("status").filter(has_text="The database is busy.")).to_be_visible()
        reader.links.fault = None
        onward.click()
        page.wait_for_url(f"{reader.url}/?c=copy1")


def test_B15_a_link_that_does_not_work_says_so_and_leads_to_the_app(page: Page) -> None:
    with reading(page, [turn()]) as reader:
        reader.open("nothing")
        expect(page.get_by_role("heading", name="This link doesn't work any more.")).to_be_visible()
        expect(page.get_by_role("button")).to_have_count(0)
        assert reader.links.calls == []
        page.get_by_role("link", name="Go to MoA Chat").click()
        page.wait_for_url(f"{reader.url}/")


def test_a_link_that_ends_while_its_page_opens_says_so(page: Page) -> None:
    with reading(page, [turn()]) as reader:
        page.route("**/moa/shared/*", lambda route: route.fulfill(status=404, json={"error": "x"}))
        reader.open()
        expect(page.get_by_text("This link doesn't work any more.")).to_be_visible()
        expect(page.get_by_role("button", name="Continue from here")).to_be_hidden()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda route: route.abort(), "The server can't be reached."),
        (lambda route: route.fulfill(status=503, json={"error": "The disk is full."}), "The disk is full."),
        (lambda route: route.fulfill(status=502, body="<h1>Bad gateway"), "This could not be loaded."),
    ],
)
def test_what_could_not_be_loaded_is_tried_again_by_hand(page: Page, fault: Callable[[Route], None], said: str) -> None:
    with reading(page, [turn()]) as reader:
        page.route("**/moa/shared/*", fault)
        reader.open()
        expect(page.get_by_text(said)).to_be_visible()
        page.unroute("**/moa/shared/*")
        page.get_by_role("button", name="Try again").click()
        expect(reader.turns).to_have_count(1)
        expect(page.locator("#moa-shared-says")).to_be_hidden()


def test_it_works_below_a_path_of_its_own(page: Page) -> None:
    with reading(page, [turn()], below="/tools/chat") as reader:
        reader.open()
        expect(reader.turns).to_have_count(1)
        page.get_by_role("button", name="Continue from here").click()
        page.wait_for_url(f"{reader.url}/?c=copy1")
        assert reader.complaints == []


@pytest.mark.parametrize(
    ("system", "kept", "dark"), [("dark", None, True), ("light", "dark", True), ("dark", "light", False)]
)
def test_it_is_as_light_or_dark_as_the_app_and_light_on_paper(
    browser: Browser, system: Any, kept: str | None, dark: bool
) -> None:
    context = browser.new_context(color_scheme=system)
    with reading(context.new_page(), [turn()]) as reader:
        if kept:
            reader.page.add_init_script(f"localStorage.setItem('moa-theme', '{kept}')")
        reader.open()
        expect(reader.turns).to_have_count(1)

        def is_dark() -> bool:
            return bool(reader.page.evaluate("document.body.classList.contains('dark')"))

        assert is_dark() is dark
        reader.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert not is_dark()
        reader.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert is_dark() is dark
    context.close()


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_hangs_over_the_windows_edge(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    with reading(page, [turn()], title="Donaudampfschifffahrtsgesellschaft" * 3) as reader:
        reader.open()
        expect(reader.turns).to_have_count(1)
        page.locator(".moa-layer > summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_a_panel_that_is_open_is_whole_and_there_are_no_buttons(page: Page) -> None:
    with reading(page, [turn(layers=[layer(1, text="Word. " * 2_000)])]) as reader:
        reader.open()
        page.locator(".moa-layer > summary").click()
        page.emulate_media(media="print")
        body = page.locator(".moa-panel-body").first
        assert body.evaluate("node => node.scrollHeight - node.clientHeight") == 0
        expect(page.get_by_role("button", name="Continue from here")).to_be_hidden()
        expect(page.get_by_role("button", name="Copy answer")).to_be_hidden()
