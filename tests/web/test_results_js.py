"""The results page in a browser, under the policy that it is really served with."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from moa.core.errors import StoreBusy
from moa.evals.comparison import Comparison
from tests.evals.compared import compared, comparison, side
from tests.evals.made import NOON
from tests.web.hostile import XSS
from tests.web.links import Served
from tests.web.votes import Ballots, application

pytestmark = pytest.mark.browser

CHARTS = ("Ranking", "Quality against dollars", "Quality against seconds", "Votes over time")
CROSSES = """
() => {
  const boxes = [...document.querySelectorAll('.moa-chart svg')].map((chart) => {
    const all = [...chart.querySelectorAll('text')].map((text) => text.getBoundingClientRect());
    const frame = chart.getBoundingClientRect();
    const outside = all.filter((box) => box.left < frame.left || box.right > frame.right + 0.5);
    const crossing = all.flatMap((one, i) => all.slice(i + 1).filter((other) =>
      one.left < other.right && other.left < one.right && one.top + 3 < other.bottom && other.top + 3 < one.bottom));
    return outside.length + crossing.length;
  });
  return boxes.reduce((sum, n) => sum + n, 0);
}
"""


class Reader:
    """A browser's page with the results, and what it did that it must not."""

    def __init__(self, page: Page, url: str, ballots: Ballots) -> None:
        self.page, self.url, self.ballots = page, url, ballots
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type != "log" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.context.add_cookies([{"name": "who", "value": "anna", "url": url}])

    def open(self) -> None:
        self.page.goto(f"{self.url}/results")

    def part(self, title: str) -> Any:
        """A section, by its heading."""
        return self.page.get_by_role("region", name=title, exact=True)

    def charts(self) -> list[str]:
        """The sentences that stand for the charts."""
        return [chart.get_attribute("aria-label") or "" for chart in self.page.get_by_role("img").all()]


@contextmanager
def reading(page: Page, comparisons: Sequence[Comparison]) -> Iterator[Reader]:
    ballots = Ballots(comparisons)
    with Served(application(ballots)) as served:
        yield Reader(page, served.url, ballots)
        page.goto("about:blank")  # lets go of the server


def test_every_chart_is_drawn_with_its_table_and_its_file(page: Page, tmp_path: Path) -> None:
    with reading(page, compared(150)) as reader:
        reader.open()
        expect(page.get_by_role("img")).to_have_count(len(CHARTS))
        for title in CHARTS:
            part = reader.part(title)
            expect(part.get_by_role("table")).to_have_count(0)
            part.locator("summary").click()
            expect(part.get_by_role("table")).to_be_visible()
        with page.expect_download() as saved:
            reader.part("Quality against dollars").get_by_role("link", name="CSV").click()
        assert saved.value.suggested_filename == "moa-results-dollars.csv"
        saved.value.save_as(tmp_path / "dollars.csv")
        rows = list(csv.reader((tmp_path / "dollars.csv").read_text("utf-8").splitlines()))
        shown = reader.part("Quality against dollars").locator("tbody th").all_inner_texts()
        assert shown == [row[0] for row in rows[1:]] == ["Llama 8B", "MoA-Lite", "Qwen 72B", "MoA"]
        assert reader.complaints == []


def test_charts_say_what_they_show_to_those_who_do_not_see_them(page: Page) -> None:
    with reading(page, compared(400)) as reader:
        reader.open()
        expect(page.get_by_role("img")).to_have_count(len(CHARTS))
        ranked, dollars, seconds, days = reader.charts()
        assert ranked.startswith("Ranking by strength: 1. MoA, ")
        assert dollars.startswith("The most for what it takes: Llama 8B with ")
        assert "Qwen" not in dollars
        assert "Qwen 72B with" in seconds
        assert days.startswith("400 votes from 2026-11-01 to ")


def test_the_front_runs_through_the_filled_marks_alone(page: Page) -> None:
    with reading(page, compared(400)) as reader:
        reader.open()
        part = reader.part("Quality against dollars")
        expect(part.locator(".moa-mark")).to_have_count(4)
        assert part.locator(".moa-hollow title").all_text_contents() == ["Qwen 72B"]
        assert (part.locator(".moa-front").get_attribute("d") or "").count("H") == 2
        expect(part.locator(".moa-range")).to_have_count(4)
        expect(part.get_by_text("log scale")).to_be_visible()


def test_the_matrix_has_percentages_and_how_many_votes_they_are_of(page: Page) -> None:
    votes = [comparison(0, "a", "b")] * 9 + [comparison(1, "a", "b")] * 3 + [comparison("tie", "b", "c")]
    with reading(page, votes) as reader:
        reader.open()
        rows = reader.part("Who wins against whom").locator(".moa-heat tbody tr")
        expect(rows).to_have_count(3)
        said = [row.locator("td").all_text_contents() for row in rows.all()]
        assert said == [["–", "75 %of 12", "no votes"], ["25 %of 12", "–", "50 %of 1"], ["no votes", "50 %of 1", "–"]]
        expect(rows.first.locator("td").nth(1)).to_have_attribute("title", "75 % (47–91 %)")
        expect(page.locator("text.moa-name").filter(has_text="c · 1 vote")).to_be_visible()
        expect(page.get_by_text("Not known for any system.")).to_have_count(2)


