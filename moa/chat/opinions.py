"""Opinions on comparisons with what they were about, their owner's and judges': as ``moa.chat.values``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from moa.chat.values import Vote
from moa.core.domain import Agent, Recipe, Slot, Status, Usage
from moa.core.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model thought of a comparison: one verdict for each order in which it read the answers.

    ``judge`` is its id. ``sides`` are the runs that it read, from left to right as they were shown. Figures are those
    of all its calls, the time that of the longest. ``cut_chars`` is how much of the answers it was not sent, for they
    did not fit its window.
    """

    turn_id: str
    judge: str
    sides: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    usage: Usage | None
    cost_microusd: int | None
    duration_ms: int
    cut_chars: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class JudgementRecord:
    """A judgement with what it was about: the sides' recipes, and its owner's own vote if there is one."""

    judgement: Judgement
    recipes: tuple[Recipe, ...]
    vote: Vote | None


@dataclass(frozen=True, slots=True)
class VotedRun:
    """One side of a vote: what answered, what it said, took and cost. Unknown is None.

    A single model's answer that was taken over from another column has the figures of its call there: it was not paid
    twice, but that is what it costs and takes. ``mended``: a mixture's run that took texts over from an earlier
    attempt, so that its figures are those of the rest alone.
    """

    run_id: str
    column: int
    recipe: Recipe
    status: Status
    answer: str
    usage: Usage | None
    cost_microusd: int | None
    calls: int
    first_answer_ms: int | None
    duration_ms: int
    answer_slot: Slot | None = None
    mended: bool = False


@dataclass(frozen=True, slots=True)
class VotedProposal:
    """A text that a mixture's answer was written from, and who gave it."""

    agent: Agent
    text: str


@dataclass(frozen=True, slots=True)
class VoteRecord:
    """A vote with what it was about; ``runs`` from left to right, as they were shown."""

    turn_id: str
    conversation_id: str
    question: str
    vote: Vote
    runs: tuple[VotedRun, ...]
