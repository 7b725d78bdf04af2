"""Conversations taken out and in, through the service and a real store."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from moa.chat.exchange import Exchange
from moa.chat.service import ChatService
from moa.chat.values import Actor, ConversationTree
from moa.core.domain import Agent, Part, Recipe, Slot
from moa.core.errors import InputRefused, NotFound, StoreReadOnly
from moa.core.policy import Caps
from storage import SqlStore
from tests.chat.conftest import ANNA, BEN, SINGLE, World
from tests.support.server import Answer


async def told(world: World) -> str:
    for name in "abc":
        world.server.script(name, Answer(f"Proposal of {name}."))
    world.server.script("agg", Answer("The answer."))
    first = await world.ask("Why?")
    await world.ask("And now?", first.conversation_id, "key-0002")
    return first.conversation_id


async def out(world: World, conversation: str) -> bytes:
    return (await world.chat.exchange.download(ANNA, conversation, "json", str.upper)).content


async def test_export_import_and_export_again_give_the_same_bytes(world: World) -> None:
    first = await out(world, await told(world))
    (copy,) = await world.chat.exchange.take_in(BEN, first)
    second = (await world.chat.exchange.download(BEN, copy, "json", str.upper)).content
    assert second == first
    (again,) = await world.chat.exchange.take_in(ANNA, second)
    assert await out(world, again) == first
    shown = await world.chat.open(BEN, copy)
    assert [turn.question for turn in shown.turns] == ["Why?", "And now?"]
    assert len(shown.turns[0].view.panels) == 4


async def test_an_archive_holds_every_conversation_and_comes_back_whole(world: World) -> None:
    one = await told(world)
    two = (await world.ask("Another?", None, "key-0003")).conversation_id
    name, pieces = await world.chat.exchange.archive(ANNA)
    data = b"".join([piece async for piece in pieces])
    assert name.startswith("moa-")
    assert name.endswith("-all.json")
    assert [found["title"] for found in json.loads(data)["conversations"]] == ["Another?", "Why?"]
    taken = await world.chat.exchange.take_in(BEN, data)
    assert len(taken) == 2
    for mine, theirs in zip((two, one), taken, strict=True):
        assert (await world.chat.exchange.download(BEN, theirs, "json", str.upper)).content == await out(world, mine)


async def test_a_conversation_reads_as_markdown_with_what_its_answers_were_made_of(world: World) -> None:
    conversation = await told(world)
    file = await world.chat.exchange.download(ANNA, conversation, "md", str.upper)
    text = file.content.decode()
    assert re.fullmatch(r"moa-\d{4}-\d\d-\d\d-\w{1,8}\.md", file.name)
    assert text.startswith("# Why?")
    for words in ("The answer.", "Proposal of a.", "Proposal of c.", "AGG"):
        assert words in text


async def test_a_file_that_cannot_be_taken_leaves_nothing_behind(world: World) -> None:
    document = json.loads(await out(world, await told(world)))
    both = {"format": "moa-chat/archive", "version": 1, "conversations": [document, {**document, "turns": 7}]}
    with pytest.raises(InputRefused):
        await world.chat.exchange.take_in(BEN, json.dumps(both).encode())
    assert list(await world.chat.library.entries(BEN)) == []


async def test_what_was_imported_goes_on_with_its_history(world: World) -> None:
    (copy,) = await world.chat.exchange.take_in(BEN, await out(world, await told(world)))
    shown = await world.chat.open(BEN, copy)
    turn = (await world.store.load_conversation(BEN, copy)).turns[-1]
    await world.chat.send(
        BEN, question="More?", recipe=turn.shown.recipe, request_key="key-0009", conversation_id=copy,
        expected_head=shown.head,
    )  # fmt: skip
    await world.chat.drain(10)
    asked = world.server.requests_for("a")[-1].messages
    assert [m["content"] for m in asked] == ["Why?", "The answer.", "And now?", "The answer.", "More?"]


async def test_B09_nothing_of_another_user_is_taken_along(world: World) -> None:
    conversation = await told(world)
    with pytest.raises(NotFound):
        await world.chat.exchange.download(BEN, conversation, "md", str.upper)
    with pytest.raises(NotFound):
        await world.chat.exchange.download(BEN, conversation, "json", str.upper)
    _, pieces = await world.chat.exchange.archive(BEN)
    assert json.loads(b"".join([piece async for piece in pieces]))["conversations"] == []


async def test_the_caps_of_the_app_bound_an_import(world: World) -> None:
    data = await out(world, await told(world))
    world.chat.exchange._caps = Caps(question_chars=3)
    with pytest.raises(InputRefused):
        await world.chat.exchange.take_in(BEN, data)


class Full(SqlStore):
    """A store whose disk is full after one conversation more."""

    room = 1

    async def import_tree(self, actor: Actor, tree: ConversationTree) -> str:
        if self.room == 0:
            raise StoreReadOnly("The disk is full.")
        self.room -= 1
        return await super().import_tree(actor, tree)


async def test_F28_an_import_that_does_not_fit_leaves_nothing_behind(world: World) -> None:
    await told(world)
    await world.ask("Another?", None, "key-0003")
    _, pieces = await world.chat.exchange.archive(ANNA)
    data = b"".join([piece async for piece in pieces])
    store = Full(world.store.database)
    with pytest.raises(StoreReadOnly):
        await Exchange(store, Caps()).take_in(BEN, data)
    assert store.room == 0
    assert list(await store.list_conversations(BEN)) == []


async def test_B19_an_imported_mixture_is_run_only_as_it_is_allowed(world: World) -> None:
    (copy,) = await world.chat.exchange.take_in(BEN, await out(world, await told(world)))
    calls = len(world.server.requests)

    def allowed(recipe: Recipe) -> Recipe:
        raise InputRefused(f"{recipe.aggregator.model} is not offered here.")

    chat = ChatService(world.engine, world.store, allowed=allowed)
    turn = (await chat.open(BEN, copy)).turns[-1]
    for attempt in (
        chat.resume(BEN, turn.id, request_key="key-0009"),
        chat.regenerate_answer(BEN, turn.id, request_key="key-0009"),
        chat.retry_slot(BEN, turn.id, Slot(1, 1), request_key="key-0009"),
    ):
        with pytest.raises(InputRefused, match="agg is not offered here"):
            await attempt
    assert len(world.server.requests) == calls


async def test_what_a_comparison_hides_is_in_no_markdown_before_the_vote(world: World) -> None:
    world.server.script("a", Answer("Alone."))
    alone = Recipe("one", "A alone", (), Agent("a", Part.AGGREGATOR))
    started = await world.chat.compare(ANNA, question="Why?", recipes=(SINGLE, alone), request_key="key-0001")
    await world.chat.drain(10)
    with pytest.raises(InputRefused, match="Vote first: "):
        await world.chat.exchange.download(ANNA, started.conversation_id, "md", str.upper)
    assert b"Alone." in await out(world, started.conversation_id)
    await world.chat.vote(ANNA, started.turn_id, started.run_id)
    file = await world.chat.exchange.download(ANNA, started.conversation_id, "md", str.upper)
    assert "Alone." in file.content.decode()


async def test_an_imported_comparison_is_not_blind(world: World) -> None:
    alone = Recipe("one", "A alone", (), Agent("a", Part.AGGREGATOR))
    started = await world.chat.compare(ANNA, question="Why?", recipes=(SINGLE, alone), request_key="key-0001")
    await world.chat.drain(10)
    (copy,) = await world.chat.exchange.take_in(BEN, await out(world, started.conversation_id))
    mine = await world.store.load_turn(ANNA, started.turn_id)
    theirs = (await world.store.load_conversation(BEN, copy)).turns[0]
    assert mine.comparison is not None
    assert theirs.comparison == replace(mine.comparison, blind=False)
    await world.chat.vote(BEN, theirs.id, "tie")
    assert [record.vote.blind for record in await world.chat.votes(BEN)] == [False]
