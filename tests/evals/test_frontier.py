from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from moa.evals.frontier import Point, frontier

# LC win rate and dollars an item, near to what the paper's figure 5 shows.
PAPER = [Point("MoA", 65.1, 40_000), Point("MoA-Lite", 59.3, 9_000), Point("GPT-4o", 57.5, 10_000),
         Point("GPT-4 Turbo", 55.0, 22_000), Point("Qwen1.5 110B", 43.9, 1_500)]  # fmt: skip
values = st.none() | st.integers(0, 5).map(float) | st.sampled_from([float("nan"), float("inf")])
points = st.lists(st.tuples(values, values, values), max_size=12).map(
    lambda rows: [Point(f"s{i}", *row) for i, row in enumerate(rows)]
)


def names(found: tuple[Point, ...]) -> list[str]:
    return [point.system for point in found]


def test_the_front_runs_from_cheap_to_good() -> None:
    found = frontier(PAPER, "cost_microusd")
    assert names(found.front) == ["Qwen1.5 110B", "MoA-Lite", "MoA"]
    assert names(found.beaten) == ["GPT-4o", "GPT-4 Turbo"]
    assert found.unknown == ()


def test_what_is_unknown_is_named_and_not_taken_for_nothing() -> None:
    local = Point("local", 70, cost_microusd=None, seconds=9)
    new = Point("new", None, cost_microusd=1, seconds=1)
    found = frontier([*PAPER, local, new], "cost_microusd")
    assert found.unknown == ("local", "new")
    assert names(frontier([local, new], "seconds").front) == ["local"]


def test_equals_stand_together_and_one_better_thing_is_enough() -> None:
    same = [Point("one", 2, 5), Point("two", 2, 5), Point("dearer", 2, 6), Point("worse", 1, 5), Point("free", 0, 0)]
    found = frontier(same, "cost_microusd")
    assert names(found.front) == ["free", "one", "two"]
    assert names(found.beaten) == ["worse", "dearer"]


@settings(deadline=None)
@given(points)
def test_each_known_point_is_on_the_front_or_beaten_by_one_that_is(given_points: list[Point]) -> None:
    found = frontier(given_points, "seconds")
    assert sorted([*names(found.front), *names(found.beaten), *found.unknown]) == sorted(names(tuple(given_points)))

    def beats(one: Point, other: Point) -> bool:
        assert None not in (one.quality, one.seconds, other.quality, other.seconds)
        ours, theirs = (one.quality or 0, -(one.seconds or 0)), (other.quality or 0, -(other.seconds or 0))
        return ours != theirs and ours[0] >= theirs[0] and ours[1] >= theirs[1]

    assert not any(beats(one, other) for one in (*found.front, *found.beaten) for other in found.front)
    assert all(any(beats(one, other) for one in found.front) for other in found.beaten)
