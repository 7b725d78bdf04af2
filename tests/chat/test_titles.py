from __future__ import annotations

import asyncio

import pytest

from moa.chat.live import LiveRun
from moa.chat.service import ChatService
from moa.chat.titles import Titles, title_of
from tests.chat.conftest import ANNA, SINGLE, World, views
from tests.support.server import Answer, Gate, HttpError


class Named(Titles):
    """Titles, with a way to wait for what comes after a run."""

    told: asyncio.Event

    def after(self, live: LiveRun) -> None:
        super().after(live)
        self.told.set()

    async def written(self) -> None:
        await self.told.wait()
        self.told.clear()
        for task in list(self._writing):
            await task


async def answered(world: World, chat: ChatService, key: str = "key-0001", conversation: str | None = None) -> str:
    started = await chat.send(
        ANNA, question="Why is the sky blue, and not green?", recipe=SINGLE, request_key=key,
        conversation_id=conversation, expected_head=await world.head(conversation),
    )  # fmt: skip
    await views(chat, started.run_id)
    return started.conversation_id


async def title(chat: ChatService) -> str:
    return (await chat.library.entries(ANNA))[0].title


def titled(world: World, **options: object) -> tuple[ChatService, Named]:
    titles = Named(world.engine, world.store, **options)  # type: ignore[arg-type]  # a test's own predicate
    titles.told = asyncio.Event()
    return ChatService(world.engine, world.store, titles=titles), titles


async def test_the_aggregator_names_a_conversation_after_its_first_answer_only(world: World) -> None:
    chat, titles = titled(world)
    world.server.script("agg", Answer("Scattering."), Answer('"Blue sky"\n'), Answer("More."))
    conversation = await answered(world, chat)
    await titles.written()
    assert await title(chat) == "Blue sky"
    asked = world.server.requests[1]
    assert [m["role"] for m in asked.messages] == ["user"]
    assert (
        "Question: Why is the sky blue, and not green?\n\nAnswer: Scattering.\n\nTitle:" in asked.messages[0]["content"]
    )
    assert asked.json["max_tokens"] == 32
    await answered(world, chat, "key-0002", conversation)
    await titles.written()
    assert len(world.server.requests) == 3


async def test_the_first_words_stand_until_then_and_when_no_title_comes(world: World) -> None:
    chat, titles = titled(world)
    world.server.script("agg", Answer("Scattering."), HttpError(401))
    await answered(world, chat)
    assert (await title(chat)).startswith("Why is the sky blue")
    await titles.written()
    assert (await title(chat)).startswith("Why is the sky blue")


async def test_a_title_of_the_users_own_is_left_alone(world: World) -> None:
    chat, titles = titled(world)
    gate = Gate()
    world.server.script("agg", Answer("Scattering."), Answer("Blue sky", gate=gate))
    conversation = await answered(world, chat)
    await gate.arrived()
    await chat.library.rename(ANNA, conversation, "Mine")
    gate.open()
    await titles.written()
    assert await title(chat) == "Mine"


async def test_another_first_question_keeps_the_title(world: World) -> None:
    chat, titles = titled(world)
    world.server.script("agg", Answer("Scattering."), Answer("Blue sky"), Answer("Other."))
    conversation = await answered(world, chat)
    await titles.written()
    first = (await chat.open(ANNA, conversation)).turns[0]
    await chat.edit(ANNA, first.id, question="Why is grass green?", recipe=SINGLE, request_key="key-0002")
    await titles.written()
    assert (await title(chat), len(world.server.requests)) == ("Blue sky", 3)


async def test_a_model_that_is_too_small_is_not_asked(world: World) -> None:
    chat, titles = titled(world, writes=lambda model: model != "agg")
    await answered(world, chat)
    await titles.written()
    assert len(world.server.requests) == 1


async def test_draining_gives_up_a_title(world: World) -> None:
    chat, titles = titled(world)
    gate = Gate()
    world.server.script("agg", Answer("Scattering."), Answer("Blue sky", gate=gate))
    await answered(world, chat)
    await gate.arrived()
    await chat.drain(0)
    await world.server.idle()
    assert titles._writing == set()


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        ("Blue sky", "Blue sky"),
        ("**Title: Blue sky.**\nBecause it is.", "Blue sky"),
        ("\n\n# «Blue sky»", "Blue sky"),
        ("제목: 파란 하늘", "파란 하늘"),
        ("标题:蓝天。", "蓝天"),
        ("", ""),
        ("***", ""),
        ("The sky is blue because sunlight is scattered by the air, and so on and on and on and on", ""),
        ("word " * 13, ""),
    ],
)
def test_a_title_is_the_first_line_without_its_marks_or_nothing(reply: str, wanted: str) -> None:
    assert title_of(reply) == wanted
