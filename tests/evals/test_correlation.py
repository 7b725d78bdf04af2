from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from moa.evals.correlation import average_ranks, mean_spearman, spearman

numbers = st.lists(st.tuples(st.integers(-4, 4), st.floats(-1e6, 1e6)), min_size=2, max_size=30)


@settings(deadline=None)
@given(numbers)
def test_ranks_and_correlation_are_those_of_scipy(pairs: list[tuple[float, float]]) -> None:
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    assert average_ranks(one).tolist() == rankdata(one).tolist()
    assume(len(set(one)) > 1 and len(set(other)) > 1)
    assert spearman(one, other) == pytest.approx(float(spearmanr(one, other).statistic), abs=1e-12)


@settings(deadline=None)
@given(numbers)
def test_only_the_order_counts(pairs: list[tuple[float, float]]) -> None:
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    found = spearman(one, other)
    assert found == spearman([2.0**a for a in one], other)
    turned = spearman([-a for a in one], other)
    assert (found is None) == (turned is None)
    if found is not None and turned is not None:
        assert -1 <= found <= 1
        assert turned == pytest.approx(-found)


@pytest.mark.parametrize(
    ("one", "other"), [([], []), ([1], [2]), ([1, 1, 1], [1, 2, 3]), ([1, 2], [5, 5]), ([1, math.nan], [1, 2])]
)
def test_what_has_no_order_has_no_correlation(one: list[float], other: list[float]) -> None:
    assert spearman(one, other) is None


def test_sides_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values can't be paired with 3"):
        spearman([1, 2], [1, 2, 3])


def test_the_mean_is_over_the_items_that_have_a_correlation() -> None:
    items = [([1, 2, 3], [1, 2, 3]), ([1, 2, 3], [1, 3, 2]), ([1, 1, 1], [1, 2, 3])]
    found = mean_spearman(items)
    assert (found.mean, found.items, found.undefined) == (0.75, 2, 1)
    assert mean_spearman([]).mean is None
