"""A judge below a comparison, and judges on the results page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from moa.core.verdicts import Verdict
from moa.evals.judges import Judged
from moa.evals.judging import orders
from tests.evals.compared import compared as voted
from tests.web.harness import Harness
from tests.web.hostile import XSS
from tests.web.links import Served
from tests.web.test_judge_routes import TOLD
from tests.web.turns import column, compared, live, settled, vote, writing
from tests.web.votes import Ballots, application

pytestmark = pytest.mark.browser


@dataclass
class Told:
    """What the routes answer: judgements, models, or a fault in words. Each POST adds ``next`` to what was said."""

    said: list[dict[str, Any]] = field(default_factory=list)
    next: dict[str, Any] = field(default_factory=lambda: dict(TOLD))
    models: list[dict[str, str]] = field(default_factory=lambda: [{"id": "mock/large", "label": "Large <b>"}])
    fault: str | None = None
    held: list[Route] | None = None
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        """Answer one request; while ``held`` is a list a POST only waits there."""
        posted = route.request.method == "POST"
        if posted and self.held is not None:
            self.held.append(route)
            return
        self.asked.append((route.request.method, route.request.post_data_json))
        if self.fault is not None:
            route.fulfill(status=503, content_type="application/json", body=json.dumps({"error": self.fault}))
            return
        if posted:
            self.said.append(self.next)
        told = self.next if posted else {"judgements": self.said, "models": self.models}
        route.fulfill(content_type="application/json", body=json.dumps(told))


@pytest.fixture
def told(harness: Harness) -> Iterator[Told]:
    made = Told()
    harness.page.route("**/moa/turns/*/judge", made.answer)
    yield made
    harness.page.unroute("**/moa/turns/*/judge")


def part(harness: Harness) -> Locator:
    return harness.turn().locator(".moa-judge")


def opened(harness: Harness, **changes: Any) -> Locator:
    """The part below a comparison that has been voted on, unfolded."""
    harness.settled(settled(compared(1, **{"vote": vote("A"), **changes})))
    harness.page.get_by_text("Ask a judge").click()
    return part(harness)


def judge(harness: Harness) -> None:
    part(harness).get_by_role("button", name="Judge", exact=True).click()


def test_a_judge_is_picked_asked_and_quoted(harness: Harness, told: Told) -> None:
    box = opened(harness)
    expect(box.get_by_label("Judge").locator("option")).to_have_text(["Large <b>"])
    expect(box.get_by_role("article")).to_have_count(0)
    judge(harness)
    said = box.get_by_role("article", name="MOCK/LARGE")
    expect(said.locator("p").first).to_have_text("MOCK/LARGE Prefers B in both orders. 4.2 s · $0.0012")
    expect(said.locator("summary")).to_have_text(["A first: prefers B", "B first: prefers B"])
    said.get_by_text("A first").click()
    expect(said.get_by_text("Answer B is <b>clear</b>.")).to_be_visible()
    expect(said.locator("b")).to_have_count(0)
    assert told.asked == [("GET", None), ("POST", {"model": "mock/large"}), ("GET", None)]
    assert harness.errors == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verdict": "tie"}, "Calls it a tie in both orders."),
        ({"verdict": "tie", "agreed": False, "biased": "first"}, "Prefers whichever comes first: no verdict."),
        ({"verdict": "tie", "agreed": False, "biased": "last"}, "Prefers whichever comes last: no verdict."),
        ({"verdict": "tie", "agreed": False}, "Says something else in each order: no verdict."),
        ({"verdict": None, "agreed": False}, "It named no answer that could be read: no verdict."),
        ({"stale": True}, "An answer has been written anew since. Judge again to have the new one read."),
        ({"cut": 1200}, "The answers were cut by 1,200 characters in all"),
    ],
)
def test_a_verdict_is_one_sentence(harness: Harness, told: Told, changes: dict[str, Any], words: str) -> None:
    told.said = [{**TOLD, **changes}]
    expect(opened(harness).get_by_role("article")).to_contain_text(words)


def test_the_button_waits_and_errors_leave_it_there(harness: Harness, told: Told) -> None:
    box, told.held = opened(harness), []
    button = box.get_by_role("button", name="Judge", exact=True)
    judge(harness)
    expect(box.get_by_role("status")).to_have_text("Reading the answers in both orders…")
    expect(button).to_be_disabled()
    [route], told.held, told.fault = told.held, None, "The judge gave no verdict. The provider refused the key."
    told.answer(route)
    expect(box.get_by_role("status")).to_have_text(told.fault)
    expect(button).to_be_enabled()
    told.fault = None
    judge(harness)
    expect(box.get_by_role("article")).to_have_count(1)
    expect(box.get_by_role("status")).to_have_count(0)


def test_what_could_not_be_loaded_is_loaded_by_the_button(harness: Harness, told: Told) -> None:
    told.fault = "The conversations are busy."
    box = opened(harness)
    expect(box.get_by_role("status")).to_have_text("The conversations are busy.")
    told.fault = None
    judge(harness)
    expect(box.get_by_label("Judge")).to_be_visible()
    assert [method for method, _ in told.asked] == ["GET", "GET"]


def test_without_a_model_that_could_judge_it_says_so(harness: Harness, told: Told) -> None:
    told.models = []
    box = opened(harness)
    expect(box.get_by_role("status")).to_have_text("No model can judge right now: set a key for one first.")
    expect(box.get_by_role("button", name="Judge", exact=True)).to_have_count(0)


def test_it_is_offered_once_names_are_shown_and_all_answers_are_there(harness: Harness, told: Told) -> None:
    harness.settled(settled(compared(1, hidden=True)))
    expect(part(harness)).to_be_hidden()
    harness.settled(settled(compared(1, votable=False)))
    expect(part(harness)).to_be_hidden()
    harness.settled(settled(compared(1)))
    expect(part(harness)).to_be_visible()
    assert told.asked == []


def test_an_answer_that_is_written_anew_asks_whether_what_was_said_still_holds(harness: Harness, told: Told) -> None:
    told.said = [dict(TOLD)]
    box = opened(harness)
    expect(box.get_by_role("article")).to_have_count(1)
    told.said = [{**TOLD, "stale": True}]
    harness.settled(settled(compared(1, column("A"), column("B", run="again"), vote=vote("A"))))
    expect(box.get_by_role("article")).to_contain_text("An answer has been written anew since.")
    harness.settled(settled(compared(1, column("A"), column("B", run="again"), vote=vote("B"))))
    assert [method for method, _ in told.asked] == ["GET", "GET"]


def test_what_is_open_stays_open_while_an_answer_is_written_again(harness: Harness, told: Told) -> None:
    told.said = [dict(TOLD)]
    box = opened(harness)
    expect(box.get_by_role("article")).to_have_count(1)
    told.said = [{**TOLD, "stale": True}]
    half = compared(1, column("A"), writing("B", "Half", run="again"), vote=vote("A", stale=True))
    harness.live(live(half))
    expect(box.get_by_role("article")).to_be_visible()
    expect(box.get_by_role("button", name="Judge", exact=True)).to_be_disabled()
    assert [method for method, _ in told.asked] == ["GET"]
    whole = compared(1, column("A"), column("B", run="again"), vote=vote("A", stale=True))
    harness.live(live(whole, ended=True))
    harness.settled(settled(whole))
    expect(box.get_by_role("article")).to_contain_text("An answer has been written anew since.")
    expect(box.get_by_role("button", name="Judge", exact=True)).to_be_enabled()


@pytest.mark.parametrize("text", XSS)
def test_B13_what_a_judge_writes_is_text(harness: Harness, told: Told, text: str) -> None:
    reading = {"order": ["A", "B"], "choice": None, "reason": text}
    told.said = [{**TOLD, "label": text, "readings": [reading]}]
    box = opened(harness)
    box.get_by_role("article").locator("summary").click()
    expect(box.locator(".moa-judge-reason")).to_be_visible()
    assert box.locator(".moa-judge-reason").text_content() == text
    assert box.locator(".moa-judge-reason *").count() == 0
    assert harness.page.evaluate("window.hits") == 0
    assert harness.foreign == []


def judged(n: int) -> list[Judged]:
    verdicts = tuple(Verdict(order, 0, "") for order in orders(2))
    return [Judged("Large <b>", ("MoA", "Plain"), verdicts, vote=0)] * n


@pytest.mark.parametrize("votes", [0, 3, 30])
def test_judges_stand_apart_from_votes_on_the_results_page(page: Page, votes: int) -> None:
    ballots = Ballots(voted(votes), judged(4))
    with Served(application(ballots)) as served:
        page.context.add_cookies([{"name": "who", "value": "anna", "url": served.url}])
        page.goto(f"{served.url}/results")
        box = page.get_by_role("region", name="Judges", exact=True)
        expect(box).to_contain_text("Not counted as votes.")
        expect(box.locator("tbody th")).to_have_text(["Large <b>"])
        expect(page.get_by_role("region", name="Wins by judge", exact=True).locator("tbody tr")).to_have_count(2)
        with page.expect_download() as saved:
            box.get_by_role("link", name="CSV").click()
        assert saved.value.suggested_filename == "moa-results-judges.csv"
        page.goto("about:blank")  # lets go of the server


def test_without_judgements_there_is_no_such_part(page: Page) -> None:
    with Served(application(Ballots(voted(3)))) as served:
        page.context.add_cookies([{"name": "who", "value": "anna", "url": served.url}])
        page.goto(f"{served.url}/results")
        expect(page.get_by_role("heading", name="Votes over time")).to_be_visible()
        expect(page.get_by_role("heading", name="Judges")).to_have_count(0)
        page.goto("about:blank")
