"""How an answer is set, apart from what it says."""

from __future__ import annotations

from dataclasses import dataclass

from moa.evals.markdown import BOLD, FENCED, HEADER, LIST_ITEM


@dataclass(frozen=True, slots=True)
class Style:
    """How many Markdown headers, list items and bold passages an answer has.

    With its length, these are what the arena's style control holds equal (Li, Angelopoulos and Chiang, "Does style
    matter?", 2024).
    """

    headers: int = 0
    lists: int = 0
    bold: int = 0


def style_of(answer: str) -> Style:
    """The style of a Markdown text, its code blocks left out."""
    prose = FENCED.sub("", answer)
    return Style(len(HEADER.findall(prose)), len(LIST_ITEM.findall(prose)), len(BOLD.findall(prose)))
