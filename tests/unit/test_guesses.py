"""Clients that try links: who has to wait, for how long, and how many are remembered."""

from __future__ import annotations

import pytest

from moa.api.guesses import Guesses
from moa.core.errors import Busy, NotFound, StoreReadOnly
from tests.support.clock import ManualClock


def guess(guesses: Guesses, client: str = "a", times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(NotFound), guesses.counted(client):
            raise NotFound("link")


def waits(guesses: Guesses, client: str = "a") -> float:
    return guesses.wait_s(client)


def test_a_client_that_has_to_wait_is_told_so_and_what_works_is_never_held_back() -> None:
    guesses = Guesses(ManualClock().now, most=2)
    guess(guesses, times=2)
    with pytest.raises(Busy), guesses.counted("a"):
        raise NotFound("link")
    with guesses.counted("a"):
        pass


def test_after_so_many_failures_a_client_waits_a_minute() -> None:
    clock = ManualClock()
    guesses = Guesses(clock.now, most=3)
    guess(guesses, times=2)
    clock.advance(50)
    assert waits(guesses) == 0
    guess(guesses)
    assert waits(guesses) == pytest.approx(60)
    clock.advance(59)
    assert waits(guesses) == pytest.approx(1)
    clock.advance(1)
    guess(guesses, times=2)
    assert waits(guesses) == 0


def test_failures_count_for_a_minute_from_the_first() -> None:
    clock = ManualClock()
    guesses = Guesses(clock.now, most=3)
    guess(guesses, times=2)
    clock.advance(60)
    guess(guesses, times=2)
    assert waits(guesses) == 0


def test_only_what_is_no_link_counts_and_only_for_who_tried_it() -> None:
    guesses = Guesses(ManualClock().now, most=2)
    for _ in range(5):
        with guesses.counted("a"):
            pass
        with pytest.raises(StoreReadOnly), guesses.counted("a"):
            raise StoreReadOnly("The disk is full.")
    guess(guesses, "b", times=2)
    assert (waits(guesses, "a"), waits(guesses, "b")) == (0, 60)


def test_no_more_clients_are_remembered_than_allowed_and_those_heard_of_last() -> None:
    guesses = Guesses(ManualClock().now, most=2, clients=3)
    guess(guesses, "stays", times=2)
    for number in range(2):
        guess(guesses, f"{number}")
    guess(guesses, "0")
    assert [waits(guesses, name) > 0 for name in ("stays", "0", "1")] == [True, True, False]
    guess(guesses, "more")
    assert [waits(guesses, name) > 0 for name in ("stays", "0", "1")] == [False, True, False]
    assert len(guesses._failed) == 3
