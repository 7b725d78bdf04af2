from __future__ import annotations

import pytest

from moa.core.domain import FailureKind
from moa.core.errors import CallError, FinalCall, RetryableCall
from moa.core.policy import Breaker as BreakerPolicy
from moa.engine.breaker import Breaker

OVERLOADED = RetryableCall(FailureKind.OVERLOADED)


def breaker() -> Breaker:
    return Breaker(BreakerPolicy())


def fail(one: Breaker, times: int, at: float = 0.0, error: CallError = OVERLOADED) -> None:
    for _ in range(times):
        one.admit(at)
        one.failed(at, error)


def refusal(one: Breaker, at: float) -> FailureKind | None:
    """Why a call would be refused; a call that would pass is given back as cancelled."""
    try:
        one.admit(at)
    except FinalCall as error:
        return error.kind
    one.abandoned()
    return None


def test_five_failures_in_a_row_open_it_for_ten_seconds() -> None:
    one = breaker()
    fail(one, 4)
    assert refusal(one, 0) is None
    fail(one, 1)
    assert refusal(one, 9.9) is FailureKind.UNAVAILABLE
    assert one.resting(9.9)
    assert not one.resting(10)
    assert refusal(one, 10) is None


def test_a_success_in_between_starts_the_count_again() -> None:
    one = breaker()
    fail(one, 4)
    one.succeeded(0)
    fail(one, 4)
    assert refusal(one, 0) is None


def test_one_probe_decides_and_others_wait_for_it() -> None:
    one = breaker()
    fail(one, 5)
    one.admit(10)
    assert one.resting(10)
    assert refusal(one, 11) is FailureKind.UNAVAILABLE
    one.succeeded(12)
    for _ in range(3):
        one.admit(12)
    assert not one.resting(12)


def test_each_failed_probe_doubles_the_rest_up_to_two_minutes() -> None:
    one, now = breaker(), 0.0
    fail(one, 5)
    for rest in (10, 20, 40, 80, 120, 120):
        assert refusal(one, now + rest - 0.1) is FailureKind.UNAVAILABLE
        now += rest
        fail(one, 1, now)
    one.admit(now + 120)
    one.succeeded(now + 120)
    fail(one, 5, now + 120)
    assert refusal(one, now + 130) is None


def test_calls_that_fail_together_count_as_one_trouble() -> None:
    """Sixteen calls were under way when the provider went down: ten seconds, not the longest rest."""
    one = breaker()
    for _ in range(16):
        one.admit(0)
    for _ in range(16):
        one.failed(1, OVERLOADED)
    assert refusal(one, 11) is None


def test_over_half_of_ten_calls_within_thirty_seconds_open_it() -> None:
    one = breaker()
    for n in range(9):
        one.admit(n)
        one.failed(n, OVERLOADED) if n % 2 else one.succeeded(n)
    assert refusal(one, 9) is None
    fail(one, 1, 9)  # five of ten: not over half
    assert refusal(one, 9) is None
    fail(one, 1, 9)
    assert refusal(one, 9) is FailureKind.UNAVAILABLE


def test_old_failures_are_forgotten() -> None:
    one = breaker()
    for n in range(20):
        at = n * 31.0
        one.admit(at)
        one.failed(at, OVERLOADED) if n % 3 else one.succeeded(at)
        assert len(one.recent) == 1
    assert refusal(one, 1000) is None


@pytest.mark.parametrize("kind", [FailureKind.BAD_KEY, FailureKind.UNKNOWN_MODEL])
def test_F20_a_refused_key_or_model_rests_until_the_list_is_new(kind: FailureKind) -> None:
    one = breaker()
    fail(one, 1, error=FinalCall(kind))
    assert refusal(one, 1e9) is kind
    assert one.resting(1e9)
    one.reset()
    assert refusal(one, 1e9) is None


@pytest.mark.parametrize("kind", ["rejected", "filtered", "queue_full", "not_ready", "no_key", "unavailable"])
def test_what_is_not_the_models_fault_does_not_count(kind: str) -> None:
    one = breaker()
    fail(one, 20, error=FinalCall(FailureKind(kind)))
    assert refusal(one, 0) is None


def test_a_cancelled_or_blameless_probe_lets_another_go() -> None:
    one = breaker()
    fail(one, 5)
    one.admit(10)
    one.abandoned()
    one.admit(10)
    one.failed(10, FinalCall(FailureKind.REJECTED))
    one.admit(10)
    one.succeeded(10)
    assert refusal(one, 10) is None
