"""Runs of several processes: dead ones are found and ended, living ones left alone, slow ones take theirs back."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import select

from moa.chat.values import TurnRecord
from moa.core.domain import LeftOut, Status
from moa.core.errors import Busy
from storage import SqlStore
from storage.models import RunRow
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, FIRST, LAST, PROPOSERS, RECIPE, SECOND, call, failure, proposal, question, result
from tests.storage.test_listing import Calendar
from tests.support.processes import ELSEWHERE, dead_process

OTHER = ELSEWHERE.replace("7", "8")


async def begun(store: SqlStore, key: str = "key", **where: Any) -> TurnRecord:
    return (await store.begin_turn(ADA, question(key=key, **where)))[0]


async def status(store: SqlStore, turn: TurnRecord) -> Status:
    return (await store.load_turn(ADA, turn.id)).runs[0].status


async def test_F26_a_run_whose_process_is_gone_is_interrupted_at_once(place: Place) -> None:
    dead, store = place.open(process=dead_process()), place.open()
    lost, mine = await begun(dead), await begun(store, "mine")
    await dead.checkpoint(ADA, lost.shown_run_id, {FIRST: "Bec"})
    assert await store.recover() == 1
    assert [await status(store, turn) for turn in (lost, mine)] == [Status.INTERRUPTED, Status.RUNNING]
    assert await store.recover() == 0
    await dead.aclose()
    await store.aclose()


async def test_a_run_elsewhere_goes_by_its_heartbeat(place: Place) -> None:
    calendar = Calendar()
    there, store = place.open(process=ELSEWHERE, now=calendar), place.open(now=calendar)
    silent, beating, mine = [await begun(at, key) for at, key in ((there, "1"), (there, "2"), (store, "3"))]
    calendar.later(seconds=9)
    await there.checkpoint(ADA, beating.shown_run_id, {})
    assert await store.recover() == 0
    calendar.later(seconds=1)
    assert await store.recover(alive=[mine.shown_run_id]) == 1
    found = [await status(store, turn) for turn in (silent, beating, mine)]
    assert found == [Status.INTERRUPTED, Status.RUNNING, Status.RUNNING]
    assert await store.recover() == 1  # begun here, but nobody carries it out
    await there.aclose()
    await store.aclose()


async def test_F30_a_clock_that_is_set_back_leaves_nothing_running_for_ever(place: Place) -> None:
    calendar = Calendar()
    store = place.open(process=ELSEWHERE, now=calendar)
    turn = await begun(store)
    calendar.later(hours=-1)
    assert await store.recover() == 1
    assert await status(store, turn) is Status.INTERRUPTED
    await store.aclose()


async def test_looking_for_dead_runs_waits_for_no_lock_and_writes_nothing(file: Place) -> None:
    store = file.open(busy_timeout_s=0)
    await begun(store)
    before = await everything(store)
    with closing(sqlite3.connect(file.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await store.recover() == 0
    assert await everything(store) == before
    await store.aclose()


# -- one run a conversation, whichever process


async def test_another_run_is_refused_while_one_is_under_way_elsewhere(place: Place) -> None:
    there, store = place.open(process=ELSEWHERE), place.open()
    turn = await begun(there)
    before = await everything(store)
    for attempt in (
        store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="again"),
        begun(store, "edited", conversation_id=turn.conversation_id, branch=True),
        begun(store, "forked", conversation_id=turn.conversation_id, branch=True, parent_id=turn.id),
    ):
        with pytest.raises(Busy, match="stop it first"):
            await attempt
    assert await everything(store) == before
    assert (await store.begin_turn(ADA, question()))[1] is False  # the same request is no other run
    other = await begun(store, "elsewhere")
    assert other.conversation_id != turn.conversation_id
    await there.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    assert (await store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="again"))[1]
    await there.aclose()
    await store.aclose()


@pytest.mark.parametrize("branch", [True, False])
async def test_a_dead_run_is_ended_when_another_begins(place: Place, branch: bool) -> None:
    calendar = Calendar()
    there, store = place.open(process=ELSEWHERE, now=calendar), place.open(now=calendar)
    turn = await begun(there)
    await there.checkpoint(ADA, turn.shown_run_id, {LAST: "The sky"})
    calendar.later(seconds=10)
    if branch:
        await begun(store, "edited", conversation_id=turn.conversation_id, branch=True)
    else:
        await store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="again")
    first = (await store.load_turn(ADA, turn.id)).runs[0]
    assert first.result is not None
    assert (first.status, first.result.answer) == (Status.INTERRUPTED, "The sky")
    await there.aclose()
    await store.aclose()


async def test_of_two_processes_that_resume_at_once_one_does(place: Place) -> None:
    one, two = place.open(process=ELSEWHERE), place.open(process=OTHER)
    turn = await begun(one)
    await one.end_run(ADA, turn.shown_run_id, result(failure(FIRST), status=Status.INTERRUPTED))
    tries = [s.begin_run(ADA, turn.id, RECIPE, seed=1, request_key=key) for s, key in ((one, "left"), (two, "right"))]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in told) == ["Busy", "tuple"]
    assert len((await one.load_turn(ADA, turn.id)).runs) == 2
    await one.aclose()
    await two.aclose()


# -- stopping from elsewhere


async def test_a_stop_asked_elsewhere_is_told_with_the_next_checkpoint(place: Place) -> None:
    there, store = place.open(process=ELSEWHERE), place.open()
    turn = await begun(there)
    assert not await there.checkpoint(ADA, turn.shown_run_id, {FIRST: "Bec"})
    assert await store.ask_to_stop(ADA, turn.shown_run_id)
    assert await store.ask_to_stop(ADA, turn.shown_run_id)
    assert await status(store, turn) is Status.RUNNING
    assert await there.checkpoint(ADA, turn.shown_run_id, {FIRST: "Because"})
    await there.end_run(ADA, turn.shown_run_id, result(proposal(FIRST), status=Status.CANCELLED))
    before = await everything(store)
    assert not await store.ask_to_stop(ADA, turn.shown_run_id)
    assert await everything(store) == before
    await there.aclose()
    await store.aclose()


async def test_a_dead_run_is_stopped_by_ending_it(place: Place) -> None:
    calendar = Calendar()
    there, store = place.open(process=ELSEWHERE, now=calendar), place.open(now=calendar)
    turn = await begun(there)
    calendar.later(seconds=10)
    assert not await store.ask_to_stop(ADA, turn.shown_run_id)
    assert await status(store, turn) is Status.INTERRUPTED
    assert await there.checkpoint(ADA, turn.shown_run_id, {})  # it wakes up: what was asked still holds
    assert await status(store, turn) is Status.INTERRUPTED
    await there.aclose()
    await store.aclose()


async def test_deleting_a_conversation_stops_its_run_elsewhere(place: Place) -> None:
    there, store = place.open(process=ELSEWHERE), place.open()
    turn, other = await begun(there), await begun(there, "other")
    await store.delete_conversation(ADA, turn.conversation_id)
    assert await there.checkpoint(ADA, turn.shown_run_id, {FIRST: "Bec"})
    assert not await there.checkpoint(ADA, other.shown_run_id, {FIRST: "Bec"})
    await there.aclose()
    await store.aclose()


# -- taken for dead, and back again


async def slept(place: Place) -> tuple[SqlStore, SqlStore, TurnRecord]:
    """A process that was asleep while another one took its run for dead."""
    calendar = Calendar()
    sleeper, store = place.open(process=ELSEWHERE, now=calendar), place.open(now=calendar)
    turn = await begun(sleeper)
    sent = call(proposal(FIRST))
    await sleeper.save_call(ADA, turn.shown_run_id, sent)
    await sleeper.begin_call(ADA, turn.shown_run_id, SECOND, PROPOSERS[1], sent.messages, LeftOut())
    await sleeper.checkpoint(ADA, turn.shown_run_id, {SECOND: "a lone lynx"})
    calendar.later(hours=1)
    assert await store.recover() == 1
    assert len(await store.search(ADA, "lynx")) == 1
    return sleeper, store, turn


async def test_a_sleeper_takes_its_run_back(place: Place) -> None:
    sleeper, store, turn = await slept(place)
    assert not await sleeper.checkpoint(ADA, turn.shown_run_id, {})
    run = (await store.load_turn(ADA, turn.id)).shown
    assert (run.status, run.result) == (Status.RUNNING, None)
    assert (run.outcomes, run.growing) == ((proposal(FIRST),), {SECOND: "a lone lynx"})
    assert await store.search(ADA, "lynx") == ()
    assert await store.recover() == 0
    await sleeper.checkpoint(ADA, turn.shown_run_id, {SECOND: "a lone lynx and a yak"})
    ended = result(proposal(FIRST), proposal(SECOND, "a lone lynx and a yak"), proposal(LAST))
    await sleeper.end_run(ADA, turn.shown_run_id, ended)
    run = (await store.load_turn(ADA, turn.id)).shown
    assert (run.status, run.result, run.growing) == (Status.COMPLETE, ended, {})
    assert len(await store.search(ADA, "yak")) == 1
    await sleeper.aclose()
    await store.aclose()


async def test_a_sleeper_that_calls_a_model_first_takes_its_run_back_too(place: Place) -> None:
    sleeper, store, turn = await slept(place)
    await sleeper.begin_call(ADA, turn.shown_run_id, LAST, RECIPE.aggregator, (), LeftOut())
    assert (await store.load_turn(ADA, turn.id)).shown.growing == {SECOND: "a lone lynx", LAST: ""}
    await sleeper.aclose()
    await store.aclose()


async def test_a_sleeper_whose_run_was_resumed_meanwhile_is_to_stop_and_both_attempts_are_kept(place: Place) -> None:
    sleeper, store, turn = await slept(place)
    again, _ = await store.begin_run(
        ADA, turn.id, RECIPE, seed=1, request_key="again", reuse={FIRST: proposal(FIRST)}
    )  # fmt: skip
    assert await sleeper.checkpoint(ADA, turn.shown_run_id, {SECOND: "late"})
    assert (await status(store, turn)) is Status.INTERRUPTED
    await sleeper.save_call(ADA, turn.shown_run_id, call(proposal(SECOND, "All of it.")))
    late = result(proposal(FIRST), proposal(SECOND, "All of it."), status=Status.CANCELLED)
    await sleeper.end_run(ADA, turn.shown_run_id, late)
    found = await store.load_turn(ADA, turn.id)
    assert found.shown_run_id == again.id
    assert found.runs[0].result == late
    assert found.shown == again
    await sleeper.aclose()
    await store.aclose()


async def test_F22_the_end_of_a_sleepers_run_counts_however_late(place: Place) -> None:
    sleeper, store, turn = await slept(place)
    ended = result(proposal(FIRST), proposal(SECOND), proposal(LAST, "Whole."))
    await sleeper.end_run(ADA, turn.shown_run_id, ended)
    run = (await store.load_turn(ADA, turn.id)).shown
    assert (run.status, run.result, run.outcomes) == (Status.COMPLETE, ended, ended.outcomes)
    await sleeper.aclose()
    await store.aclose()


async def test_nobody_else_takes_a_run_back_and_nothing_that_has_ended_goes_on(place: Place) -> None:
    sleeper, store, turn = await slept(place)
    assert not await store.checkpoint(ADA, turn.shown_run_id, {SECOND: "forged"})
    assert await status(store, turn) is Status.INTERRUPTED
    await sleeper.end_run(ADA, turn.shown_run_id, result(failure(SECOND), status=Status.INTERRUPTED))  # drained
    assert not await sleeper.checkpoint(ADA, turn.shown_run_id, {SECOND: "late"})
    assert await status(store, turn) is Status.INTERRUPTED
    assert await store.database.read(lambda s: s.scalars(select(RunRow.process)).all()) == [None]
    await sleeper.aclose()
    await store.aclose()