@pytest.mark.parametrize(("n", "said"), [(1, "Too early to tell: 1 vote"), (9, "Too early to tell: 9 votes")])
def test_below_ten_votes_it_says_so_and_shows_nothing_about_quality(page: Page, n: int, said: str) -> None:
    with reading(page, compared(n)) as reader:
        reader.open()
        expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
        assert page.get_by_role("heading", level=2).all_inner_texts() == ["Cost and time", "Votes over time"]
        expect(page.get_by_role("img")).to_have_count(1)
        assert reader.complaints == []


def test_blind_votes_are_counted_alone_and_all_again(page: Page) -> None:
    votes = [replace(one, blind=i < 15) for i, one in enumerate(compared(40))]
    with reading(page, votes) as reader:
        reader.open()
        status = page.get_by_role("status").first
        expect(status).to_contain_text("40 votes, 15 of them blind")
        page.get_by_role("link", name="Count only blind votes").click()
        expect(status).to_contain_text("15 blind votes")
        files = page.get_by_role("link", name="CSV")
        assert all((file.get_attribute("href") or "").endswith(".csv?blind=1") for file in files.all())
        page.get_by_role("link", name="Count all votes").click()
        expect(status).to_contain_text("40 votes")
        reader.ballots.of_anna = compared(12)
        page.goto(f"{reader.url}/results?blind=1")
        expect(status).to_have_text("No blind votes yet.")
        page.get_by_role("link", name="Count all votes").click()
        expect(status).to_contain_text("12 votes, none of them blind")
        expect(page.get_by_role("link", name="Count only blind votes")).to_have_count(0)
        assert reader.complaints == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [(9, "Too early to tell: 9 answers"), (10, "ρ = 1.00They lean on what wins, over 10 answers.")],
)
def test_what_mixtures_lean_on_is_told_with_how_many_answers_it_is_of(page: Page, answers: int, said: str) -> None:
    mixed = replace(side("MoA"), overlaps=(("a", 0.5), ("b", 0.1)))
    votes = [*[comparison(0, "a", "b")] * 3, *[Comparison((mixed, side("a")), "tie", NOON)] * answers]
    with reading(page, votes) as reader:
        reader.open()
        part = reader.part("Do mixtures follow their best proposers?")
        expect(part.locator(".moa-results-figure")).to_contain_text(said)
        part.locator("summary").click()
        expect(part.get_by_role("table")).to_be_visible()


def test_without_votes_it_says_how_to_begin(page: Page) -> None:
    with reading(page, ()) as reader:
        reader.open()
        expect(page.get_by_role("status")).to_have_text("No votes yet. Compare two answers to begin.")
        expect(page.get_by_role("heading", level=2)).to_have_count(0)
        page.get_by_role("link", name="Go to MoA Chat").click()
        page.wait_for_url(f"{reader.url}/")


def test_what_could_not_be_loaded_is_tried_again_by_hand(page: Page) -> None:
    with reading(page, compared(12)) as reader:
        reader.ballots.fault = StoreBusy("The database is busy.")
        reader.open()
        expect(page.get_by_role("status")).to_contain_text("The database is busy.")
        reader.ballots.fault = None
        page.get_by_role("button", name="Try again").click()
        expect(reader.part("Ranking")).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("12 votes, none of them blind")


def test_B01_hostile_names_and_tags_are_text(page: Page) -> None:
    votes = [
        Comparison(one.sides, one.outcome, one.at, (XSS[0],))
        for name in XSS[:6] for one in [comparison(0, name, "b")] * 2
    ]  # fmt: skip
    page.add_init_script("window.hits = 0; window.hit = window.alert = () => { window.hits += 1; };")
    with reading(page, votes) as reader:
        reader.open()
        expect(page.get_by_role("img")).to_have_count(2)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("window.hits") == 0
        assert page.locator("main :is(script, iframe, object, embed, img, form, link, meta, base)").count() == 0
        shown = reader.part("Cost and time").locator("tbody th").all_text_contents()
        assert sorted(shown) == sorted({*XSS[:6], "b"})
        assert reader.complaints == []


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_hangs_over_an_edge_and_no_words_cross(page: Page, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    with reading(page, compared(150)) as reader:
        reader.open()
        expect(page.get_by_role("img")).to_have_count(len(CHARTS))
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CROSSES) == 0
        assert page.evaluate("document.body.classList.contains('dark')") is (scheme == "dark")


def test_a_chart_is_drawn_anew_for_another_width_with_words_of_the_same_size(page: Page) -> None:
    with reading(page, compared(150)) as reader:
        reader.open()
        chart = reader.part("Quality against seconds").get_by_role("img")
        name = chart.get_by_text("MoA-Lite").first
        wide = name.evaluate("node => node.getBoundingClientRect().height")
        page.set_viewport_size({"width": 390, "height": 800})
        page.wait_for_function("document.querySelector('.moa-chart svg').clientWidth < 390")
        expect(chart).to_be_visible()
        assert name.evaluate("node => node.getBoundingClientRect().height") == pytest.approx(wide, abs=1)


def test_a_long_name_is_cut_in_a_chart_and_whole_in_its_table(page: Page) -> None:
    long = "Donaudampfschifffahrtsgesellschaft " * 5
    with reading(page, [comparison(0, long, "漢字" * 60)] * 12) as reader:
        page.set_viewport_size({"width": 390, "height": 800})
        reader.open()
        expect(reader.part("Ranking").locator("text.moa-name")).to_have_count(2)
        assert page.evaluate(CROSSES) == 0
        reader.part("Ranking").locator("summary").click()
        expect(reader.part("Ranking").locator("tbody th").first).to_contain_text(long.strip())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
