"""The one door to conversations and runs: every call takes the actor, and whoever shows or serves uses only this."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import AsyncIterator, Sequence

from moa.chat import mending
from moa.chat.history import messages_of
from moa.chat.runs import Runs, Store
from moa.chat.values import (
    Actor,
    ConversationEntry,
    ConversationView,
    NewTurn,
    Started,
    TurnRecord,
    TurnView,
)
from moa.core.domain import Recipe, Slot
from moa.core.errors import Busy, InputRefused, NotFound
from moa.core.text import clean
from moa.engine.engine import Engine
from moa.engine.estimate import Estimate, estimate_run

_TYPICAL_QUESTION = "What is it, how does it work, and when should I use it?"


class ChatService:
    """Starts, stops, mends and shows runs. Each run belongs to the server; a page only watches it.

    Every method raises NotFound for what is missing or another user's, and StoreError when nothing was saved.
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine, self._store = engine, store
        self._runs = Runs(engine, store)

    # -- reading

    async def list_conversations(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None
    ) -> Sequence[ConversationEntry]:
        """The actor's history, newest first."""
        return await self._store.list_conversations(actor, limit=limit, before=before)

    async def open(self, actor: Actor, conversation_id: str) -> ConversationView:
        """A conversation with the path shown."""
        found = await self._store.load_conversation(actor, conversation_id)
        turns = tuple(self._runs.view(actor, turn) for turn in found.turns)
        return ConversationView(found.id, found.title, found.head, turns)

    async def turn(self, actor: Actor, turn_id: str) -> TurnView:
        """One turn with everything in it."""
        return self._runs.view(actor, await self._store.load_turn(actor, turn_id))

    def running(self, actor: Actor, conversation_id: str) -> Started | None:
        """The run under way in a conversation, if there is one."""
        live = self._runs.in_conversation(actor, conversation_id)
        return Started(conversation_id, live.turn.id, live.record.id, new=False) if live else None

    def watch(
        self, actor: Actor, run_id: str, *, every_s: float = 0.1, keepalive_s: float = 2.0
    ) -> AsyncIterator[TurnView]:
        """Views of a run until it has ended (one view if it has).

        The newest view at most every ``every_s`` when something changed, the same one each ``keepalive_s``
        otherwise. NotFound is raised with the first view.
        """
        return self._runs.watch(actor, run_id, every_s=every_s, keepalive_s=keepalive_s)

    # -- keeping order

    async def rename(self, actor: Actor, conversation_id: str, title: str) -> None:
        """Give a conversation another title. Raises InputRefused."""
        title = " ".join(clean(title).split())
        if not 0 < len(title) <= 200:
            raise InputRefused("A title has 1 to 200 characters.")
        await self._store.rename_conversation(actor, conversation_id, title)

    async def delete(self, actor: Actor, conversation_id: str) -> None:
        """Delete a conversation; a run under way in it is stopped first."""
        live = self._runs.in_conversation(actor, conversation_id)
        if live is not None:
            await self._runs.stop(live)
        await self._store.delete_conversation(actor, conversation_id)

    # -- asking

    async def estimate(self, actor: Actor, recipe: Recipe, conversation_id: str | None = None) -> Estimate:
        """What one more question in a conversation is likely to take with this recipe."""
        earlier = await self._path(actor, conversation_id) if conversation_id is not None else ()
        return estimate_run(recipe, messages_of(earlier, _TYPICAL_QUESTION), self._engine.directory)

    async def send(
        self,
        actor: Actor,
        *,
        question: str,
        recipe: Recipe,
        request_key: str,
        conversation_id: str | None = None,
        expected_head: str | None = None,
    ) -> Started:
        """Store a question, then begin its run. The same ``request_key`` again gives the same run.

        Raises InputRefused, Busy, Conflict; nothing has been called or stored then.
        """
        question = self._checked(question)
        self._runs.admit()
        earlier = await self._path(actor, conversation_id) if conversation_id is not None else ()
        new = NewTurn(question, recipe, _seed(), request_key, conversation_id, expected_head)
        return await self._runs.carry_out(self._begin(actor, new, earlier))

    async def _begin(self, actor: Actor, new: NewTurn, earlier: Sequence[TurnRecord]) -> Started:
        if len(earlier) >= self._engine.caps.turns:
            raise InputRefused(f"A conversation has at most {self._engine.caps.turns} questions: start a new one.")
        turn, fresh = await self._store.begin_turn(actor, new)
        if fresh:
            self._runs.start(actor, turn, turn.shown, [t for t in earlier if t.id != turn.id], {})
        return Started(turn.conversation_id, turn.id, turn.shown_run_id, fresh)

    # -- mending

    async def regenerate(self, actor: Actor, turn_id: str, *, recipe: Recipe, request_key: str) -> Started:
        """Another attempt at a turn, all of it anew, which becomes the one shown. Raises Busy."""
        turn = await self._store.load_turn(actor, turn_id)
        return await self._again(actor, turn, recipe, {}, request_key)

    async def regenerate_answer(self, actor: Actor, turn_id: str, *, request_key: str) -> Started:
        """Only the answer anew, from the proposals of the attempt shown. Raises Busy."""
        turn = await self._store.load_turn(actor, turn_id)
        return await self._again(actor, turn, turn.shown.recipe, mending.for_answer(turn.shown), request_key)

    async def resume(self, actor: Actor, turn_id: str, *, request_key: str) -> Started:
        """Call only what the attempt shown lacks, then write its answer. Raises Busy."""
        turn = await self._store.load_turn(actor, turn_id)
        return await self._again(actor, turn, turn.shown.recipe, mending.for_resume(turn.shown), request_key)

    async def retry_slot(
        self, actor: Actor, turn_id: str, slot: Slot, *, request_key: str, model: str | None = None
    ) -> Started:
        """Call one slot again, with another model if one is given, and what comes after its layer.

        The other proposals are reused and not paid again. Raises Busy, InputRefused.
        """
        turn = await self._store.load_turn(actor, turn_id)
        shown = turn.shown
        recipe = mending.with_model(shown.recipe, slot, model) if model else shown.recipe
        return await self._again(actor, turn, recipe, mending.for_slot(shown, slot), request_key)

    async def _again(
        self, actor: Actor, turn: TurnRecord, recipe: Recipe, reuse: mending.Reuse, request_key: str
    ) -> Started:
        self._runs.admit()
        if self._runs.in_conversation(actor, turn.conversation_id):
            raise Busy("An answer is being written here: stop it first.", retry_after_s=1)
        earlier = await self._before(actor, turn)

        async def begin() -> Started:
            run, fresh = await self._store.begin_run(
                actor, turn.id, recipe, seed=_seed(), request_key=request_key, reuse=reuse
            )
            if fresh:
                self._runs.start(actor, turn, run, earlier, reuse)
            return Started(turn.conversation_id, turn.id, run.id, fresh)

        return await self._runs.carry_out(begin())

    # -- hurrying and stopping

    async def stop(self, actor: Actor, run_id: str) -> None:
        """End a run and return once its end is stored. One that is over already stays as it is."""
        live = self._runs.get(actor, run_id)
        if live is None:
            await self._store.load_turn_of_run(actor, run_id)
        else:
            await self._runs.stop(live)

    async def stop_slot(self, actor: Actor, run_id: str, slot: Slot) -> None:
        """End one agent's call; the run goes on without it."""
        live = self._runs.get(actor, run_id)
        if live is None:
            await self._store.load_turn_of_run(actor, run_id)
        else:
            live.stop_slot(slot)

    async def answer_now(self, actor: Actor, run_id: str) -> None:
        """Let the aggregator begin with the proposals that are there; the others are dropped as late."""
        live = self._runs.get(actor, run_id)
        if live is None:
            await self._store.load_turn_of_run(actor, run_id)
        else:
            live.answer_now()

    async def drain(self, timeout_s: float) -> None:
        """Take nothing more, let runs end for ``timeout_s``, then store the rest as interrupted."""
        await self._runs.drain(timeout_s)

    # -- inside

    def _checked(self, question: str) -> str:
        question = clean(question).strip()
        limit = self._engine.caps.question_chars
        if not question:
            raise InputRefused("Write a question first.")
        if len(question) > limit:
            raise InputRefused(f"A question has at most {limit:,} characters; this one has {len(question):,}.")
        return question

    async def _path(self, actor: Actor, conversation_id: str) -> tuple[TurnRecord, ...]:
        return (await self._store.load_conversation(actor, conversation_id)).turns

    async def _before(self, actor: Actor, turn: TurnRecord) -> list[TurnRecord]:
        """The turns of the path shown that come before ``turn``, which must be on it."""
        path = await self._path(actor, turn.conversation_id)
        if all(t.id != turn.id for t in path):
            raise NotFound("question")
        return [t for t in path if t.position < turn.position]


def _seed() -> int:
    return secrets.randbits(62)
