"""A model's opinion of a comparison, when its owner asks for one. It is kept apart from votes and changes none."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

from moa.chat.opinions import Judgement
from moa.chat.ports import Conversations, Judgements
from moa.chat.values import Actor, RunRecord, TurnRecord
from moa.core.domain import (
    Agent,
    FailureKind,
    LeftOut,
    Message,
    Model,
    Part,
    Recipe,
    Role,
    RunResult,
    Sampling,
    Status,
    Usage,
)
from moa.core.errors import Busy, CallError, InputRefused, public_text
from moa.core.quoting import trimmed
from moa.core.times import utc_now
from moa.engine.engine import Engine
from moa.engine.prompts import Composed
from moa.engine.windows import fit
from moa.evals.judging import SYSTEM, orders, prompt, read

ONE_COLUMN = "There is nothing to judge: this question was asked in one column."
UNFINISHED = "An answer is still being written: ask a judge when all have ended."
MISSING = "An answer is missing or was not finished: write it again, then ask a judge."
VOTE_FIRST = "Vote first: the judge's opinion would give the names away."
UNKNOWN = "This model is not offered here: choose another judge."
JUDGING = "This model is reading these answers already: wait for its verdict."

_ANSWERED = (Status.COMPLETE, Status.DEGRADED)
_TOKENS = 2_048
_THINKING_TOKENS = 8_192  # a reasoning model's thoughts count too
_EARLIER = 5


class Store(Conversations, Judgements, Protocol):
    """Reading turns, and keeping judgements."""


def new_fence() -> str:
    """A line that no text can hold which was written before."""
    return "fence-" + secrets.token_hex(12)


class Judging:
    """Asks judges, by the engine's own limits, deadlines and retries. They see question and answers, never names.

    ``exists`` tells whether a model is offered, by its id.
    """

    def __init__(
        self, engine: Engine, store: Store, exists: Callable[[str], bool], *, fence: Callable[[], str] = new_fence
    ) -> None:
        self._engine, self._store, self._exists, self._fence = engine, store, exists, fence
        self._reading: set[tuple[Actor, str, str]] = set()

    async def judge(self, actor: Actor, turn_id: str, model_id: str) -> Judgement:
        """Have a model read a comparison's answers in both orders, and keep what it says in place of what it said.

        At temperature 0. Raises NotFound; InputRefused where there is nothing to judge yet, or by this model; Busy
        while the same model reads the same answers; CallError, with nothing kept, when it does not reply.
        """
        if not self._exists(model_id):
            raise InputRefused(UNKNOWN)
        key = actor, turn_id, model_id
        if key in self._reading:
            raise Busy(JUDGING, retry_after_s=5)
        self._reading.add(key)
        try:
            return await self._judge(actor, await self._store.load_turn(actor, turn_id), model_id)
        finally:
            self._reading.discard(key)

    async def judgements(self, actor: Actor, turn_id: str) -> tuple[tuple[Judgement, bool], ...]:
        """What was said of a turn, oldest first, and whether an answer has been written anew since. Raises NotFound."""
        turn = await self._store.load_turn(actor, turn_id)
        shown = tuple(run.id for run in _sides(turn))
        return tuple((said, said.sides != shown) for said in await self._store.judgements_of(actor, turn_id))

    async def _judge(self, actor: Actor, turn: TurnRecord, model_id: str) -> Judgement:
        runs = _readable(turn)
        model = self._engine.directory.endpoint(model_id).model
        sampling = Sampling(temperature=0.0, max_tokens=_THINKING_TOKENS if model.reasoning else _TOKENS)
        judge = Recipe("judge", "Judge", (), Agent(model_id, Part.AGGREGATOR, sampling), system=SYSTEM)
        questions = [*await self._earlier(actor, turn), turn.question]
        read_in = orders(len(runs))
        asked = [self._fitted(model, sampling, questions, [runs[i] for i in order]) for order in read_in]
        replies = await asyncio.gather(*(self._reply(judge, composed) for composed in asked))
        results = [_checked(reply) for reply in replies]
        judgement = Judgement(
            turn.id,
            model_id,
            tuple(run.id for run in runs),
            tuple(read(result.answer, order) for result, order in zip(results, read_in, strict=True)),
            _sum([result.usage for result in results]),
            _total([result.cost_microusd for result in results]),
            max(result.duration_ms for result in results),
            asked[0].left_out.proposal_chars,
            utc_now(),
        )
        await self._store.save_judgement(actor, judgement)
        return judgement

    async def _earlier(self, actor: Actor, turn: TurnRecord) -> list[str]:
        """The questions before a turn's on its way, of which it may be a part; the columns' answers may differ."""
        found: list[str] = []
        while turn.parent_id is not None and len(found) < _EARLIER:
            turn = await self._store.load_turn(actor, turn.parent_id)
            found.insert(0, turn.question)
        return found

    def _fitted(
        self, model: Model, sampling: Sampling, questions: Sequence[str], runs: Sequence[RunRecord]
    ) -> Composed:
        """What is sent: all answers cut at one length where they don't fit, and the oldest questions left out first."""
        answers = [run.result.answer for run in runs if run.result is not None]
        fence, caps = self._fence(), self._engine.caps

        def compose(conversation: Sequence[Message], chars: int) -> Composed:
            *earlier, question = (message.text for message in conversation)
            texts, cut = trimmed(answers, chars)
            asked = prompt(question, texts, fence=fence, earlier=earlier)
            return Composed((Message(Role.SYSTEM, SYSTEM), Message(Role.USER, asked)), LeftOut(proposal_chars=cut))

        return fit(
            compose,
            [Message(Role.USER, text) for text in questions],
            context_tokens=model.context_tokens,
            max_tokens=sampling.max_tokens,
            proposal_chars=caps.proposal_chars if model.context_tokens is None else caps.output_chars,
            proposals=len(answers),
        )

    async def _reply(self, judge: Recipe, composed: Composed) -> RunResult:
        async with self._engine.run(judge, composed.messages[-1:]) as run:
            return await run.wait()


def _checked(result: RunResult) -> RunResult:
    """Raises CallError for a judge that did not reply."""
    if result.status is Status.COMPLETE:
        return result
    kind, why = FailureKind.INTERNAL, public_text(FailureKind.INTERNAL)
    for failure in result.failures:
        kind, why = failure.kind, failure.public
    raise CallError(kind, public=f"The judge gave no verdict. {why}")


def _sides(turn: TurnRecord) -> tuple[RunRecord, ...]:
    """The runs shown, from left to right; of a turn that is no comparison the one there is."""
    order = turn.comparison.order if turn.comparison else (1,)
    return tuple(run for run in map(turn.in_column, order) if run is not None)


def _readable(turn: TurnRecord) -> tuple[RunRecord, ...]:
    """The runs to be judged. Raises InputRefused."""
    runs = _sides(turn)
    if turn.comparison is None or len(runs) < 2:
        raise InputRefused(ONE_COLUMN)
    if any(run.status is Status.RUNNING for run in runs):
        raise InputRefused(UNFINISHED)
    if turn.comparison.blind and turn.vote is None:
        raise InputRefused(VOTE_FIRST)
    if any(run.status not in _ANSWERED or run.result is None or not run.result.answer.strip() for run in runs):
        raise InputRefused(MISSING)
    return runs


def _sum(usages: Sequence[Usage | None]) -> Usage | None:
    known = [usage for usage in usages if usage is not None]
    return sum(known[1:], known[0]) if known and len(known) == len(usages) else None


def _total(costs: Sequence[int | None]) -> int | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
