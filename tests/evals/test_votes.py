from __future__ import annotations

import pytest
from hypothesis import given, settings

from moa.evals.style import Style, style_of
from moa.evals.votes import Tally, Vote, duels, systems_of, tagged, tallies
from tests.evals.made import NOON, ballots, many, published_votes, vote


def test_a_draw_is_half_a_win_for_each_and_both_bad_is_told_apart() -> None:
    record = tallies(many("ant", "bee", wins=3, losses=1, ties=2, both_bad=4))
    assert record == {"ant": Tally(3, 1, 2, 4), "bee": Tally(1, 3, 2, 4)}
    assert record["ant"].points == 6
    assert record["ant"].rate == 0.6
    assert record["bee"].rate == 0.4


def test_no_votes_have_no_rate() -> None:
    assert Tally().rate is None
    assert tallies([]) == {}


def test_a_system_is_not_compared_with_itself() -> None:
    with pytest.raises(ValueError, match="compares two systems, not 'ant' with itself"):
        vote("ant", "ant", "tie")


def test_records_of_pairs_add_up_to_those_of_systems() -> None:
    cast = [*many("ant", "bee", wins=2), *many("cat", "ant", wins=1, ties=1), *many("bee", "ant", losses=1)]
    assert duels(cast)["ant", "bee"] == Tally(wins=3)
    assert duels(cast)["ant", "cat"] == Tally(losses=1, ties=1)
    assert ("bee", "cat") not in duels(cast)
    assert tallies(cast)["ant"] == Tally(wins=3, losses=1, ties=1)
    assert systems_of(cast) == ("ant", "bee", "cat")


@settings(deadline=None)
@given(ballots)
def test_counting_is_blind_to_sides_and_order(cast: list[Vote]) -> None:
    assert tallies(one.mirrored() for one in reversed(cast)) == tallies(cast)
    assert [one.mirrored().mirrored() for one in cast] == cast


@settings(deadline=None)
@given(ballots)
def test_each_vote_gives_one_point_away(cast: list[Vote]) -> None:
    assert sum(record.points for record in tallies(cast).values()) == len(cast)
    assert sum(one.points + one.mirrored().points for one in cast) == len(cast)


def test_votes_are_picked_by_tag() -> None:
    code = Vote("ant", "bee", "left", 1, 1, Style(), Style(), NOON, ("code", "short"))
    assert tagged([code, vote("ant", "bee", "tie")], "code") == (code,)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("", Style()),
        ("# One\n\n## Two\n#none\n####### none", Style(headers=2)),
        ("- one\n* two\n  + three\n1. four\n2) five\n-none\n3.14 none", Style(lists=5)),
        ("**one** and __two__, ** not** and 2**3**4", Style(bold=4)),
        ("# One\n```py\n# no header\n- no list\n```\n- two\n~~~\n# none\n**none**", Style(headers=1, lists=1)),
        ("````\n```\n# inside\n````\n# out", Style(headers=1)),
        ("```x``` is code in a line\n# One", Style(headers=1)),
    ],
)
def test_style_counts_markdown_outside_of_code(answer: str, wanted: Style) -> None:
    assert style_of(answer) == wanted


def test_published_judgements_are_counted_as_published() -> None:
    record = tallies(published_votes())["FuseChat-Llama-3.1-8B-Instruct"]
    assert record == Tally(wins=518, losses=286, ties=1)
