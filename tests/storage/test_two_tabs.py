"""Two tabs on one conversation, in every order in which their steps can fall: no question lost, none doubled."""

from __future__ import annotations

import asyncio
import random

import pytest
from sqlalchemy.orm import Session

from moa.chat.values import TurnRecord
from moa.core.errors import Conflict
from moa.core.times import utc_now
from storage import SqlStore
from storage.beginning import begin_turn
from storage.reading import conversation_row, path
from tests.storage.conftest import Place
from tests.storage.samples import ADA, question

ROUNDS = 1000
ROUNDS_OF_ONE = 50


class Tab:
    """A page that looks, then sends what it has; told of a conflict, it looks again and sends the same submit again."""

    def __init__(self, session: Session, conversation: str, text: str) -> None:
        self._session, self._conversation, self._text = session, conversation, text
        self._head: str | None = None
        self.conflicts = 0
        self.turn: TurnRecord | None = None

    def step(self) -> None:
        if self._head is None:
            self._look()
        else:
            self._send()

    def _look(self) -> None:
        self._head = conversation_row(self._session, ADA.user_id, self._conversation).head_turn_id

    def _send(self) -> None:
        where = {"conversation_id": self._conversation, "expected_head": self._head}
        try:
            sent = question(self._text, f"{self._conversation.strip('-_')}{self._text}", **where)
            self.turn, fresh = begin_turn(self._session, ADA.user_id, sent, "me", utc_now())
            assert fresh
        except Conflict:
            self.conflicts += 1
            self._look()
            self._send()


def a_thousand_orders(session: Session) -> int:
    """All in one transaction, so that no disk is waited for; what holds between transactions is tested below."""
    chance, conflicts = random.Random(23), 0
    for _ in range(ROUNDS // ROUNDS_OF_ONE):
        sent = question("first", f"round{chance.getrandbits(64)}")
        first, _ = begin_turn(session, ADA.user_id, sent, "me", utc_now())
        expected = ["first"]
        for number in range(ROUNDS_OF_ONE):
            tabs = [Tab(session, first.conversation_id, f"{name}{number}") for name in ("left", "right")]
            for one in chance.sample(tabs * 2, 4):
                one.step()
            made = [tab.turn for tab in tabs if tab.turn is not None]
            assert len(made) == 2
            expected += [turn.question for turn in sorted(made, key=lambda turn: turn.position)]
            conflicts += sum(tab.conflicts for tab in tabs)
        turns = path(session, conversation_row(session, ADA.user_id, first.conversation_id))
        assert [turn.question for turn in turns] == expected
    return conflicts


async def test_F23_a_thousand_orders_of_two_tabs(file: Place) -> None:
    store = file.open()
    assert await store.database.write(a_thousand_orders) > ROUNDS // 2
    await store.aclose()


@pytest.mark.parametrize("tabs", [2, 6])
async def test_F23_tabs_that_send_at_the_same_moment(store: SqlStore, tabs: int) -> None:
    first, _ = await store.begin_turn(ADA, question(key="first"))
    waiting = {f"tab{n}" for n in range(tabs)}
    head = first.id
    while waiting:
        sent = [
            store.begin_turn(ADA, question(name, name, conversation_id=first.conversation_id, expected_head=head))
            for name in waiting
        ]
        told = await asyncio.gather(*sent, return_exceptions=True)
        won = [answer[0] for answer in told if not isinstance(answer, BaseException)]
        assert len(won) == 1
        assert [type(answer) for answer in told].count(Conflict) == len(waiting) - 1
        waiting.remove(won[0].question)
        head = won[0].id
    assert len((await store.load_conversation(ADA, first.conversation_id)).turns) == tabs + 1
