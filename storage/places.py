"""Where a search found something, and how a word is asked for in SQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, case, null

from moa.chat.values import Comparison
from storage.models import ResponseRow, RunRow, TurnRow

_ESCAPED = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class Place:
    """A title (``turn_id`` None), a question (``source_id`` is the turn's) or a response (its own).

    ``behind`` is the comparison of which a response is no answer: see ``BEHIND``.
    """

    source_id: str
    conversation_id: str
    title: str
    updated_at: dt.datetime
    turn_id: str | None
    behind: Comparison | None = None


_IS_ANSWER = and_(ResponseRow.layer == RunRow.answer_layer, ResponseRow.position == RunRow.answer_position)
BEHIND = case((_IS_ANSWER, null()), else_=TurnRow.comparison)
"""Of a response with its run and turn, what a place has as ``behind``: one more value of rows that are read anyhow."""


def pattern(word: str) -> str:
    """The operand of LIKE, with ``\\`` as its escape, for what contains a word."""
    return f"%{word.translate(_ESCAPED)}%"
