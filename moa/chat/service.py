"""The one door to conversations and runs: every call takes the actor, and whoever shows or serves uses only this."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from moa.chat import comparing, mending
from moa.chat.answering import Answering
from moa.chat.exchange import Exchange
from moa.chat.history import messages_of
from moa.chat.library import Library
from moa.chat.opinions import VoteRecord
from moa.chat.runs import Runs, Store
from moa.chat.titles import Titles
from moa.chat.values import Actor, ColumnRun, ConversationView, NewTurn, Source, Started, TurnRecord, TurnView
from moa.core.domain import Recipe, Slot, Status
from moa.core.errors import Conflict, InputRefused, NotFound
from moa.core.text import clean
from moa.engine.engine import Engine
from moa.engine.estimate import Estimate, estimate_run

_ANSWERED = (Status.COMPLETE, Status.DEGRADED)
_TYPICAL_QUESTION = "What is it, how does it work, and when should I use it?"


class ChatService:
    """Starts, stops, mends and shows runs. Each run belongs to the server; a page only watches it.
    ``library`` keeps the conversations in order, ``exchange`` takes them out and in, ``answering`` is for programs that
    bring their own. ``titles`` names them; without it their first words do. ``allowed`` gives a stored recipe as it may
    be run again, or raises InputRefused: it may have been imported, and name what is not offered here.

    Every method raises NotFound for what is missing or another user's, and StoreError when nothing was saved.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        titles: Titles | None = None,
        allowed: Callable[[Recipe], Recipe] = lambda recipe: recipe,
    ) -> None:
        self._engine, self._store, self._titles, self._allowed = engine, store, titles, allowed
        self._runs = Runs(engine, store, titles.after if titles else None)
        self.library = Library(store, self._runs)
        self.exchange = Exchange(store, engine.caps)
        self.answering = Answering(engine, store, self._runs)

    # -- reading

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

    def watch_columns(
        self, actor: Actor, run_id: str, *, every_s: float = 0.1, keepalive_s: float = 2.0
    ) -> AsyncIterator[TurnView]:
        """As ``watch``, of the whole turn that a run belongs to, until the runs of all its columns have ended."""
        return self._runs.watch_columns(actor, run_id, every_s=every_s, keepalive_s=keepalive_s)

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
        after: str | None = None,
        source: Source = "page",
    ) -> Started:
        """Store a question, then begin its run. The same ``request_key`` again gives the same run.

        With ``after``, a turn of the path shown, the question branches off there; what came after it stays
        reachable. Raises InputRefused, Busy, Conflict; nothing has been called or stored then.
        """
        question = self._checked(question)
        new = NewTurn(question, recipe, _seed(), request_key, conversation_id, expected_head, source=source)
        return await self._ask(actor, new, after)

    async def compare(
        self,
        actor: Actor,
        *,
        question: str,
        recipes: Sequence[Recipe],
        request_key: str,
        blind: bool = True,
        reuse: bool = False,
        conversation_id: str | None = None,
        expected_head: str | None = None,
        after: str | None = None,
        instead: str | None = None,
    ) -> Started:
        """Ask two to four different recipes at once, a column each; the path goes through the first one's answer.

        All runs are stored before the first begins. Each has its own history and is watched and stopped by itself.
        With ``reuse`` a single model doesn't call what a mixture's proposer is asked in just the same words and
        sampling: it waits for that proposal and takes it over, unpaid. ``after`` as for ``send``; ``instead`` is a turn
        in whose place it is asked, as with ``edit``. Raises as ``send``.
        """
        question = self._checked(question)
        comparison = comparing.drawn(recipes, blind=blind)
        first, *others = recipes
        new = NewTurn(
            question, first, _seed(), request_key, conversation_id, expected_head,
            columns=tuple(ColumnRun(recipe, _seed()) for recipe in others), comparison=comparison,
        )  # fmt: skip
        return await (self._ask_instead(actor, new, instead, reuse) if instead else self._ask(actor, new, after, reuse))

    async def edit(self, actor: Actor, turn_id: str, *, question: str, recipe: Recipe, request_key: str) -> Started:
        """Ask another question in a turn's place. The old one and all that followed it stay reachable.

        Raises as ``send``.
        """
        new = NewTurn(self._checked(question), recipe, _seed(), request_key)
        return await self._ask_instead(actor, new, turn_id)

    async def _ask(self, actor: Actor, new: NewTurn, after: str | None, lend: bool = False) -> Started:
        self._runs.admit()
        if after is not None:
            turn = await self._store.load_turn(actor, after)
            if new.conversation_id is not None and turn.conversation_id != new.conversation_id:
                raise Conflict("Another conversation is open than the one to continue: choose again where to go on.")
            return await self._branch(actor, turn, replace(new, parent_id=after), lend)
        earlier = list(await self._path(actor, new.conversation_id)) if new.conversation_id is not None else []
        return await self._runs.carry_out(self._begin(actor, new, earlier, lend=lend))

    async def _ask_instead(self, actor: Actor, new: NewTurn, turn_id: str, lend: bool = False) -> Started:
        self._runs.admit()
        turn = await self._store.load_turn(actor, turn_id)
        return await self._branch(actor, turn, replace(new, parent_id=turn.parent_id), lend)

    async def _branch(self, actor: Actor, turn: TurnRecord, new: NewTurn, lend: bool) -> Started:
        """Begin a turn beside or below one of the path shown."""
        if begun := self._runs.begun(actor, turn.conversation_id, new.request_key):
            return begun
        earlier = await self._before(actor, turn)
        if new.parent_id == turn.id:
            earlier.append(turn)
        new = replace(new, conversation_id=turn.conversation_id, branch=True, expected_head=None)
        return await self._runs.carry_out(self._begin(actor, new, earlier, lend=lend))

    async def _begin(self, actor: Actor, new: NewTurn, earlier: Sequence[TurnRecord], *, lend: bool = False) -> Started:
        if len(earlier) >= self._engine.caps.turns:
            raise InputRefused(f"A conversation has at most {self._engine.caps.turns} questions: start a new one.")
        if not (new.comparison and new.comparison.blind) and any(turn.hidden for turn in earlier):
            raise InputRefused(comparing.VOTE_FIRST)
        turn, fresh = await self._store.begin_turn(actor, new)
        if fresh:
            before = [t for t in earlier if t.id != turn.id]
            self._runs.start_columns(actor, turn, before, new.request_key, lend=lend)
        columns = tuple(run.id for run in turn.columns)
        return Started(turn.conversation_id, turn.id, turn.shown_run_id, fresh, columns)

    # -- mending

    async def regenerate(self, actor: Actor, turn_id: str, *, recipe: Recipe, request_key: str) -> Started:
        """Another attempt at a turn, all of it anew, which becomes the one shown. Raises Busy."""
        turn = await self._store.load_turn(actor, turn_id)
        return await self._again(actor, turn, recipe, {}, request_key)

    async def regenerate_answer(self, actor: Actor, turn_id: str, *, request_key: str) -> Started:
        """Only the answer anew, from the proposals of the attempt shown. Raises Busy."""
        turn = await self._store.load_turn(actor, turn_id)
        recipe = self._allowed(turn.shown.recipe)
        return await self._again(actor, turn, recipe, mending.for_answer(turn.shown), request_key)

    async def resume(self, actor: Actor, turn_id: str, *, request_key: str) -> Started:
        """Call only what the attempt shown lacks, then write its answer. Raises Busy."""
        turn = await self._store.load_turn(actor, turn_id)
        recipe = self._allowed(turn.shown.recipe)
        return await self._again(actor, turn, recipe, mending.for_resume(turn.shown), request_key)

    async def retry_slot(
        self, actor: Actor, turn_id: str, slot: Slot, *, request_key: str, model: str | None = None
    ) -> Started:
        """Call one slot again, with another model if one is given, and what comes after its layer.

        The other proposals are reused and not paid again. Raises Busy, InputRefused.
        """
        turn = await self._store.load_turn(actor, turn_id)
        shown = turn.shown
        recipe = mending.with_model(shown.recipe, slot, model) if model else shown.recipe
        return await self._again(actor, turn, self._allowed(recipe), mending.for_slot(shown, slot), request_key)

    async def regenerate_column(self, actor: Actor, turn_id: str, column: int, *, request_key: str) -> Started:
        """One column of a comparison anew, with its own recipe; of one that did not end well only what it lacks.

        Raises Busy, NotFound for a column that isn't there.
        """
        turn = await self._store.load_turn(actor, turn_id)
        shown = turn.in_column(column)
        if shown is None:
            raise NotFound("answer")
        reuse = {} if shown.status in _ANSWERED else mending.for_resume(shown)
        return await self._again(actor, turn, self._allowed(shown.recipe), reuse, request_key, column)

    async def _again(
        self, actor: Actor, turn: TurnRecord, recipe: Recipe, reuse: mending.Reuse, request_key: str, column: int = 1
    ) -> Started:
        self._runs.admit()
        if begun := self._runs.begun(actor, turn.conversation_id, request_key):
            return begun
        earlier = await self._before(actor, turn)

        async def begin() -> Started:
            run, fresh = await self._store.begin_run(
                actor, turn.id, recipe, seed=_seed(), request_key=request_key, reuse=reuse, column=column
            )
            if fresh:
                self._runs.start(actor, turn, run, earlier, reuse, request_key)
            return Started(turn.conversation_id, turn.id, run.id, fresh)

        return await self._runs.carry_out(begin())

    # -- stepping between attempts and branches

    async def show_run(self, actor: Actor, turn_id: str, run_id: str) -> None:
        """Let the path go through another attempt at a turn, of its first column."""
        await self._store.show_run(actor, turn_id, run_id)

    async def show_turn(self, actor: Actor, turn_id: str) -> None:
        """Let the path go through a turn; one that is on it already leaves it as it is."""
        turn = await self._store.load_turn(actor, turn_id)
        if all(shown.id != turn.id for shown in await self._path(actor, turn.conversation_id)):
            await self._store.show_turn(actor, turn_id)

    # -- voting

    async def vote(self, actor: Actor, turn_id: str, choice: str) -> None:
        """Say which answer of a comparison was best, or change that: the run shown in a column, by id, ``TIE`` or
        ``BAD``. Raises InputRefused where there is nothing to compare or an answer is unfinished."""
        await self._store.vote(actor, turn_id, choice)

    async def tag(self, actor: Actor, turn_id: str, tags: Sequence[str]) -> None:
        """Name the kind of question in words of one's own, in place of earlier ones. Raises InputRefused."""
        await self._store.tag(actor, turn_id, comparing.tags_of(tags))

    async def votes(self, actor: Actor) -> Sequence[VoteRecord]:
        """All votes of the actor with what they were about, oldest first."""
        return await self._store.list_votes(actor)

    # -- hurrying and stopping

    async def stop(self, actor: Actor, run_id: str) -> None:
        """End a run and return once its end is stored. One that is over already stays as it is."""
        live = self._runs.get(actor, run_id)
        if live is None:
            await self._runs.stop_elsewhere(actor, run_id)
        else:
            await self._runs.stop(live)

    async def stop_columns(self, actor: Actor, run_id: str) -> None:
        """End the run and those of all other columns of its turn; return once that is stored."""
        await self._runs.stop_columns(actor, run_id)

    async def stop_slot(self, actor: Actor, run_id: str, slot: Slot) -> None:
        """End one agent's call; the run goes on without it. Raises Busy when another process carries the run out."""
        live = self._runs.get(actor, run_id)
        if live is None:
            await self._runs.check_here(actor, run_id)
        else:
            live.stop_slot(slot)

    async def answer_now(self, actor: Actor, run_id: str) -> None:
        """Let the aggregator begin with the proposals that are there; the others are dropped as late. Raises Busy as
        ``stop_slot``."""
        live = self._runs.get(actor, run_id)
        if live is None:
            await self._runs.check_here(actor, run_id)
        else:
            live.answer_now()

    async def sweep(self) -> None:
        """End what dead processes have left running, at once and then every 2 s. Never returns: a task beside the
        server."""
        await self._runs.sweep()

    async def drain(self, timeout_s: float) -> None:
        """Take nothing more, let runs end for ``timeout_s``, then store the rest as interrupted."""
        await self._runs.drain(timeout_s)
        if self._titles is not None:
            await self._titles.aclose()

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
