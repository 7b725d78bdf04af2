"""Everything that the results page shows, worked out of all comparisons at once."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from statistics import fmean, median
from typing import Any

from moa.evals.bradley_terry import Covariate
from moa.evals.comparison import Comparison, Side, votes_of
from moa.evals.correlation import MeanCorrelation, mean_spearman
from moa.evals.frontier import Point, Price, frontier
from moa.evals.intervals import matrix, wilson
from moa.evals.ranking import ENOUGH_VOTES, Effect, Ranking, Standing, rank
from moa.evals.votes import Vote, tagged, tallies

STYLE: tuple[Covariate, ...] = ("length", "headers", "lists", "bold")
TIES = "A tie, or all answers bad, counts as half a win for each side."
SEPARABLE = (
    "Some systems never lost to the others. How far apart they stand is a guess, and their intervals are too narrow."
)
APART = "Votes don't connect all systems. Compare only those of one group: {groups}."
MANY_SIDES = (
    "Where more than two answers stood side by side, the winner beats each of the others. "
    "Such pairs hang together, so the intervals are rather too narrow."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of a system's answers, over the ``n`` of them where it is known. None without any."""

    mean: float | None
    median: float | None
    n: int


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """What a system's answers took, and how it did over all: ``rate`` of its ``pairs``, with its 95 % interval.
    ``failed`` counts where it gave none."""

    system: str
    answers: int
    failed: int
    pairs: int
    rate: float | None
    low: float
    high: float
    cost_microusd: Figure
    seconds: Figure
    first_token_s: Figure
    tokens: Figure


@dataclass(frozen=True, slots=True)
class Place:
    """A standing as the page draws it. ``strength`` is the chance, 0 to 1, to win against the average system of the
    same group; ``score`` is the same on the scale of Elo ratings. The ranges hold 95 % of the resamples."""

    system: str
    votes: int
    enough: bool
    rank: int
    rank_low: int
    rank_high: int
    strength: float
    strength_low: float
    strength_high: float
    score: float
    score_low: float
    score_high: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One system against another; ``rate`` is None for two that never met."""

    system: str
    against: str
    rate: float | None
    low: float
    high: float
    n: int
    wins: int
    losses: int
    ties: int
    both_bad: int


@dataclass(frozen=True, slots=True)
class Spot:
    """A system in a chart of strength against a price. ``front``: no other is as strong for less."""

    system: str
    price: float
    strength: float
    low: float
    high: float
    front: bool
    enough: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """All spots, the cheapest first, and the systems whose price isn't known."""

    spots: tuple[Spot, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """The votes of one day in UTC, ``YYYY-MM-DD``, and all until its end."""

    day: str
    votes: int
    total: int


@dataclass(frozen=True, slots=True)
class TagRate:
    """How a system did where a tag was set."""

    tag: str
    system: str
    n: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Report:
    """``votes`` are comparisons that were voted on, ``pairs`` what they say of two systems each. While ``enough`` is
    False, no number about quality should be shown as a result; ``early`` then says so.

    ``plain`` ranks by the votes alone, ``controlled`` as if all answers had the same length and style. ``overlap`` is
    how the overlap of mixtures' answers with their proposals goes with the strength of the proposers, which fewer than
    ten answers don't tell: ``overlap_early`` then says so. ``blind`` votes were given before the names were shown.
    """

    votes: int
    blind: int
    pairs: int
    enough: bool
    early: str
    ties: str
    notes: tuple[str, ...]
    systems: tuple[SystemFigures, ...]
    plain: tuple[Place, ...]
    controlled: tuple[Place, ...]
    effects: tuple[Effect, ...]
    matrix: tuple[Cell, ...]
    dollars: Chart
    seconds: Chart
    days: tuple[Day, ...]
    tags: tuple[TagRate, ...]
    overlap: MeanCorrelation
    overlap_early: str

    def json(self) -> dict[str, Any]:
        """The report as JSON can hold it, its names as they are here."""
        return asdict(self)


def report(comparisons: Sequence[Comparison], *, resamples: int = 1000) -> Report:
    """The whole report. The same for the same comparisons, in whatever order. With thousands of them it takes some
    seconds: not for an event loop."""
    votes, told = votes_of(comparisons), len(comparisons)
    plain = rank(votes, resamples=resamples)
    controlled = rank(votes, STYLE, resamples=resamples)
    systems = _systems(comparisons, votes)
    places = tuple(_place(standing) for standing in plain.standings)
    overlap = _overlap(comparisons, plain)
    return Report(
        votes=told,
        blind=sum(comparison.blind for comparison in comparisons),
        pairs=len(votes),
        enough=told >= ENOUGH_VOTES,
        early=_early(told, "vote"),
        ties=TIES,
        notes=_notes(comparisons, plain),
        systems=systems,
        plain=places,
        controlled=tuple(_place(standing) for standing in controlled.standings),
        effects=controlled.effects,
        matrix=_cells(votes),
        dollars=_chart(systems, places, "cost_microusd"),
        seconds=_chart(systems, places, "seconds"),
        days=_days(comparisons),
        tags=_tags(votes),
        overlap=overlap,
        overlap_early=_early(overlap.items, "answer"),
    )


def _early(n: int, what: str) -> str:
    return "" if n >= ENOUGH_VOTES else f"Too early to tell: {n} {what if n == 1 else what + 's'}"


def _notes(comparisons: Iterable[Comparison], found: Ranking) -> tuple[str, ...]:
    notes = []
    if found.separable:
        notes.append(SEPARABLE)
    if len(found.components) > 1:
        notes.append(APART.format(groups="; ".join(", ".join(group) for group in found.components)))
    if any(len(comparison.sides) > 2 for comparison in comparisons):
        notes.append(MANY_SIDES)
    return tuple(notes)


def _systems(comparisons: Iterable[Comparison], votes: Sequence[Vote]) -> tuple[SystemFigures, ...]:
    answers: defaultdict[str, list[Side]] = defaultdict(list)
    for comparison in comparisons:
        for side in comparison.sides:
            answers[side.system].append(side)
    records = tallies(votes)
    found = []
    for system, sides in sorted(answers.items()):
        points, n = (records[system].points, records[system].n) if system in records else (0.0, 0)
        lies, failed = wilson(points, n), sum(not side.chars for side in sides)
        found.append(
            SystemFigures(
                system, len(sides) - failed, failed, n, points / n if n else None, lies.low, lies.high,
                cost_microusd=_figure(side.cost_microusd for side in sides),
                seconds=_figure(_seconds(side.duration_ms) for side in sides),
                first_token_s=_figure(_seconds(side.first_token_ms) for side in sides),
                tokens=_figure(side.tokens for side in sides),
            )
        )  # fmt: skip
    return tuple(found)


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


def _figure(values: Iterable[float | None]) -> Figure:
    known = [float(value) for value in values if value is not None]
    return Figure(fmean(known), median(known), len(known)) if known else Figure(None, None, 0)


def _place(standing: Standing) -> Place:
    return Place(
        standing.system, standing.votes, standing.enough, standing.rank, standing.rank_low, standing.rank_high,
        _chance(standing.log_odds), _chance(standing.log_odds_low), _chance(standing.log_odds_high),
        standing.score, standing.score_low, standing.score_high,
    )  # fmt: skip


def _chance(log_odds: float) -> float:
    return 0.5 + math.tanh(log_odds / 2) / 2  # the logistic function, which overflows for no number in this form


def _cells(votes: Sequence[Vote]) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            duel.system, duel.against, duel.rate, duel.low, duel.high, duel.n,
            duel.record.wins, duel.record.losses, duel.record.ties, duel.record.both_bad,
        )
        for duel in matrix(votes).values()
    )  # fmt: skip


