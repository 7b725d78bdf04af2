"""The report's tables, as the page shows them and as CSV files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from moa.evals.report import Chart, Figure, Place, Report

Cell = str | int | float | None

_HEAD_INTERVAL = ("Low (%)", "High (%)")
# What spreadsheets take for the beginning of a formula, in every width (ASVS 1.2.10), behind what they may skip. Also
# where a careless one would begin a cell: behind a quote, a separator or a new line.
_FORMULA = re.compile(
    "(?:^|(?<=[\"'\t\r\n,;]))"
    "(?=[\\s\0\ufeff\u200b-\u200f\u2060]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\ufb29"
    "\u207a\u207c\u208a\u208c\u2212]|[\t\r\0])"
)


@dataclass(frozen=True, slots=True)
class Table:
    """Headings with their units, and rows of as many cells. None is unknown: an empty cell."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(report: Report) -> Mapping[str, Table]:
    """Every table by the name it has in addresses."""
    return {name: make(report) for name, make in _TABLES.items()}


def csv_of(table: Table) -> str:
    """The table as RFC 4180 has it. A text that a spreadsheet would take for a formula has a ' before it; numbers are
    as they are, also negative ones."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_plain(cell) for cell in table.head])
    writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def _plain(cell: Cell) -> Cell:
    return _FORMULA.sub("'", cell) if isinstance(cell, str) else cell


def _ranking(report: Report) -> Table:
    controlled = {place.system: place for place in report.controlled}
    rates = {system.system: system for system in report.systems}
    head = (
        "System", "Votes", "Win rate (%)", *_HEAD_INTERVAL, "Rank", "Best rank", "Worst rank",
        *_strength_head(""), *_strength_head(", style held equal"),
    )  # fmt: skip
    rows = []
    for place in report.plain:
        rate = rates[place.system]
        rows.append((
            place.system, place.votes, _percent(rate.rate), _percent(rate.low), _percent(rate.high),
            place.rank, place.rank_low, place.rank_high, *_strength(place), *_strength(controlled[place.system]),
        ))  # fmt: skip
    return Table(head, tuple(rows))


def _strength_head(kind: str) -> tuple[str, ...]:
    return (f"Strength{kind} (%)", *_HEAD_INTERVAL, f"Score{kind}")


def _strength(place: Place) -> tuple[Cell, ...]:
    ends = (place.strength, place.strength_low, place.strength_high)
    return (*(_percent(value) for value in ends), round(place.score))


def _matrix(report: Report) -> Table:
    head = ("System", "Against", "Win rate (%)", *_HEAD_INTERVAL, "Votes", "Wins", "Losses", "Ties", "Both bad")
    rows = (
        (
            cell.system, cell.against, _percent(cell.rate), _percent(cell.low), _percent(cell.high),
            cell.n, cell.wins, cell.losses, cell.ties, cell.both_bad,
        )
        for cell in report.matrix if cell.n
    )  # fmt: skip
    return Table(head, tuple(rows))


def _dollars(report: Report) -> Table:
    return _priced(report.dollars, "Mean cost of an answer ($)", lambda price: round(price / 1e6, 6))


def _seconds(report: Report) -> Table:
    return _priced(report.seconds, "Median time of an answer (s)", lambda price: round(price, 2))


def _priced(chart: Chart, price: str, shown: Callable[[float], float]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            spot.system, shown(spot.price), _percent(spot.strength), _percent(spot.low), _percent(spot.high),
            "yes" if spot.front else "no",
        )
        for spot in chart.spots
    ]  # fmt: skip
    rows += [(system, *[None] * 5) for system in chart.unknown]
    return Table(("System", price, "Strength (%)", *_HEAD_INTERVAL, "On the front"), tuple(rows))


def _systems(report: Report) -> Table:
    head = (
        "System", "Answers", "Failed", "Mean cost ($)", "Median cost ($)", "Mean time (s)", "Median time (s)",
        "Mean first token (s)", "Median first token (s)", "Mean tokens", "Median tokens",
    )  # fmt: skip
    rows = (
        (
            system.system, system.answers, system.failed, *_both(system.cost_microusd, 6, 1e6),
            *_both(system.seconds, 2), *_both(system.first_token_s, 2), *_both(system.tokens, 0),
        )
        for system in report.systems
    )  # fmt: skip
    return Table(head, tuple(rows))


def _both(figure: Figure, digits: int, unit: float = 1) -> tuple[Cell, Cell]:
    mean, middle = (None if value is None else round(value / unit, digits) for value in (figure.mean, figure.median))
    return mean, middle


def _days(report: Report) -> Table:
    return Table(("Day (UTC)", "Votes", "Votes so far"), tuple((day.day, day.votes, day.total) for day in report.days))


def _tags(report: Report) -> Table:
    rows = (
        (one.tag, one.system, one.n, _percent(one.rate), _percent(one.low), _percent(one.high)) for one in report.tags
    )
    return Table(("Tag", "System", "Votes", "Win rate (%)", *_HEAD_INTERVAL), tuple(rows))


def _effects(report: Report) -> Table:
    rows = ((one.covariate, round(one.log_odds, 3), round(one.low, 3), round(one.high, 3)) for one in report.effects)
    return Table(("More of", "Log odds", "Low", "High"), tuple(rows))


def _overlap(report: Report) -> Table:
    found = report.overlap
    mean = None if found.mean is None else round(found.mean, 3)
    return Table(("Mean of Spearman's ρ", "Answers", "Answers without one"), ((mean, found.items, found.undefined),))


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)


_TABLES: Mapping[str, Callable[[Report], Table]] = {
    "dollars": _dollars,
    "seconds": _seconds,
    "matrix": _matrix,
    "ranking": _ranking,
    "style": _effects,
    "days": _days,
    "systems": _systems,
    "tags": _tags,
    "overlap": _overlap,
}
