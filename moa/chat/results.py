"""Votes as the results page counts them: which system gave each answer, what it took, and for a mixture how much of
the answer's wording each of its proposals has."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal

from moa.chat.opinions import VotedProposal, VotedRun, VoteRecord
from moa.chat.systems import named
from moa.chat.values import BAD, TIE, Actor
from moa.core.domain import Agent, Recipe, Status
from moa.evals.comparison import Comparison, Side
from moa.evals.style import Style, style_of

LoadVotes = Callable[[Actor], Awaitable[Sequence[VoteRecord]]]
LoadProposals = Callable[[Actor, Collection[str]], Awaitable[Mapping[str, Sequence[VotedProposal]]]]
Shares = tuple[tuple[Agent, float], ...]
"""Who proposed, and how much of the answer's wording that text has: BLEU from 0 to 1, the mean of three orders."""

OVERLAPS_MAX = 1_000
"""Shares are worked out for the newest so many answers of mixtures: each takes a millisecond, a mean needs no more."""
_AT_ONCE = 100
_KEPT = 20_000
_COUNTED = (Status.COMPLETE, Status.DEGRADED, Status.FAILED)


class Results:
    """Reads a visitor's votes. What takes time is done off the event loop, and the newest 20,000 shares are kept: an
    answer's proposals don't change any more."""

    def __init__(self, votes: LoadVotes, proposals: LoadProposals, label_of: Callable[[str], str]) -> None:
        self._votes, self._proposals, self._label_of = votes, proposals, label_of
        self._kept: OrderedDict[tuple[str, int], Shares] = OrderedDict()
        self._one = asyncio.Lock()

    async def comparisons(self, actor: Actor) -> Sequence[Comparison]:
        """All votes that can be counted, oldest first. Raises StoreError."""
        records = await self._votes(actor)
        models, mixtures = await asyncio.to_thread(lambda: (_models(records), mixed(records)))
        labels = {model: self._label_of(model) for model in models}
        async with self._one:
            shares = await self._shares(actor, mixtures)
        return await asyncio.to_thread(comparisons, records, shares, labels.__getitem__)

    async def _shares(self, actor: Actor, runs: Sequence[VotedRun]) -> Mapping[str, Shares]:
        keys = {run.run_id: (run.run_id, hash(run.answer)) for run in runs}  # one thought dead may end otherwise
        new = [run for run in runs if keys[run.run_id] not in self._kept]
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            texts = await self._proposals(actor, [run.run_id for run in some])
            for run, shares in zip(some, await asyncio.to_thread(_measured, some, texts), strict=True):
                self._kept[keys[run.run_id]] = shares
        for key in keys.values():
            self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return {run_id: self._kept[key] for run_id, key in keys.items()}


def comparisons(
    records: Sequence[VoteRecord], shares: Mapping[str, Shares], label_of: Callable[[str], str]
) -> tuple[Comparison, ...]:
    """The votes that can be counted; ``shares`` by run. Oldest first, as ``records`` are.

    A system that failed stands there without an answer, and the vote counts as it was given. An answer that was stopped
    or cut off is no system's doing: it is left out, and with it a vote for it or for its only opponent.
    """
    names = named((run.recipe for record in records for run in record.runs), label_of)
    alone = _alone(records)
    found = []
    for record in records:
        runs = [run for run in record.runs if run.status in _COUNTED]
        outcome = _outcome(record.vote.choice, runs)
        if outcome is not None and len(runs) > 1:
            sides = tuple(
                _side(run, names, [(_system(agent, run.recipe, alone), n) for agent, n in shares.get(run.run_id, ())])
                for run in runs
            )
            found.append(Comparison(sides, outcome, record.vote.at, record.vote.tags, record.vote.blind))
    return tuple(found)


def mixed(records: Sequence[VoteRecord]) -> list[VotedRun]:
    """The newest runs whose shares tell something: an answer that was written from proposals, of two models at least
    that were voted on by themselves."""
    alone = _alone(records).keys()
    runs = (run for record in reversed(records) for run in record.runs if run.status in _COUNTED)
    found = [run for run in runs if _is_written(run) and len(_proposers(run.recipe) & alone) > 1]
    return found[:OVERLAPS_MAX]


def _models(records: Iterable[VoteRecord]) -> set[str]:
    recipes = [run.recipe for record in records for run in record.runs]
    return {recipe.aggregator.model for recipe in recipes}.union(*map(_proposers, recipes))


def _proposers(recipe: Recipe) -> set[str]:
    return {agent.model for layer in recipe.layers for agent in layer.agents}


def _is_written(run: VotedRun) -> bool:
    layers = len(run.recipe.layers)
    return bool(layers and run.answer_slot and run.answer_slot.layer > layers and run.status is not Status.FAILED)


def _measured(runs: Sequence[VotedRun], proposals: Mapping[str, Sequence[VotedProposal]]) -> list[Shares]:
    from moa.evals.overlap import overlap  # sacrebleu takes a tenth of a second to load: not before it is wanted

    found = []
    for run in runs:
        texts = proposals.get(run.run_id, ())
        overlaps = overlap(run.answer, [one.text for one in texts])
        found.append(tuple((one.agent, shared.mean) for one, shared in zip(texts, overlaps, strict=True)))
    return found


def _outcome(choice: str, runs: Sequence[VotedRun]) -> int | Literal["tie", "bad"] | None:
    if choice == TIE:
        return "tie"
    if choice == BAD:
        return "bad"
    return next((i for i, run in enumerate(runs) if run.run_id == choice), None)


def _side(run: VotedRun, names: Mapping[str, str], shares: Sequence[tuple[Recipe | None, float]]) -> Side:
    name = names[run.recipe.digest]
    if run.status is Status.FAILED:
        return Side(name, 0, Style())
    overlaps = tuple((names[recipe.digest], share) for recipe, share in shares if recipe is not None)
    side = len(run.answer), style_of(run.answer)
    if run.mended:
        return Side(name, *side, overlaps=overlaps)
    tokens = run.usage.input_tokens + run.usage.output_tokens if run.usage else None
    return Side(name, *side, run.cost_microusd, run.duration_ms, run.first_answer_ms, tokens, overlaps)


def _alone(records: Iterable[VoteRecord]) -> Mapping[str, Sequence[Recipe]]:
    """The single models that were voted on, by model: each recipe once."""
    found: defaultdict[str, dict[str, Recipe]] = defaultdict(dict)
    for record in records:
        for run in record.runs:
            if not run.recipe.layers:
                found[run.recipe.aggregator.model][run.recipe.digest] = run.recipe
    return {model: tuple(recipes.values()) for model, recipes in found.items()}


def _system(agent: Agent, mixture: Recipe, alone: Mapping[str, Sequence[Recipe]]) -> Recipe | None:
    """The single model that stands for a proposer: the same one, asked alike where there are several."""
    found = alone.get(agent.model, ())
    told = agent.system or mixture.system
    same = [
        one for one in found
        if one.aggregator.sampling == agent.sampling and (one.aggregator.system or one.system) == told
    ]  # fmt: skip
    return same[0] if same else found[0] if len(found) == 1 else None
