"""Judgements as the results page counts them: which system gave each answer, and what the reader's own vote says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal

from moa.chat.opinions import JudgementRecord
from moa.chat.systems import named
from moa.chat.values import BAD, TIE, Actor, Vote
from moa.core.verdicts import Choice
from moa.evals.judges import Judged

LoadJudgements = Callable[[Actor], Awaitable[Sequence[JudgementRecord]]]


class JudgedResults:
    """Reads a visitor's judgements. What takes time is done off the event loop."""

    def __init__(self, load: LoadJudgements, label_of: Callable[[str], str]) -> None:
        self._load, self._label_of = load, label_of

    async def judged(self, actor: Actor) -> Sequence[Judged]:
        """All judgements, oldest first. Raises StoreError."""
        records = await self._load(actor)
        labels = {model: self._label_of(model) for model in _models(records)}
        return await asyncio.to_thread(judged, records, labels.__getitem__)


def judged(records: Sequence[JudgementRecord], label_of: Callable[[str], str]) -> tuple[Judged, ...]:
    """The judgements with the names of judges and systems. A vote on other answers of the same question is left out."""
    systems = named((recipe for record in records for recipe in record.recipes), label_of)
    judges = {record.judgement.judge: label_of(record.judgement.judge) for record in records}
    alike = Counter(judges.values())
    return tuple(
        Judged(
            judges[judge] if alike[judges[judge]] == 1 else f"{judges[judge]} ({judge})",
            tuple(systems[recipe.digest] for recipe in record.recipes),
            record.judgement.verdicts,
            _choice(record.vote, record.judgement.sides),
            record.vote is not None and record.vote.blind,
        )
        for record in records
        for judge in (record.judgement.judge,)
    )


def _models(records: Iterable[JudgementRecord]) -> set[str]:
    found = {record.judgement.judge for record in records}
    for recipe in (recipe for record in records for recipe in record.recipes):
        found |= {recipe.aggregator.model, *(agent.model for layer in recipe.layers for agent in layer.agents)}
    return found


def _choice(vote: Vote | None, sides: tuple[str, ...]) -> Choice | Literal["bad"] | None:
    if vote is None or vote.sides != sides:
        return None
    if vote.choice in (TIE, BAD):
        return "tie" if vote.choice == TIE else "bad"
    return sides.index(vote.choice)
