"""One vote for each user and comparison, by its owner, changeable, with what was shown on which side."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event

from moa.chat.opinions import VotedProposal
from moa.chat.values import BAD, TIE, Comparison
from moa.core.domain import Outcome, Proposal, RunResult, Slot, Status, Usage
from moa.core.errors import InputRefused, NotFound
from storage import SqlStore
from storage.ids import new_id
from tests.storage.conftest import Place, everything
from tests.storage.samples import (
    ADA,
    BOB,
    FIRST,
    LAST,
    PROPOSERS,
    RECIPE,
    SECOND,
    WRITER,
    failure,
    proposal,
    question,
    result,
)
from tests.storage.test_columns import OTHER, SINGLE, answered, compared
from tests.storage.test_listing import Calendar


async def votes(store: SqlStore) -> list[tuple[str, bool]]:
    return [(record.vote.choice, record.vote.blind) for record in await store.list_votes(ADA)]


async def test_a_vote_is_stored_with_what_was_shown_on_which_side(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turn = await answered(store)
    third, first, second = turn.columns[1], turn.shown, turn.columns[0]
    at = calendar()
    await store.vote(ADA, turn.id, first.id)
    [record] = await store.list_votes(ADA)
    assert (record.turn_id, record.conversation_id, record.question) == (turn.id, turn.conversation_id, turn.question)
    assert (record.vote.choice, record.vote.sides, record.vote.blind) == (
        first.id,
        (third.id, first.id, second.id),
        True,
    )
    assert [(run.run_id, run.column, run.recipe, run.answer) for run in record.runs] == [
        (third.id, 3, OTHER, "Answer 3."),
        (first.id, 1, RECIPE, "Answer 1."),
        (second.id, 2, SINGLE, "Answer 2."),
    ]
    one = record.runs[0]
    assert (one.status, one.usage, one.cost_microusd, one.calls, one.first_answer_ms, one.duration_ms) == (
        Status.COMPLETE, Usage(30, 60), 15, 3, None, 99,
    )  # fmt: skip
    assert (await store.load_turn(ADA, turn.id)).vote == record.vote
    assert record.vote.at >= at
    await store.aclose()


async def test_B28_a_second_vote_changes_the_first_and_is_no_longer_blind(store: SqlStore) -> None:
    turn = await answered(store)
    await store.vote(ADA, turn.id, TIE)
    await store.vote(ADA, turn.id, TIE)
    assert await votes(store) == [(TIE, True)]
    for choice in (turn.columns[0].id, BAD):
        await store.vote(ADA, turn.id, choice)
        assert await votes(store) == [(choice, False)]


async def test_a_comparison_with_names_has_no_blind_vote(store: SqlStore) -> None:
    turn = await answered(store, comparison=Comparison((1, 2, 3), blind=False))
    await store.vote(ADA, turn.id, TIE)
    assert await votes(store) == [(TIE, False)]


async def test_B28_many_votes_at_once_are_one(store: SqlStore) -> None:
    turn = await answered(store)
    await asyncio.gather(*(store.vote(ADA, turn.id, choice) for choice in (TIE, BAD, turn.shown_run_id) * 3))
    assert len(await store.list_votes(ADA)) == 1


async def test_B28_only_what_is_shown_can_be_chosen(store: SqlStore) -> None:
    turn, other = await answered(store), await answered(store, "other")
    again, _ = await store.begin_run(ADA, turn.id, SINGLE, seed=1, request_key="again", column=2)
    await store.end_run(ADA, again.id, result(proposal(LAST)))
    before = await everything(store)
    bad: list[Any] = [turn.columns[0].id, other.shown_run_id, new_id(), turn.id, "", "TIE", "left", 7, None]
    for choice in bad:
        with pytest.raises(NotFound):
            await store.vote(ADA, turn.id, choice)
    assert await everything(store) == before
    await store.vote(ADA, turn.id, again.id)


async def test_B28_nobody_votes_on_anothers_comparison(store: SqlStore) -> None:
    turn = await answered(store)
    mine, _ = await store.begin_turn(BOB, question())
    before = await everything(store)
    for choice in (TIE, turn.shown_run_id, mine.shown_run_id):
        with pytest.raises(NotFound):
            await store.vote(BOB, turn.id, choice)
    assert await everything(store) == before
    await store.vote(ADA, turn.id, TIE)
    assert await store.list_votes(BOB) == ()


async def test_there_is_no_vote_without_a_comparison_nor_before_its_end(store: SqlStore) -> None:
    alone, _ = await store.begin_turn(ADA, question())
    with pytest.raises(InputRefused, match="one column"):
        await store.vote(ADA, alone.id, TIE)
    turn, _ = await store.begin_turn(ADA, compared("other"))
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    with pytest.raises(InputRefused, match="still being written"):
        await store.vote(ADA, turn.id, TIE)
    assert await store.list_votes(ADA) == ()


async def test_a_vote_stays_about_what_was_shown_when_a_column_is_written_anew(store: SqlStore) -> None:
    turn = await answered(store)
    await store.vote(ADA, turn.id, turn.columns[0].id)
    again, _ = await store.begin_run(ADA, turn.id, SINGLE, seed=1, request_key="again", column=2)
    await store.end_run(ADA, again.id, result(proposal(LAST, "Anew.")))
    [record] = await store.list_votes(ADA)
    assert [run.answer for run in record.runs] == ["Answer 3.", "Answer 1.", "Answer 2."]
    await store.vote(ADA, turn.id, again.id)
    [record] = await store.list_votes(ADA)
    assert ([run.answer for run in record.runs], record.vote.blind) == (["Answer 3.", "Answer 1.", "Anew."], False)


async def test_an_answer_taken_over_counts_with_what_its_call_took_and_cost(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, compared())
    lent = Proposal(
        Slot(1, 1), WRITER, "Lent.", usage=Usage(7, 8), first_token_ms=120, duration_ms=900, cost_microusd=44,
        reused=True,
    )  # fmt: skip
    await store.end_run(ADA, turn.columns[0].id, RunResult(Status.COMPLETE, "Lent.", Slot(1, 1), (lent,)))
    for run in (turn.shown, turn.columns[1]):
        await store.end_run(ADA, run.id, result(replace(lent, reused=True), proposal(LAST)))
    await store.vote(ADA, turn.id, TIE)
    [record] = await store.list_votes(ADA)
    figures = [(run.cost_microusd, run.first_answer_ms, run.duration_ms, run.calls) for run in record.runs]
    assert figures == [(15, None, 99, 3), (15, None, 99, 3), (44, 120, 900, 1)]


async def test_a_mixture_that_took_texts_over_says_that_its_figures_are_of_a_part(store: SqlStore) -> None:
    turn = await answered(store)
    again, _ = await store.begin_run(
        ADA, turn.id, RECIPE, seed=1, request_key="again", reuse={FIRST: proposal(FIRST, "Kept.")}
    )
    await store.end_run(ADA, again.id, result(proposal(FIRST, "Kept.", reused=True), proposal(LAST)))
    await store.vote(ADA, turn.id, TIE)
    [record] = await store.list_votes(ADA)
    assert [(run.column, run.mended, run.answer_slot) for run in record.runs] == [
        (3, False, LAST), (1, True, LAST), (2, False, LAST),
    ]  # fmt: skip


async def test_B09_proposals_are_those_of_the_last_layer_of_ones_own_runs(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, compared())
    runs = [turn.shown, *turn.columns]
    texts: list[tuple[Outcome, ...]] = [
        (proposal(SECOND, "Two."), proposal(FIRST, "One."), proposal(LAST, "Answer.")),
        (failure(FIRST, partial="Half"), proposal(SECOND, " \n"), proposal(LAST, "Answer.")),
        (proposal(FIRST, "Earlier."), Proposal(Slot(2, 2), WRITER, "Later."), Proposal(Slot(3, 1), WRITER, "Answer.")),
    ]
    for run, outcomes in zip(runs, texts, strict=True):
        await store.end_run(ADA, run.id, result(*outcomes))
    asked = [run.id for run in runs]
    assert await store.voted_proposals(ADA, [*asked, new_id()]) == {
        asked[0]: (VotedProposal(PROPOSERS[0], "One."), VotedProposal(PROPOSERS[1], "Two.")),
        asked[2]: (VotedProposal(WRITER, "Later."),),
    }
    assert await store.voted_proposals(BOB, asked) == {}
    assert await store.voted_proposals(ADA, []) == {}
    with pytest.raises(NotFound):
        await store.voted_proposals(ADA, ["' OR 1=1 --"])


async def test_all_votes_are_read_by_one_query_oldest_first(store: SqlStore) -> None:
    turns = [await answered(store, f"key{number}") for number in range(4)]
    for turn in turns:
        await store.vote(ADA, turn.id, TIE)
    await store.vote(ADA, turns[0].id, BAD)
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = await store.list_votes(ADA)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [record.turn_id for record in found] == [turn.id for turn in turns]
    assert sum(statement.startswith("SELECT") for statement in said) == 1


async def test_votes_go_and_come_with_their_conversation(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turn = await answered(store)
    await store.vote(ADA, turn.id, TIE)
    await store.delete_conversation(ADA, turn.conversation_id)
    assert await store.list_votes(ADA) == ()
    await store.restore_conversation(ADA, turn.conversation_id)
    assert await votes(store) == [(TIE, True)]
    await store.delete_conversation(ADA, turn.conversation_id)
    calendar.later(days=40)
    assert await store.purge_deleted(dt.timedelta(days=30)) == 1
    assert (await everything(store))["vote"] == []
    await store.aclose()


async def test_a_user_who_is_erased_leaves_no_vote(store: SqlStore) -> None:
    turn = await answered(store)
    await store.vote(ADA, turn.id, TIE)
    await store.delete_everything(ADA)
    assert not any((await everything(store)).values())
