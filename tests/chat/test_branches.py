"""Questions that are edited or branch off, attempts that are stepped through: models always see the path shown."""

from __future__ import annotations

import pytest

from moa.chat.values import Started, TurnView
from moa.core.domain import Slot
from moa.core.errors import Busy, Conflict, NotFound
from tests.chat.conftest import ANNA, BEN, SINGLE, World, views
from tests.support.server import Answer, Gate


async def asked(world: World, question: str, conversation: str | None, key: str, after: str | None = None) -> TurnView:
    started = await world.chat.send(
        ANNA, question=question, recipe=SINGLE, request_key=key, conversation_id=conversation,
        expected_head=await world.head(conversation), after=after,
    )  # fmt: skip
    return await ended(world, started)


async def ended(world: World, started: Started) -> TurnView:
    return (await views(world.chat, started.run_id))[-1]


async def path(world: World, conversation: str) -> list[tuple[str, str]]:
    found = await world.chat.open(ANNA, conversation)
    return [(turn.question, turn.view.result.answer if turn.view.result else "") for turn in found.turns]


async def three_turns(world: World) -> tuple[TurnView, TurnView, TurnView]:
    world.server.script("agg", *(Answer(f"A{n}") for n in range(1, 9)))
    first = await asked(world, "Q1", None, "key-0001")
    second = await asked(world, "Q2", first.conversation_id, "key-0002")
    return first, second, await asked(world, "Q3", first.conversation_id, "key-0003")


async def test_an_edited_question_is_asked_after_what_came_before_it_and_the_old_path_stays(world: World) -> None:
    first, second, _ = await three_turns(world)
    started = await world.chat.edit(ANNA, second.id, question="Q2 again", recipe=SINGLE, request_key="key-0004")
    edited = await ended(world, started)
    assert world.server.requests[-1].messages == [
        {"role": "user", "content": "Q1"},
        {"role": "assistant", "content": "A1"},
        {"role": "user", "content": "Q2 again"},
    ]
    assert await path(world, first.conversation_id) == [("Q1", "A1"), ("Q2 again", "A4")]
    assert (await world.chat.turn(ANNA, edited.id)).siblings == (second.id, edited.id)
    await world.chat.show_turn(ANNA, second.id)
    assert await path(world, first.conversation_id) == [("Q1", "A1"), ("Q2", "A2"), ("Q3", "A3")]


async def test_the_first_question_can_be_edited_too(world: World) -> None:
    first, _, _ = await three_turns(world)
    started = await world.chat.edit(ANNA, first.id, question="Other", recipe=SINGLE, request_key="key-0004")
    await ended(world, started)
    assert started.conversation_id == first.conversation_id
    assert world.server.requests[-1].messages == [{"role": "user", "content": "Other"}]
    assert await path(world, first.conversation_id) == [("Other", "A4")]


async def test_a_question_branches_off_after_any_answer_of_the_path(world: World) -> None:
    first, second, _ = await three_turns(world)
    forked = await asked(world, "Instead?", None, "key-0004", after=first.id)
    assert forked.conversation_id == first.conversation_id
    assert [m["content"] for m in world.server.requests[-1].messages] == ["Q1", "A1", "Instead?"]
    assert forked.siblings == (second.id, forked.id)
    with pytest.raises(NotFound):
        await asked(world, "Off the path", None, "key-0005", after=second.id)


async def test_a_branch_in_another_conversation_than_the_one_shown_is_a_conflict(world: World) -> None:
    first, _, _ = await three_turns(world)
    other = await asked(world, "Other", None, "key-0004")
    with pytest.raises(Conflict):
        await asked(world, "Where?", other.conversation_id, "key-0005", after=first.id)


async def test_history_goes_through_the_attempt_that_is_shown(world: World) -> None:
    world.server.script("agg", Answer("one"), Answer("two"), Answer("done"))
    turn = await asked(world, "Q1", None, "key-0001")
    again = await world.chat.regenerate(ANNA, turn.id, recipe=SINGLE, request_key="key-0002")
    assert (await ended(world, again)).attempts == (turn.run_id, again.run_id)
    await world.chat.show_run(ANNA, turn.id, turn.run_id)
    assert await path(world, turn.conversation_id) == [("Q1", "one")]
    await asked(world, "Q2", turn.conversation_id, "key-0003")
    assert [m["content"] for m in world.server.requests[-1].messages] == ["Q1", "one", "Q2"]


async def test_a_turn_on_the_path_is_shown_without_leaving_what_follows_it(world: World) -> None:
    first, second, third = await three_turns(world)
    await asked(world, "Q4", first.conversation_id, "key-0004", after=second.id)
    await world.chat.show_turn(ANNA, third.id)
    await world.chat.show_turn(ANNA, second.id)
    assert [question for question, _ in await path(world, first.conversation_id)] == ["Q1", "Q2", "Q3"]


async def test_F24_the_same_edit_sent_twice_is_one_run_and_another_one_waits(world: World) -> None:
    first, _, _ = await three_turns(world)
    gate = Gate()
    world.server.script("agg", Answer("held", gate=gate))
    one = await world.chat.edit(ANNA, first.id, question="Other", recipe=SINGLE, request_key="key-0004")
    two = await world.chat.edit(ANNA, first.id, question="Other", recipe=SINGLE, request_key="key-0004")
    assert (one.run_id, one.new, two.new) == (two.run_id, True, False)
    with pytest.raises(Busy):
        await world.chat.regenerate(ANNA, one.turn_id, recipe=SINGLE, request_key="key-0005")
    gate.open()
    await ended(world, one)


async def test_B09_no_branch_of_another_user_is_stepped_to_or_grown(world: World) -> None:
    first, second, _ = await three_turns(world)
    before = len(world.server.requests)
    for attempt in (
        lambda: world.chat.edit(BEN, second.id, question="Mine", recipe=SINGLE, request_key="key-0009"),
        lambda: world.chat.send(BEN, question="Mine", recipe=SINGLE, request_key="key-0009", after=first.id),
        lambda: world.chat.show_turn(BEN, first.id),
        lambda: world.chat.show_run(BEN, first.id, first.run_id),
        lambda: world.chat.resume(BEN, first.id, request_key="key-0009"),
        lambda: world.chat.regenerate_answer(BEN, first.id, request_key="key-0009"),
        lambda: world.chat.retry_slot(BEN, first.id, Slot(1, 1), request_key="key-0009"),
        lambda: world.chat.answer_now(BEN, first.run_id),
    ):
        with pytest.raises(NotFound):
            await attempt()
    assert len(world.server.requests) == before
