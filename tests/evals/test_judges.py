"""How judges are counted: by themselves, beside the reader's votes."""

from __future__ import annotations

import random

import pytest

from moa.core.verdicts import Choice, Verdict
from moa.evals.intervals import wilson
from moa.evals.judges import Judged, JudgesReport, Wins, judge_tables, judges_report
from moa.evals.judging import orders
from moa.evals.tables import Table


def judged(forward: Choice | None, back: Choice | None, judge: str = "Judge", **more: object) -> Judged:
    verdicts = tuple(Verdict(order, choice, "") for order, choice in zip(orders(2), (forward, back), strict=True))
    return Judged(judge, ("MoA", "Plain"), verdicts, **more)  # type: ignore[arg-type]  # told by its name


ALL = [
    judged(0, 0, vote=0), judged(0, 0, vote=1), judged(1, 1), judged("tie", "tie", vote="bad"),
    judged(0, 1, vote="tie"), judged(0, 1), judged(1, 0, vote=1), judged("tie", 1, vote=1), judged(None, 0, vote=0),
]  # fmt: skip


def test_each_kind_of_judgement_is_counted_once() -> None:
    [found] = judges_report(ALL).judges
    counts = (found.decided, found.ties, found.first, found.last, found.mixed, found.unreadable)
    assert counts == (3, 1, 2, 1, 1, 1)
    assert found.n == sum(counts) == len(ALL)
    assert found.wins == (Wins("MoA", 8, 2), Wins("Plain", 8, 1))


def test_agreement_is_with_votes_where_there_is_one_and_the_judge_can_be_read() -> None:
    [found] = judges_report(ALL).judges
    assert (found.voted, found.agreed) == (6, 3)
    interval = wilson(3, 6)
    assert (found.agreement, found.low, found.high) == (0.5, interval.low, interval.high)
    [alone] = judges_report([judged(0, 0)]).judges
    assert (alone.voted, alone.agreement, alone.low, alone.high) == (0, None, 0.0, 1.0)


def test_judges_stand_apart_and_in_whatever_order_they_came() -> None:
    several = [*ALL, judged(1, 1, "Another"), judged(1, 1, "Another")]
    shuffled = random.Random(1).sample(several, len(several))
    assert judges_report(shuffled) == judges_report(several)
    assert [(one.judge, one.n) for one in judges_report(several).judges] == [("Another", 2), ("Judge", 9)]


def test_two_answers_of_one_system_count_as_one_meeting() -> None:
    verdicts = tuple(Verdict(order, 2, "") for order in orders(3))
    [found] = judges_report([Judged("Judge", ("MoA", "Plain", "MoA"), verdicts)]).judges
    assert found.wins == (Wins("MoA", 1, 1), Wins("Plain", 1, 0))


def test_without_judges_the_tables_are_there_and_empty() -> None:
    assert judges_report([]) == JudgesReport()
    assert [table.rows for table in judge_tables(JudgesReport()).values()] == [(), ()]


@pytest.mark.parametrize("name", ["judges", "judge-wins"])
def test_tables_have_a_cell_under_each_heading(name: str) -> None:
    table = judge_tables(judges_report(ALL))[name]
    assert isinstance(table, Table)
    assert {len(row) for row in table.rows} == {len(table.head)}
    wanted = {
        "judges": (("Judge", 9, 3, 1, 2, 1, 1, 1, 6, 50.0, 18.8, 81.2),),
        "judge-wins": (("Judge", "MoA", 8, 2), ("Judge", "Plain", 8, 1)),
    }
    assert table.rows == wanted[name]
