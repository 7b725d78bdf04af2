"""A link that fills the page in: ``/?q=QUESTION&recipe=ID&vs=ID,ID&blind=0``. It never sends by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from moa.core.text import clean

_QUESTION_CHARS = 8_000
_NAME_CHARS = 200
_LIST_CHARS = 800


@dataclass(frozen=True, slots=True)
class Link:
    """What an address asks for; empty where it says nothing. ``versus`` are ids with commas between them."""

    question: str = ""
    recipe: str = ""
    versus: str = ""
    blind: bool = True


def linked(value: object) -> Link:
    """The address's parameters as the page's script sends them, cut to what is sane."""
    told = value if isinstance(value, Mapping) else {}

    def text(name: str, most: int) -> str:
        raw = told.get(name)
        return clean(raw).strip()[:most] if isinstance(raw, str) else ""

    return Link(
        question=text("q", _QUESTION_CHARS),
        recipe=text("recipe", _NAME_CHARS).removeprefix("moa/"),
        versus=text("vs", _LIST_CHARS),
        blind=text("blind", 8) not in ("0", "false", "no"),
    )
