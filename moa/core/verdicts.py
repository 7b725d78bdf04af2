"""What a model that judges answers has said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Choice = int | Literal["tie"]
"""The best answer by its index from left to right, or none that is better."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of answers that it read in one order.

    ``order`` are the answers' indexes from left to right, as the judge read them: its letters A, B … stand for these.
    ``choice`` is None when its reply names none. ``reason`` is the rest of the reply, in the judge's letters.
    """

    order: tuple[int, ...]
    choice: Choice | None
    reason: str
