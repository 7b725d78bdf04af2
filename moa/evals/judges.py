"""How judges did: what they preferred, how far their opinion hangs on the order, and whether readers say the same.

Judgements are no votes: nothing here goes into the ranking, and no vote into a judge's wins.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from moa.core.verdicts import Choice, Verdict
from moa.evals.intervals import wilson
from moa.evals.judging import ruling
from moa.evals.tables import Cell, Table


@dataclass(frozen=True, slots=True)
class Judged:
    """What one judge said of answers that stood side by side. ``systems`` gave them, from left to right.

    ``vote`` is what the reader said of the same answers, by index, or ``tie``, or ``bad`` for all; None without one.
    ``blind``: that vote was given before the names were shown.
    """

    judge: str
    systems: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    vote: Choice | Literal["bad"] | None = None
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Wins:
    """How often a judge preferred a system in every order, of the ``n`` times that it could be read about it."""

    system: str
    n: int
    wins: int


@dataclass(frozen=True, slots=True)
class JudgeFigures:
    """One judge's record over ``n`` comparisons, which are the sum of the six counts after it.

    ``decided``: one answer in all orders. ``first`` and ``last``: whichever stood there, the position bias of Zheng et
    al. (arXiv 2306.05685, §3.3). ``mixed``: anything else that differs by order. ``agreed`` of ``voted``: it says what
    the reader's vote on the same answers says, where there is one and the judge could be read; a tie, all bad and a
    verdict that hangs on the order all name no winner.
    """

    judge: str
    n: int
    decided: int
    ties: int
    first: int
    last: int
    mixed: int
    unreadable: int
    voted: int
    agreed: int
    agreement: float | None
    low: float
    high: float
    wins: tuple[Wins, ...]


@dataclass(frozen=True, slots=True)
class JudgesReport:
    """All judges, by name."""

    judges: tuple[JudgeFigures, ...] = ()

    def json(self) -> dict[str, Any]:
        """The report as JSON can hold it, with its tables."""
        return {**asdict(self), "tables": {name: asdict(table) for name, table in judge_tables(self).items()}}


def judges_report(judged: Iterable[Judged]) -> JudgesReport:
    """The whole report. The same in whatever order the judgements come."""
    by_judge: defaultdict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        by_judge[one.judge].append(one)
    return JudgesReport(tuple(_figures(judge, by_judge[judge]) for judge in sorted(by_judge)))


def judge_tables(report: JudgesReport) -> dict[str, Table]:
    """The tables by the names they have in addresses."""
    return {name: make(report) for name, make in JUDGE_TABLES.items()}


def _figures(judge: str, judged: Sequence[Judged]) -> JudgeFigures:
    kinds = Counter(map(_kind, judged))
    compared = [one for one in judged if one.vote is not None and _kind(one) != "unreadable"]
    agreed = sum(ruling(one.verdicts).choice == ("tie" if one.vote == "bad" else one.vote) for one in compared)
    interval = wilson(agreed, len(compared))
    return JudgeFigures(
        judge, len(judged), kinds["decided"], kinds["tie"], kinds["first"], kinds["last"], kinds["mixed"],
        kinds["unreadable"], len(compared), agreed, agreed / len(compared) if compared else None,
        interval.low, interval.high, _wins_of(judged),
    )  # fmt: skip


def _kind(one: Judged) -> str:
    said = ruling(one.verdicts)
    if said.choice is None:
        return "unreadable"
    if said.agreed:
        return "tie" if said.choice == "tie" else "decided"
    return said.biased or "mixed"


def _wins_of(judged: Iterable[Judged]) -> tuple[Wins, ...]:
    seen, won = Counter[str](), Counter[str]()
    for one in judged:
        choice = ruling(one.verdicts).choice
        if choice is not None:
            seen.update(set(one.systems))
        if isinstance(choice, int):
            won[one.systems[choice]] += 1
    return tuple(Wins(system, seen[system], won[system]) for system in sorted(seen))


def _records(report: JudgesReport) -> Table:
    head = (
        "Judge", "Judgements", "One preferred in both orders", "Tie in both orders", "Whichever came first",
        "Whichever came last", "Other differences by order", "Unreadable", "Compared with your votes",
        "Agrees with them (%)", "Low (%)", "High (%)",
    )  # fmt: skip
    rows = (
        (
            one.judge, one.n, one.decided, one.ties, one.first, one.last, one.mixed, one.unreadable, one.voted,
            *_shares(one),
        )
        for one in report.judges
    )  # fmt: skip
    return Table(head, tuple(rows))


def _shares(one: JudgeFigures) -> tuple[Cell, Cell, Cell]:
    if one.agreement is None:
        return None, None, None
    return round(one.agreement * 100, 1), round(one.low * 100, 1), round(one.high * 100, 1)


def _wins(report: JudgesReport) -> Table:
    rows = ((one.judge, wins.system, wins.n, wins.wins) for one in report.judges for wins in one.wins)
    return Table(("Judge", "System", "Judgements", "Wins"), tuple(rows))


JUDGE_TABLES: Mapping[str, Callable[[JudgesReport], Table]] = {"judges": _records, "judge-wins": _wins}
"""How each table is made, by the name it has in addresses."""
