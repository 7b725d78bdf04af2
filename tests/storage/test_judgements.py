"""One judgement for each user, comparison and judge, by its owner, apart from votes; and the tags of votes."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event

from moa.chat.opinions import Judgement
from moa.chat.values import TIE, TurnRecord
from moa.core.domain import Usage
from moa.core.errors import InputRefused, NotFound
from moa.core.verdicts import Verdict
from storage import SqlStore
from storage.ids import new_id
from tests.storage.conftest import Place, everything
from tests.storage.samples import ADA, BOB, LAST, RECIPE, proposal, question, result
from tests.storage.test_columns import OTHER, SINGLE, answered
from tests.storage.test_listing import Calendar

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
VERDICTS = (
    Verdict((0, 1, 2), 1, "Answer B is right \U0001f600.\nA isn't."),
    Verdict((2, 1, 0), "tie", ""),
)


def judgement(turn: TurnRecord, judge: str = "mock/judge", **more: Any) -> Judgement:
    """Of a comparison that stands in the order 3, 1, 2."""
    sides = (turn.columns[1].id, turn.shown_run_id, turn.columns[0].id)
    made = Judgement(turn.id, judge, sides, VERDICTS, Usage(700, 90, True), 1_234, 5_678, 12, NOON)
    return replace(made, **more)


async def test_a_judgement_is_stored_as_it_is(store: SqlStore) -> None:
    turn = await answered(store)
    first = judgement(turn)
    second = judgement(turn, "x" * 150, usage=None, cost_microusd=None, verdicts=(Verdict((0,), None, "\x00a\ud800"),))
    for said in (second, first):
        await store.save_judgement(ADA, replace(said, at=NOON + dt.timedelta(seconds=said is second)))
    cleaned = (Verdict((0,), None, "a\ufffd"),)
    later = NOON + dt.timedelta(seconds=1)
    assert await store.judgements_of(ADA, turn.id) == (first, replace(second, verdicts=cleaned, at=later))
    assert (await store.load_turn(ADA, turn.id)).vote is None
    assert await store.list_votes(ADA) == ()


async def test_the_same_judge_again_takes_the_place_of_what_it_said(store: SqlStore) -> None:
    turn = await answered(store)
    await store.save_judgement(ADA, judgement(turn))
    again = judgement(turn, verdicts=VERDICTS[:1], usage=None, cost_microusd=0, cut_chars=0, at=NOON.replace(hour=13))
    await store.save_judgement(ADA, again)
    assert await store.judgements_of(ADA, turn.id) == (again,)


async def test_many_saves_at_once_are_one_judgement(store: SqlStore) -> None:
    turn = await answered(store)
    await asyncio.gather(*(store.save_judgement(ADA, judgement(turn, duration_ms=n)) for n in range(9)))
    assert len(await store.judgements_of(ADA, turn.id)) == 1


async def test_all_are_listed_with_recipes_and_votes_by_one_query(store: SqlStore) -> None:
    turns = [await answered(store, f"key{number}") for number in range(3)]
    for hour, turn in enumerate(turns):
        await store.save_judgement(ADA, judgement(turn, at=NOON.replace(hour=20 - hour)))
    await store.vote(ADA, turns[1].id, TIE)
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = await store.list_judgements(ADA)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [record.judgement.turn_id for record in found] == [turn.id for turn in reversed(turns)]
    assert {record.recipes for record in found} == {(OTHER, RECIPE, SINGLE)}
    assert [record.vote and record.vote.choice for record in found] == [None, TIE, None]
    assert sum(statement.startswith("SELECT") for statement in said) == 1


async def test_a_judgement_stays_about_what_was_read_when_a_column_is_written_anew(store: SqlStore) -> None:
    turn = await answered(store)
    await store.save_judgement(ADA, judgement(turn))
    again, _ = await store.begin_run(ADA, turn.id, SINGLE, seed=1, request_key="again", column=2)
    await store.end_run(ADA, again.id, result(proposal(LAST, "Anew.")))
    [said] = await store.judgements_of(ADA, turn.id)
    assert said == judgement(turn)
    assert len(await store.list_judgements(ADA)) == 1


async def test_B09_only_ones_own_comparison_and_its_own_answers_are_judged(store: SqlStore) -> None:
    turn, other = await answered(store), await answered(store, "other")
    await store.save_judgement(ADA, judgement(turn))
    before = await everything(store)
    for actor, said in (
        (BOB, judgement(turn)),
        (ADA, judgement(turn, sides=(turn.shown_run_id, other.shown_run_id))),
        (ADA, judgement(turn, sides=(turn.shown_run_id, new_id()))),
        (ADA, judgement(turn, sides=("' OR 1=1 --",))),
        (ADA, judgement(turn, turn_id=new_id())),
        (ADA, judgement(turn, turn_id="../x")),
    ):
        with pytest.raises(NotFound):
            await store.save_judgement(actor, said)
    assert await everything(store) == before
    assert await store.list_judgements(BOB) == ()


async def test_judgements_go_and_come_with_their_conversation(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turn = await answered(store)
    await store.save_judgement(ADA, judgement(turn))
    await store.delete_conversation(ADA, turn.conversation_id)
    assert await store.list_judgements(ADA) == ()
    with pytest.raises(NotFound):
        await store.judgements_of(ADA, turn.id)
    await store.restore_conversation(ADA, turn.conversation_id)
    assert len(await store.list_judgements(ADA)) == 1
    await store.delete_conversation(ADA, turn.conversation_id)
    calendar.later(days=40)
    assert await store.purge_deleted(dt.timedelta(days=30)) == 1
    assert (await everything(store))["judgement"] == []
    await store.aclose()


async def test_a_user_who_is_erased_leaves_no_judgement(store: SqlStore) -> None:
    turn = await answered(store)
    await store.save_judgement(ADA, judgement(turn))
    await store.delete_everything(ADA)
    assert not any((await everything(store)).values())


async def test_what_is_taken_along_has_no_judgement(store: SqlStore) -> None:
    turn = await answered(store)
    await store.save_judgement(ADA, judgement(turn))
    await store.import_tree(BOB, await store.load_tree(ADA, turn.conversation_id))
    assert await store.list_judgements(BOB) == ()


async def test_tags_stay_with_a_vote_however_it_changes_and_leave_it_as_blind_as_it_was(store: SqlStore) -> None:
    turn = await answered(store)
    await store.vote(ADA, turn.id, TIE)
    first = (await store.load_turn(ADA, turn.id)).vote
    assert first is not None
    assert first.tags == ()
    await store.tag(ADA, turn.id, ["code", "한국어"])
    assert (await store.load_turn(ADA, turn.id)).vote == replace(first, tags=("code", "한국어"))
    await store.vote(ADA, turn.id, turn.shown_run_id)
    [record] = await store.list_votes(ADA)
    assert (record.vote.tags, record.vote.blind) == (("code", "한국어"), False)
    await store.tag(ADA, turn.id, [])
    assert [record.vote.tags for record in await store.list_votes(ADA)] == [()]


async def test_there_are_no_tags_without_a_vote_of_ones_own(store: SqlStore) -> None:
    turn, alone = await answered(store), (await store.begin_turn(ADA, question(key="alone")))[0]
    for id_ in (turn.id, alone.id):
        with pytest.raises(InputRefused, match=r"^Vote first, then tag\.$"):
            await store.tag(ADA, id_, ["code"])
    await store.vote(ADA, turn.id, TIE)
    with pytest.raises(NotFound):
        await store.tag(BOB, turn.id, ["mine"])
    assert [record.vote.tags for record in await store.list_votes(ADA)] == [()]
