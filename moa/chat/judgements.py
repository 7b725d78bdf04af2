"""What a judge's opinions are kept as: values with ids, as those of ``moa.chat.values``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from moa.chat.values import Vote
from moa.core.domain import Recipe, Usage
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
