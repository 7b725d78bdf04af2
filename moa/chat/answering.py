"""Runs on a conversation that the asker brings along: for programs, which keep their own history."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from moa.chat.live import LiveRun
from moa.chat.runs import Runs, Store
from moa.chat.values import Actor, NewTurn, Source, Started, TurnView
from moa.core.domain import Message, Recipe, Role
from moa.core.errors import InputRefused
from moa.core.events import Event
from moa.core.policy import Caps
from moa.core.view import RunView
from moa.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class Begun:
    """A run under way in this process."""

    started: Started
    live: LiveRun

    @property
    def view(self) -> RunView:
        """The run as it stands; before its first event, what is known of it by then."""
        view = self.live.view
        return view if view.recipe is not None else replace(view, recipe=self.live.record.recipe)


class Answering:
    """Begins, shows and stops runs of programs, by the same engine, limits and journal as the page's.

    Each is kept as a conversation of its own with one turn. Its question is the last message's text; what else came
    along is in the messages that each call was sent. No title is written for it.
    """

    def __init__(self, engine: Engine, store: Store, runs: Runs) -> None:
        self._engine, self._store, self._runs = engine, store, runs

    @property
    def caps(self) -> Caps:
        """What a conversation may hold."""
        return self._engine.caps

    async def begin(
        self,
        actor: Actor,
        *,
        messages: Sequence[Message],
        recipe: Recipe,
        source: Source,
        listener: Callable[[Event], None] | None = None,
    ) -> Begun:
        """Store a run, then begin it. ``messages`` are user and assistant turns, the last one the question.

        ``listener`` is handed each event as it comes, in the loop's own turn, and must not wait; RunEnded is the last,
        told once it is stored. Raises InputRefused, Busy, StoreError; nothing has been called then.
        """
        conversation = tuple(messages)
        check_conversation(conversation, recipe.system or "", self._engine.caps)
        self._runs.admit()
        seed, key, begun = secrets.randbits(62), secrets.token_hex(16), list[LiveRun]()

        async def begin() -> Started:
            new = NewTurn(conversation[-1].text, recipe, seed, key, source=source)
            turn, _ = await self._store.begin_turn(actor, new)
            live = LiveRun(
                actor, turn, turn.shown, engine=self._engine, journal=self._store, conversation=conversation, reuse={},
                listener=listener,
            )  # fmt: skip
            self._runs.own(live, key)
            begun.append(live)
            return Started(turn.conversation_id, turn.id, turn.shown_run_id)

        return Begun(await self._runs.carry_out(begin()), begun[0])

    async def view(self, actor: Actor, run_id: str) -> TurnView:
        """A run as it stands, from here or from what is stored. Raises NotFound."""
        return await anext(aiter(self.watch(actor, run_id)))

    def watch(
        self, actor: Actor, run_id: str, *, every_s: float = 0.1, keepalive_s: float = 2.0
    ) -> AsyncIterator[TurnView]:
        """As ``ChatService.watch``."""
        return self._runs.watch(actor, run_id, every_s=every_s, keepalive_s=keepalive_s)

    async def stop(self, actor: Actor, run_id: str) -> None:
        """As ``ChatService.stop``."""
        live = self._runs.get(actor, run_id)
        if live is None:
            await self._runs.stop_elsewhere(actor, run_id)
        else:
            await self._runs.stop(live)


def check_conversation(messages: Sequence[Message], system: str, caps: Caps) -> None:
    """Raises InputRefused for what is no conversation that ends with a question, or is larger than the page allows."""
    if not messages or messages[-1].role is not Role.USER or not messages[-1].text.strip():
        raise InputRefused("The last message must be the user's, and say something.")
    questions = sum(message.role is Role.USER for message in messages)
    if questions > caps.turns:
        raise InputRefused(f"A conversation has at most {caps.turns} questions; this one has {questions:,}.")
    longest = max(len(message.text) for message in messages)
    if longest > caps.question_chars:
        raise InputRefused(f"A message has at most {caps.question_chars:,} characters; one here has {longest:,}.")
    if len(system) > caps.question_chars:
        raise InputRefused(f"System messages have at most {caps.question_chars:,} characters together.")
