"""Runs: each finished slot and each growing text is kept, whatever ends the run."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    LeftOut,
    Message,
    Part,
    PromptStyle,
    Proposal,
    Slot,
    Status,
    Usage,
)
from moa.core.errors import public_text
from storage import SqlStore
from storage.models import ResponseRow
from storage.rows import agent_at
from tests.storage.conftest import Place, everything
from tests.storage.samples import (
    ADA,
    FIRST,
    LAST,
    PROPOSERS,
    RECIPE,
    SECOND,
    WRITER,
    call,
    failure,
    proposal,
    question,
    result,
)
from tests.storage.test_listing import Calendar


async def begun(store: SqlStore) -> tuple[str, str]:
    """Ids of a new turn and its run."""
    turn, _ = await store.begin_turn(ADA, question())
    return turn.id, turn.shown_run_id


async def sent_and_text(store: SqlStore, run_id: str, slot: Slot) -> tuple[tuple[Message, ...] | None, str]:
    """The messages and the text in a slot's row."""
    query = select(ResponseRow.messages, ResponseRow.text).where(
        ResponseRow.run_id == run_id, ResponseRow.layer == slot.layer, ResponseRow.position == slot.position
    )
    messages, text = await store.database.read(lambda s: s.execute(query).one())
    return messages, text


async def test_a_finished_slot_is_kept_with_the_messages_sent(store: SqlStore) -> None:
    turn_id, run_id = await begun(store)
    done = call(proposal(FIRST), LeftOut(2, 300))
    await store.save_call(ADA, run_id, done)
    await store.save_call(ADA, run_id, call(failure(SECOND)))
    run = (await store.load_turn(ADA, turn_id)).shown
    assert run.outcomes == (proposal(FIRST), failure(SECOND))
    assert run.left_out == {FIRST: LeftOut(2, 300)}
    assert run.result is None
    assert (await sent_and_text(store, run_id, FIRST))[0] == done.messages


async def test_a_save_that_is_repeated_changes_nothing(place: Place) -> None:
    store = place.open()
    _, run_id = await begun(store)
    await store.save_call(ADA, run_id, call(proposal(FIRST)))
    before = (await everything(store))["response"]
    await store.save_call(ADA, run_id, call(proposal(FIRST)))
    assert (await everything(store))["response"] == before
    await store.aclose()


async def test_a_growing_text_is_no_outcome_until_its_slot_ends(store: SqlStore) -> None:
    turn_id, run_id = await begun(store)
    await store.checkpoint(ADA, run_id, {FIRST: "Bec", SECOND: "Tha"})
    await store.checkpoint(ADA, run_id, {FIRST: "Because", SECOND: "That"})
    assert (await store.load_turn(ADA, turn_id)).shown.outcomes == ()
    assert (await sent_and_text(store, run_id, FIRST))[1] == "Because"
    await store.save_call(ADA, run_id, call(proposal(FIRST)))
    await store.checkpoint(ADA, run_id, {FIRST: "late", SECOND: "That is"})
    assert (await store.load_turn(ADA, turn_id)).shown.outcomes == (proposal(FIRST),)


async def test_another_process_sees_what_grows(store: SqlStore, place: Place) -> None:
    turn_id, run_id = await begun(store)
    await store.begin_call(ADA, run_id, SECOND, PROPOSERS[1], call(proposal(SECOND)).messages, LeftOut())
    await store.checkpoint(ADA, run_id, {FIRST: "Bec"})
    other = place.open()
    run = (await other.load_turn(ADA, turn_id)).shown
    assert run.growing == {FIRST: "Bec", SECOND: ""}
    await store.save_call(ADA, run_id, call(proposal(FIRST)))
    assert (await other.load_turn(ADA, turn_id)).shown.growing == {SECOND: ""}
    await store.end_run(ADA, run_id, result(proposal(LAST)))
    assert (await other.load_turn(ADA, turn_id)).shown.growing == {}
    await other.aclose()


