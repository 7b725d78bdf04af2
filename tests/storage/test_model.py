"""Three users do anything in any order, and the store does what a model of plain dictionaries says."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Coroutine
from itertools import count
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from moa.chat.values import Actor
from moa.core.domain import Status
from moa.core.errors import Busy, Conflict, InputRefused, NotFound
from storage import SqlStore
from tests.storage.conftest import Place
from tests.storage.plain import Conversation, Run, Shared, Turn, holds
from tests.storage.samples import FIRST, LAST, RECIPE, call, proposal, question, result

T = TypeVar("T")
LATER = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
MACHINES, KEYS = count(), count()
EXAMPLES, STEPS = 30, 50
CHATS_MAX = 4  # few, so that each grows branches
WORDS = st.sampled_from(["amber", "basil", "cedar", "하늘", "为什么", "Cedar basil"])
PICK = st.integers(0, 11)
OTHER_USER = st.integers(0, 2)
FLAG = st.none() | st.booleans()
WAITS = st.sampled_from([True, True, True, False])


class Chats(RuleBasedStateMachine):
    """Rules pick among what there is by number; each acts as the owner and looks at what came of it."""

    store: SqlStore
    loop: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.users = [Actor(f"machine{next(MACHINES)}.{name}") for name in ("ada", "bob", "eve")]
        self.chats: list[Conversation] = []
        self.shares: list[Shared] = []
        self.ticks = count()
        self.touched: Conversation | None = None

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(what)

    def pick(self, number: int, *, deleted: bool = False) -> Conversation | None:
        there = [chat for chat in self.chats if chat.deleted is deleted]
        self.touched = there[number % len(there)] if there else None
        return self.touched

    def who(self, chat: Conversation) -> Actor:
        return self.users[chat.owner]

    # -- asking

    @precondition(lambda self: len(self.chats) < CHATS_MAX)
    @rule(owner=OTHER_USER, text=WORDS)
    def begin(self, owner: int, text: str) -> None:
        new = question(text, f"k{next(KEYS)}")
        made, fresh = self.do(self.store.begin_turn(self.users[owner], new))
        again, doubled = self.do(self.store.begin_turn(self.users[owner], new))
        assert (fresh, doubled, again) == (True, False, made)
        turn = Turn(made.id, text, None, [Run(made.shown_run_id)])
        self.chats.append(Conversation(made.conversation_id, owner, text, turn, next(self.ticks), [turn], [turn]))

    @rule(number=PICK, text=WORDS, stale=st.booleans())
    def go_on(self, number: int, text: str, stale: bool) -> None:
        chat = self.pick(number)
        if chat is None:
            return
        others = [turn.id for turn in chat.turns if turn is not chat.head]
        where = {"conversation_id": chat.id, "expected_head": others[0] if stale and others else chat.head.id}
        new = question(text, f"k{next(KEYS)}", **where)
        if stale and others:
            with pytest.raises(Conflict):
                self.do(self.store.begin_turn(self.who(chat), new))
            return
        self._added(chat, chat.head, text, self.do(self.store.begin_turn(self.who(chat), new))[0])

    @rule(number=PICK, which=PICK, text=WORDS, times=st.integers(1, 3), waits=WAITS)
    def branch(self, number: int, which: int, text: str, times: int, waits: bool) -> None:
        chat = self.pick(number)
        if chat is None:
            return
        places = [None, *chat.turns][:3]  # few, so that many branch off at one
        parent = places[which % len(places)]
        where = {"conversation_id": chat.id, "branch": True, "parent_id": parent.id if parent else None}
        for _ in range(times):
            begin = self.store.begin_turn(self.who(chat), question(text, f"k{next(KEYS)}", **where))
            if self._begins(chat, begin, waits):
                self._added(chat, parent, text, self.do(begin)[0])

    def _added(self, chat: Conversation, parent: Turn | None, text: str, made: Any) -> None:
        turn = Turn(made.id, text, parent, [Run(made.shown_run_id)])
        beside = parent.children if parent else chat.roots
        beside.append(turn)
        chat.turns.append(turn)
        chat.head, chat.touched = turn, next(self.ticks)
        assert made.siblings == tuple(one.id for one in beside)

    def _begins(self, chat: Conversation, begin: Coroutine[Any, Any, Any], waits: bool) -> bool:
        """Whether a run can begin in a conversation, once those under way are over; without waiting it is refused."""
        for run in chat.running():
            if not waits:
                with pytest.raises(Busy):
                    self.do(begin)
                return False
            self._end(chat, run, "amber")
        return True

    def _end(self, chat: Conversation, run: Run, text: str) -> None:
        kept = [proposal(FIRST, run.proposal)] if run.proposal else []
        self.do(self.store.end_run(self.who(chat), run.id, result(*kept, proposal(LAST, text))))
        run.answer = text

    # -- runs

    @rule(number=PICK, which=PICK, waits=WAITS)
    def regenerate(self, number: int, which: int, waits: bool) -> None:
        chat = self.pick(number)
        if chat is None:
            return
        turn = chat.turns[which % len(chat.turns)]
        begin = self.store.begin_run(self.who(chat), turn.id, RECIPE, seed=1, request_key=f"k{next(KEYS)}")
        if not self._begins(chat, begin, waits):
            return
        made, _ = self.do(begin)
        turn.runs.append(Run(made.id))
        turn.shown, chat.touched = len(turn.runs) - 1, next(self.ticks)

    @rule(number=PICK, which=PICK, text=WORDS, ends=st.booleans(), deleted=st.booleans())
    def write(self, number: int, which: int, text: str, ends: bool, deleted: bool) -> None:
        """A run saves a proposal or ends, also when its conversation was deleted meanwhile."""
        chat = self.pick(number, deleted=deleted)
        running = chat.running() if chat else []
        if chat is None or not running:
            return
        run = running[which % len(running)]
        if ends:
            self._end(chat, run, text)
        else:
            self.do(self.store.save_call(self.who(chat), run.id, call(proposal(FIRST, text))))
            run.proposal = text

    # -- looking

    @rule(number=PICK, which=PICK, to_parent=st.booleans())
    def show_turn(self, number: int, which: int, to_parent: bool) -> None:
        chat = self.pick(number)
        if chat is None:
            return
        parents = [turn for turn in chat.turns if turn.children] or chat.turns
        turn = (parents if to_parent else chat.turns)[which % len(parents)]
        self.do(self.store.show_turn(self.who(chat), turn.id))
        while turn.children:
            turn = turn.children[-1]
        chat.head = turn

    @rule(number=PICK, which=PICK, attempt=PICK)
    def show_run(self, number: int, which: int, attempt: int) -> None:
        chat = self.pick(number)
        if chat is None:
            return
        turn = chat.turns[which % len(chat.turns)]
        turn.shown = attempt % len(turn.runs)
        self.do(self.store.show_run(self.who(chat), turn.id, turn.runs[turn.shown].id))

    @rule(owner=OTHER_USER, words=WORDS)
    def search(self, owner: int, words: str) -> None:
        hits = self.do(self.store.search(self.users[owner], words, limit=200))
        wanted = {
            chat.id: holds(chat.title, words)
            for chat in self.chats
            if chat.owner == owner and not chat.deleted and any(holds(text, words) for text in self._texts(chat))
        }
        assert {hit.conversation_id: hit.where == "title" for hit in hits} == wanted
        assert len(hits) == len(wanted)

    def _texts(self, chat: Conversation) -> list[str]:
        runs = [run for turn in chat.turns for run in turn.runs]
        said = [text for run in runs for text in (run.answer or "", run.proposal)]
        return [chat.title, *(turn.question for turn in chat.turns), *said]

    # -- keeping order

    @rule(number=PICK, text=WORDS, by_user=st.booleans(), flags=st.tuples(FLAG, FLAG))
    def tidy(self, number: int, text: str, by_user: bool, flags: tuple[bool | None, bool | None]) -> None:
        chat = self.pick(number)
        if chat is None:
            return
        give = self.store.rename_conversation if by_user else self.store.suggest_title
        self.do(give(self.who(chat), chat.id, text))
        if by_user or not chat.users_title:
            chat.title = text
        chat.users_title |= by_user
        pinned, archived = flags
        self.do(self.store.set_flags(self.who(chat), chat.id, pinned=pinned, archived=archived))
        chat.pinned = chat.pinned if pinned is None else pinned
        chat.archived = chat.archived if archived is None else archived

    @rule(number=PICK, deleted=st.booleans())
    def delete_or_restore(self, number: int, deleted: bool) -> None:
        chat = self.pick(number, deleted=deleted)
        if chat is None:
            return
        act = self.store.restore_conversation if deleted else self.store.delete_conversation
        self.do(act(self.who(chat), chat.id))
        chat.deleted = not deleted

    @rule(owner=OTHER_USER)
    def delete_everything(self, owner: int) -> None:
        if sum(chat.owner == owner for chat in self.chats) < 3:
            return
        self.do(self.store.delete_everything(self.users[owner]))
        self.chats = [chat for chat in self.chats if chat.owner != owner]

    # -- sharing

    @rule(number=PICK)
    def share(self, number: int) -> None:
        chat = self.pick(number)
        if chat is None:
            return
        shows = []
        for turn in chat.head.path():
            ended = [run for run in turn.runs if run.answer is not None]
            if not ended:
                break
            shown = turn.runs[turn.shown]
            shows.append((turn.question, (shown if shown in ended else ended[-1]).answer or ""))
        make = self.store.create_share(self.who(chat), chat.id, expires_at=LATER)
        if shows:
            made, token = self.do(make)
            self.shares.append(Shared(made.id, token, chat, shows, chat.title))
        else:
            with pytest.raises(InputRefused):
                self.do(make)

    @precondition(lambda self: self.shares)
    @rule(number=PICK)
    def revoke(self, number: int) -> None:
        shared = self.shares[number % len(self.shares)]
        if shared.conversation in self.chats and not shared.conversation.deleted:
            self.do(self.store.revoke_share(self.who(shared.conversation), shared.id))
            shared.revoked = True

    @precondition(lambda self: self.shares)
    @rule(number=PICK, visitor=OTHER_USER)
    def visit(self, number: int, visitor: int) -> None:
        shared = self.shares[number % len(self.shares)]
        if shared.revoked or shared.conversation not in self.chats or shared.conversation.deleted:
            for refused in (
                self.store.open_share(shared.token), self.store.copy_share(self.users[visitor], shared.token),
            ):  # fmt: skip
                with pytest.raises(NotFound):
                    self.do(refused)
            return
        shown = self.do(self.store.open_share(shared.token))
        assert shown.title == shared.title
        assert [(t.question, t.shown.result.answer if t.shown.result else None) for t in shown.turns] == shared.shows

    # -- what always holds

    @rule(number=PICK, visitor=OTHER_USER)
    def nobody_sees_anothers(self, number: int, visitor: int) -> None:
        chat = self.pick(number)
        if chat is not None and chat.owner != visitor:
            with pytest.raises(NotFound):
                self.do(self.store.load_conversation(self.users[visitor], chat.id))

    @invariant()
    def lists_agree(self) -> None:
        if self.touched is not None:
            owner, user = self.touched.owner, self.who(self.touched)
            for archived in (False, True):
                mine = [c for c in self.chats if c.owner == owner and not c.deleted and c.archived is archived]
                mine.sort(key=lambda c: (c.pinned, c.touched), reverse=True)
                found = self.do(self.store.list_conversations(user, archived=archived, limit=200))
                assert [(e.id, e.title, e.pinned) for e in found] == [(c.id, c.title, c.pinned) for c in mine]
                assert [e.running for e in found] == [
                    any(run.answer is None for turn in c.turns for run in turn.runs) for c in mine
                ]

    @invariant()
    def paths_agree(self) -> None:
        chat = self.touched
        if chat is None or chat.deleted or chat not in self.chats:
            return
        found = self.do(self.store.load_conversation(self.who(chat), chat.id))
        assert found.head == chat.head.id
        for turn, stored in zip(chat.head.path(), found.turns, strict=True):
            assert (stored.id, stored.question) == (turn.id, turn.question)
            assert stored.shown_run_id == turn.runs[turn.shown].id
            assert [run.status is Status.RUNNING for run in stored.runs] == [r.answer is None for r in turn.runs]
            assert [run.result.answer if run.result else None for run in stored.runs] == [r.answer for r in turn.runs]


def test_three_users_against_a_model(place: Place) -> None:
    store = place.open()
    with asyncio.Runner() as loop:
        machine = type("Chats", (Chats,), {"store": store, "loop": loop})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES // 2 if place.url else EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        loop.run(store.aclose())
