"""Another user's ids, missing ids and malformed ids: the same words, no row read or written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from moa.chat.ports import Conversations, Journal
from moa.chat.values import Actor, NewTurn
from moa.core.errors import InputRefused, NotFound
from storage import SqlStore
from storage.ids import new_id
from tests.storage.conftest import everything
from tests.storage.samples import ADA, BOB, FIRST, LAST, RECIPE, call, proposal, question, result


@dataclass(frozen=True)
class Ids:
    """What an operation may be asked about."""

    conversation: str
    turn: str
    run: str


def aimed(ids: Ids) -> NewTurn:
    return question(key="aimed", conversation_id=ids.conversation, expected_head=ids.turn)


OPERATIONS: dict[str, Callable[[SqlStore, Actor, Ids], Awaitable[Any]]] = {
    "load_conversation": lambda s, actor, ids: s.load_conversation(actor, ids.conversation),
    "load_turn": lambda s, actor, ids: s.load_turn(actor, ids.turn),
    "load_turn_of_run": lambda s, actor, ids: s.load_turn_of_run(actor, ids.run),
    "rename_conversation": lambda s, actor, ids: s.rename_conversation(actor, ids.conversation, "Mine now"),
    "delete_conversation": lambda s, actor, ids: s.delete_conversation(actor, ids.conversation),
    "begin_turn": lambda s, actor, ids: s.begin_turn(actor, aimed(ids)),
    "begin_run": lambda s, actor, ids: s.begin_run(actor, ids.turn, RECIPE, seed=1, request_key="aimed"),
    "save_call": lambda s, actor, ids: s.save_call(actor, ids.run, call(proposal(FIRST, "Forged."))),
    "checkpoint": lambda s, actor, ids: s.checkpoint(actor, ids.run, {LAST: "Forged."}),
    "end_run": lambda s, actor, ids: s.end_run(actor, ids.run, result(proposal(LAST, "Forged."))),
}
WITHOUT_ID = {"list_conversations", "recover"}


def test_B09_every_operation_that_takes_an_id_is_tried() -> None:
    ports = {name for port in (Conversations, Journal) for name in vars(port) if not name.startswith("_")}
    assert ports == set(OPERATIONS) | WITHOUT_ID


@pytest.mark.parametrize("name", OPERATIONS)
async def test_B09_a_foreign_id_is_like_a_missing_one(store: SqlStore, name: str) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.begin_turn(BOB, question())
    before = await everything(store)
    foreign = Ids(turn.conversation_id, turn.id, turn.shown_run_id)
    said = set()
    for ids in (foreign, Ids(new_id(), new_id(), new_id()), Ids("", "../x", "' OR 1=1 --")):
        with pytest.raises(NotFound) as refused:
            await OPERATIONS[name](store, BOB, ids)
        said.add((refused.value.public, refused.value.detail))
    assert len(said) == 1
    assert await everything(store) == before


async def test_B09_a_list_shows_only_ones_own(store: SqlStore) -> None:
    await store.begin_turn(ADA, question())
    assert await store.list_conversations(BOB) == ()


async def test_B09_a_request_key_of_another_user_opens_nothing(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    run, _ = await store.begin_run(ADA, turn.id, RECIPE, seed=1, request_key="again")
    other, fresh = await store.begin_turn(BOB, question(key="again"))
    assert fresh
    assert other.shown_run_id != run.id


LONG = "x" * 21
BAD_IDS: list[Any] = [
    "",
    "short",
    LONG + "xx",
    LONG + "\x00",
    LONG + "\ud800",
    LONG + "\u200b",
    LONG + "x\n",
    "х" * 22,
    7,
]
BAD_KEYS: list[Any] = ["", " ", "a b", "x" * 81, "\x00", "\ud800", "ключ", "a\n", None]


@pytest.mark.parametrize("name", OPERATIONS)
async def test_B08_an_id_of_another_form_is_never_looked_up(store: SqlStore, name: str) -> None:
    for value in BAD_IDS:
        with pytest.raises(NotFound):
            await OPERATIONS[name](store, ADA, Ids(value, value, value))


async def test_B08_a_malformed_key_or_user_is_refused(store: SqlStore) -> None:
    for value in BAD_KEYS:
        with pytest.raises(InputRefused):
            await store.begin_turn(ADA, question(key=value))
        with pytest.raises(InputRefused):
            await store.begin_turn(Actor(value), question())
        with pytest.raises(InputRefused):
            await store.list_conversations(Actor(value))
    assert not any((await everything(store)).values())