async def test_every_write_of_a_run_is_a_heartbeat(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turn_id, run_id = await begun(store)
    for write in (
        store.begin_call(ADA, run_id, FIRST, PROPOSERS[0], (), LeftOut()),
        store.checkpoint(ADA, run_id, {}),
        store.save_call(ADA, run_id, call(proposal(FIRST))),
        store.end_run(ADA, run_id, result(proposal(LAST))),
    ):
        calendar.later(seconds=1)
        await write
        assert (await store.load_turn(ADA, turn_id)).shown.heartbeat_at == calendar.now
    await store.aclose()


async def test_what_a_cut_off_slot_was_asked_is_known(store: SqlStore) -> None:
    turn_id, run_id = await begun(store)
    asked = call(proposal(FIRST))
    other = replace(PROPOSERS[0], model="p/spare")
    await store.begin_call(ADA, run_id, FIRST, other, asked.messages, LeftOut(3, 4))
    await store.checkpoint(ADA, run_id, {FIRST: "Bec"})
    await store.recover(stale_s=0)
    run = (await store.load_turn(ADA, turn_id)).shown
    assert [(o.agent, o.partial) for o in run.outcomes if isinstance(o, Failure)] == [(other, "Bec")]
    assert run.left_out == {FIRST: LeftOut(3, 4)}
    assert (await sent_and_text(store, run_id, FIRST))[0] == asked.messages


async def test_a_slot_that_has_ended_is_not_begun_again(store: SqlStore) -> None:
    turn_id, run_id = await begun(store)
    await store.save_call(ADA, run_id, call(proposal(FIRST)))
    await store.begin_call(ADA, run_id, FIRST, WRITER, (), LeftOut(9, 9))
    run = (await store.load_turn(ADA, turn_id)).shown
    assert (run.outcomes, run.left_out) == ((proposal(FIRST),), {})
    await store.end_run(ADA, run_id, result(proposal(FIRST)))
    before = await everything(store)
    await store.begin_call(ADA, run_id, SECOND, WRITER, (), LeftOut())
    assert await everything(store) == before


async def test_only_runs_without_a_heartbeat_are_taken_for_dead(place: Place) -> None:
    calendar = Calendar()
    store = place.open(now=calendar)
    turns = [(await store.begin_turn(ADA, question(key=key)))[0] for key in ("dead", "alive", "over")]
    await store.end_run(ADA, turns[2].shown_run_id, result(proposal(LAST)))
    calendar.later(seconds=8)
    await store.checkpoint(ADA, turns[1].shown_run_id, {FIRST: "I am"})
    calendar.later(seconds=4)
    assert await store.recover(stale_s=10) == 1
    assert await store.recover(stale_s=10) == 0
    found = [(await store.load_turn(ADA, turn.id)).shown.status for turn in turns]
    assert found == [Status.INTERRUPTED, Status.RUNNING, Status.COMPLETE]
    await store.end_run(ADA, turns[0].shown_run_id, result(proposal(LAST)))  # it was only slow
    assert (await store.load_turn(ADA, turns[0].id)).shown.status is Status.COMPLETE
    await store.aclose()


async def test_the_end_of_a_run_stops_what_still_grows(store: SqlStore) -> None:
    turn_id, run_id = await begun(store)
    await store.checkpoint(ADA, run_id, {SECOND: "That is"})
    ended = result(proposal(FIRST), status=Status.CANCELLED)
    await store.end_run(ADA, run_id, ended)
    run = (await store.load_turn(ADA, turn_id)).shown
    assert (run.status, run.result) == (Status.CANCELLED, ended)
    stopped = Failure(SECOND, PROPOSERS[1], FailureKind.STOPPED, public_text(FailureKind.STOPPED), partial="That is")
    assert run.outcomes == (proposal(FIRST), stopped)
    await store.checkpoint(ADA, run_id, {LAST: "too late"})
    assert (await store.load_turn(ADA, turn_id)).shown == run


async def test_a_result_keeps_the_order_in_which_it_was_told(store: SqlStore) -> None:
    turn_id, run_id = await begun(store)
    ended = result(proposal(SECOND), failure(FIRST), proposal(LAST))
    await store.end_run(ADA, run_id, ended)
    run = (await store.load_turn(ADA, turn_id)).shown
    assert run.result == ended
    assert [outcome.slot for outcome in run.outcomes] == [FIRST, SECOND, LAST]


async def test_another_attempt_is_shown_and_the_first_is_kept(store: SqlStore) -> None:
    turn_id, first = await begun(store)
    await store.end_run(ADA, first, result(proposal(LAST)))
    other = replace(RECIPE, id="other", title="Other")
    run, fresh = await store.begin_run(ADA, turn_id, other, seed=9, request_key="again")
    turn = await store.load_turn(ADA, turn_id)
    assert fresh
    assert (run.attempt, run.seed, run.recipe, run.status) == (2, 9, other, Status.RUNNING)
    assert turn.shown == run
    assert [(r.id, r.status) for r in turn.runs] == [(first, Status.COMPLETE), (run.id, Status.RUNNING)]


async def test_reused_outcomes_bring_their_messages_along(store: SqlStore) -> None:
    turn_id, first = await begun(store)
    sent = call(proposal(FIRST), LeftOut(1, 0))
    await store.save_call(ADA, first, sent)
    await store.save_call(ADA, first, call(failure(SECOND)))
    await store.end_run(ADA, first, result(sent.outcome, failure(SECOND)))
    reuse = {FIRST: sent.outcome, SECOND: failure(SECOND)}
    run, _ = await store.begin_run(ADA, turn_id, RECIPE, seed=9, request_key="again", reuse=reuse)
    assert run.outcomes == (proposal(FIRST, reused=True), failure(SECOND))
    assert run.left_out == {FIRST: LeftOut(1, 0)}
    assert (await sent_and_text(store, run.id, FIRST))[0] == sent.messages
    await store.end_run(ADA, run.id, result(*run.outcomes))
    (third, _) = await store.begin_run(
        ADA, turn_id, RECIPE, seed=9, request_key="third", reuse={FIRST: run.outcomes[0]}
    )
    assert third.outcomes == (proposal(FIRST, reused=True),)
    assert (await sent_and_text(store, third.id, FIRST))[0] == sent.messages


async def test_a_dead_process_loses_nothing_that_had_arrived(place: Place) -> None:
    store = place.open()
    turn_id, run_id = await begun(store)
    await store.save_call(ADA, run_id, call(proposal(FIRST)))
    await store.save_call(ADA, run_id, call(failure(SECOND)))
    await store.checkpoint(ADA, run_id, {LAST: "The sky is"})
    await store.aclose()
    again = place.open()
    assert await again.recover(stale_s=0) == 1
    assert await again.recover(stale_s=0) == 0
    run = (await again.load_turn(ADA, turn_id)).shown
    cut = Failure(LAST, WRITER, FailureKind.INTERRUPTED, public_text(FailureKind.INTERRUPTED), partial="The sky is")
    assert run.status is Status.INTERRUPTED
    assert run.outcomes == (proposal(FIRST), failure(SECOND), cut)
    assert run.result is not None
    assert (run.result.answer, run.result.answer_slot) == ("The sky is", LAST)
    assert (run.result.outcomes, run.result.usage, run.result.calls) == (run.outcomes, Usage(10, 20), 3)
    assert not (await again.list_conversations(ADA))[0].running
    await again.aclose()


async def test_an_answer_that_was_whole_stays_whole_when_only_its_end_was_lost(store: SqlStore) -> None:
    turn_id, run_id = await begun(store)
    await store.save_call(ADA, run_id, call(proposal(LAST, "Whole.")))
    await store.recover(stale_s=0)
    found = (await store.load_turn(ADA, turn_id)).shown.result
    assert found is not None
    assert (found.status, found.answer, found.answer_slot) == (Status.INTERRUPTED, "Whole.", LAST)


async def test_what_was_reused_is_not_counted_again_after_a_crash(store: SqlStore) -> None:
    turn_id, first = await begun(store)
    await store.end_run(ADA, first, result(proposal(FIRST)))
    run, _ = await store.begin_run(ADA, turn_id, RECIPE, seed=9, request_key="again", reuse={FIRST: proposal(FIRST)})
    await store.save_call(ADA, run.id, call(proposal(SECOND)))
    await store.recover(stale_s=0)
    found = (await store.load_turn(ADA, turn_id)).shown.result
    assert found is not None
    assert (found.usage, found.cost_microusd, found.calls) == (Usage(10, 20), 5, 1)


def test_a_cut_off_slot_has_the_agent_that_its_recipe_has_there() -> None:
    spare = Agent("p/spare", Part.AGGREGATOR)
    plain = replace(RECIPE, fallbacks=(spare,))
    assert [agent_at(plain, s) for s in (FIRST, SECOND, LAST, Slot(2, 2))] == [*PROPOSERS, WRITER, spare]
    analysed = replace(plain, prompt_style=PromptStyle.ANALYSIS)
    assert [agent_at(analysed, Slot(2, n)) for n in (1, 2, 3)] == [replace(WRITER, part=Part.ANALYST), WRITER, spare]


async def test_texts_are_cleaned_on_their_way_in(store: SqlStore) -> None:
    turn_id, run_id = await begun(store)
    await store.checkpoint(ADA, run_id, {FIRST: "a\x00b\ud800c"})
    assert (await sent_and_text(store, run_id, FIRST))[1] == "ab\ufffdc"
    nasty = Proposal(FIRST, replace(PROPOSERS[0], label="x\x00\udfff"), "\ud83d\ude00\x00", reasoning="\ud800")
    await store.save_call(ADA, run_id, call(nasty))
    run = (await store.load_turn(ADA, turn_id)).shown
    assert run.outcomes == (Proposal(FIRST, replace(PROPOSERS[0], label="x\ufffd"), "😀", reasoning="\ufffd"),)
