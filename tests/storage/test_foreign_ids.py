"""Another user's ids, missing ids and malformed ids: the same words, no row read or written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from moa.chat.opinions import Judgement
from moa.chat.ports import Conversations, Journal, Judgements, Shares, Tokens, Votes
from moa.chat.values import Actor, NewTurn
from moa.core.domain import LeftOut, Message, Role
from moa.core.errors import InputRefused, NotFound
from moa.core.verdicts import Verdict
from storage import SqlStore
from storage.ids import new_id
from tests.storage.conftest import everything
from tests.storage.samples import ADA, BOB, FIRST, LAST, RECIPE, WRITER, call, proposal, question, result

NEVER = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
SENT = (Message(Role.USER, "Forged."),)


@dataclass(frozen=True)
class Ids:
    """What an operation may be asked about."""

    conversation: str
    turn: str
    run: str
    share: str
    token: str


def aimed(ids: Ids, **more: Any) -> NewTurn:
    return question(key="aimed", conversation_id=ids.conversation, expected_head=ids.turn, **more)


def forged(ids: Ids) -> Judgement:
    return Judgement(ids.turn, "judge", (ids.run,), (Verdict((0,), 0, "Forged."),), None, None, 1, 0, NEVER)


# "name: how" are several ways to aim one operation.

OPERATIONS: dict[str, Callable[[SqlStore, Actor, Ids], Awaitable[Any]]] = {
    "load_conversation": lambda s, actor, ids: s.load_conversation(actor, ids.conversation),
    "load_tree": lambda s, actor, ids: s.load_tree(actor, ids.conversation),
    "load_turn": lambda s, actor, ids: s.load_turn(actor, ids.turn),
    "load_turn_of_run": lambda s, actor, ids: s.load_turn_of_run(actor, ids.run),
    "rename_conversation": lambda s, actor, ids: s.rename_conversation(actor, ids.conversation, "Mine now"),
    "delete_conversation": lambda s, actor, ids: s.delete_conversation(actor, ids.conversation),
    "restore_conversation": lambda s, actor, ids: s.restore_conversation(actor, ids.conversation),
    "suggest_title": lambda s, actor, ids: s.suggest_title(actor, ids.conversation, "Mine now"),
    "set_flags": lambda s, actor, ids: s.set_flags(actor, ids.conversation, pinned=True, archived=True),
    "show_run": lambda s, actor, ids: s.show_run(actor, ids.turn, ids.run),
    "show_turn": lambda s, actor, ids: s.show_turn(actor, ids.turn),
    "create_share": lambda s, actor, ids: s.create_share(actor, ids.conversation, expires_at=NEVER),
    "list_shares": lambda s, actor, ids: s.list_shares(actor, ids.conversation),
    "revoke_share": lambda s, actor, ids: s.revoke_share(actor, ids.share),
    "revoke_token": lambda s, actor, ids: s.revoke_token(actor, ids.token),
    "vote": lambda s, actor, ids: s.vote(actor, ids.turn, "tie"),
    "vote: for a run": lambda s, actor, ids: s.vote(actor, ids.turn, ids.run),
    "tag": lambda s, actor, ids: s.tag(actor, ids.turn, ["mine"]),
    "save_judgement": lambda s, actor, ids: s.save_judgement(actor, forged(ids)),
    "judgements_of": lambda s, actor, ids: s.judgements_of(actor, ids.turn),
    "begin_turn": lambda s, actor, ids: s.begin_turn(actor, aimed(ids)),
    "begin_turn: branch": lambda s, actor, ids: s.begin_turn(actor, aimed(ids, branch=True, parent_id=ids.turn)),
    "begin_run": lambda s, actor, ids: s.begin_run(actor, ids.turn, RECIPE, seed=1, request_key="aimed"),
    "begin_run: in a column": lambda s, actor, ids: s.begin_run(
        actor, ids.turn, RECIPE, seed=1, request_key="aimed", column=2
    ),
    "begin_call": lambda s, actor, ids: s.begin_call(actor, ids.run, FIRST, WRITER, SENT, LeftOut()),
    "save_call": lambda s, actor, ids: s.save_call(actor, ids.run, call(proposal(FIRST, "Forged."))),
    "checkpoint": lambda s, actor, ids: s.checkpoint(actor, ids.run, {LAST: "Forged."}),
    "ask_to_stop": lambda s, actor, ids: s.ask_to_stop(actor, ids.run),
    "end_run": lambda s, actor, ids: s.end_run(actor, ids.run, result(proposal(LAST, "Forged."))),
}
WITHOUT_ID = {
    "list_conversations", "list_ids", "search", "import_tree", "purge_deleted", "delete_everything", "recover",
    "list_votes", "create_token", "list_tokens", "list_judgements",
}  # fmt: skip
LEAVES_OUT = {"voted_proposals"}  # of many ids those that are not the actor's: see test_votes
BY_TOKEN = {"open_share", "copy_share", "token_owner"}  # see test_shares and test_tokens


def test_B09_every_operation_that_takes_an_id_is_tried() -> None:
    ports = {
        name
        for port in (Conversations, Journal, Judgements, Shares, Tokens, Votes)
        for name in vars(port)
        if not name.startswith("_")
    }
    assert ports == {name.partition(":")[0] for name in OPERATIONS} | WITHOUT_ID | LEAVES_OUT | BY_TOKEN


@pytest.mark.parametrize("name", OPERATIONS)
async def test_B09_a_foreign_id_is_like_a_missing_one(store: SqlStore, name: str) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
    share, _ = await store.create_share(ADA, turn.conversation_id, expires_at=NEVER)
    token, _ = await store.create_token(ADA, "laptop")
    await store.begin_turn(BOB, question())
    before = await everything(store)
    foreign = Ids(turn.conversation_id, turn.id, turn.shown_run_id, share.id, token.id)
    said = set()
    for ids in (foreign, Ids(*(new_id() for _ in range(5))), Ids("", "../x", "' OR 1=1 --", "%", "_")):
        with pytest.raises(NotFound) as refused:
            await OPERATIONS[name](store, BOB, ids)
        said.add((refused.value.public, refused.value.detail))
    assert len(said) == 1
    assert await everything(store) == before


async def test_B09_ones_own_ids_of_two_conversations_do_not_mix(store: SqlStore) -> None:
    (one, _), (two, _) = [await store.begin_turn(ADA, question(key=key)) for key in ("1", "2")]
    before = await everything(store)
    for attempt in (
        store.show_run(ADA, one.id, two.shown_run_id),
        store.begin_turn(ADA, question(key="3", conversation_id=one.conversation_id, branch=True, parent_id=two.id)),
        store.begin_turn(ADA, question(key="4", branch=True, parent_id=two.id)),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await everything(store) == before


async def test_B09_lists_and_searches_show_only_ones_own(store: SqlStore) -> None:
    await store.begin_turn(ADA, question())
    assert await store.list_conversations(BOB) == ()
    assert list(await store.list_ids(BOB)) == []
    for query in ("sky", "sk", "Why is", "%", "_"):
        assert await store.search(BOB, query) == ()
    await store.begin_turn(BOB, question("Mine"))
    assert await store.search(BOB, "sky") == ()
    await store.delete_everything(BOB)
    assert len(await store.list_ids(ADA)) == 1


async def test_B09_a_request_key_of_another_user_opens_nothing(store: SqlStore) -> None:
    turn, _ = await store.begin_turn(ADA, question())
    await store.end_run(ADA, turn.shown_run_id, result(proposal(LAST)))
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
            await OPERATIONS[name](store, ADA, Ids(value, value, value, value, value))


async def test_B08_a_malformed_key_or_user_is_refused(store: SqlStore) -> None:
    for value in BAD_KEYS:
        with pytest.raises(InputRefused):
            await store.begin_turn(ADA, question(key=value))
        with pytest.raises(InputRefused):
            await store.begin_turn(Actor(value), question())
        for refused in (
            store.list_conversations,
            store.list_ids,
            store.list_votes,
            store.list_judgements,
            store.delete_everything,
        ):
            with pytest.raises(InputRefused):
                await refused(Actor(value))
        with pytest.raises(InputRefused):
            await store.search(Actor(value), "sky")
    assert not any((await everything(store)).values())