def _chart(systems: Sequence[SystemFigures], places: Sequence[Place], by: Price) -> Chart:
    """Dollars are the mean, for they add up; seconds are the median, for one that hung would move a mean."""
    standing = {place.system: place for place in places}
    known = [system for system in systems if system.system in standing]
    found = frontier(
        (Point(s.system, standing[s.system].strength, s.cost_microusd.mean, s.seconds.median) for s in known), by
    )
    spots = [_spot(point, by, standing[point.system], front=True) for point in found.front]
    spots += [_spot(point, by, standing[point.system], front=False) for point in found.beaten]
    return Chart(tuple(sorted(spots, key=lambda spot: (spot.price, spot.system))), tuple(sorted(found.unknown)))


def _spot(point: Point, by: Price, place: Place, *, front: bool) -> Spot:
    price = point.cost_microusd if by == "cost_microusd" else point.seconds
    if price is None:
        raise ValueError(f"{point.system!r} has no price.")
    return Spot(point.system, price, place.strength, place.strength_low, place.strength_high, front, place.enough)


def _days(comparisons: Iterable[Comparison]) -> tuple[Day, ...]:
    counts = Counter(comparison.at.astimezone(UTC).date().isoformat() for comparison in comparisons)
    found, total = [], 0
    for day, votes in sorted(counts.items()):
        total += votes
        found.append(Day(day, votes, total))
    return tuple(found)


def _tags(votes: Sequence[Vote]) -> tuple[TagRate, ...]:
    found = []
    for tag in sorted({tag for vote in votes for tag in vote.tags}):
        for system, record in tallies(tagged(votes, tag)).items():
            lies = wilson(record.points, record.n)
            found.append(TagRate(tag, system, record.n, record.points / record.n, lies.low, lies.high))
    return tuple(found)


def _overlap(comparisons: Iterable[Comparison], found: Ranking) -> MeanCorrelation:
    """The paper's figure 4 with readers' votes in the place of its judge: within each answer, the overlaps with its
    proposals against the scores of the proposers, of those that were voted on themselves."""
    scores = {standing.system: standing.log_odds for standing in found.standings}
    items = []
    for comparison in comparisons:
        for side in comparison.sides:
            known = [(share, scores[system]) for system, share in side.overlaps if system in scores]
            if known:
                items.append(([share for share, _ in known], [score for _, score in known]))
    return mean_spearman(sorted(items))  # a sum's last bit depends on the order
