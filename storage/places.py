"""Where a search found something, and how a word is asked for in SQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

_ESCAPED = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class Place:
    """A title (``turn_id`` None), a question (``source_id`` is the turn's) or a response (its own)."""

    source_id: str
    conversation_id: str
    title: str
    updated_at: dt.datetime
    turn_id: str | None


def pattern(word: str) -> str:
    """The operand of LIKE, with ``\\`` as its escape, for what contains a word."""
    return f"%{word.translate(_ESCAPED)}%"
