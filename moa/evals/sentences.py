"""Cuts a Markdown text into sentences, for any script that marks their ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from moa.evals.markdown import FENCED, HEADER, LIST_ITEM, RULE, TABLE_ROW

_CLOSING = "\"'\u201d\u2019\u00bb)\\]}*_`\u300d\u300f\uff09\u3011\u300b\u3009"
_EAST_ASIAN = "\u3001-\u303f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uff60"
# Latin and Indic marks end a sentence where a blank follows; East Asian ones are set without. Each run of marks is
# looked at once, from its beginning, or a page of dots would take a page of time for each.
_END = re.compile(
    rf"(?<![.!?…])(?:[.!?…]++[{_CLOSING}]*+(?=\s|\Z)|[!?]++[{_CLOSING}]*+(?=[{_EAST_ASIAN}]))"
    rf"|[\u3002\uff01\uff1f\uff61]++[{_CLOSING}]*+"  # 。 and wide ! and ?
    rf"|[\u0964\u0965\u061f\u06d4\u1362]++[{_CLOSING}]*+(?=\s|\Z)"  # dandas, Arabic and Ethiopic marks
)
_ABBREVIATION = re.compile(
    r"(?<![\w.])(?:(?:[a-z]\.)*[a-z]|cf|vs|ca|approx|mr|mrs|ms|dr|prof|st|fig|eq|vol|bzw)\Z", re.IGNORECASE
)
_LONGEST_ABBREVIATION = 6
_LOWER = re.compile(r"\s+[a-zà-öø-ÿа-яα-ω]")
_LINE = re.compile(r"[^\n]+\n?|\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text, from ``start`` up to ``end``, in characters as Python counts them: an emoji is one, where a
    page's scripts count two."""

    start: int
    end: int


def sentences(text: str) -> tuple[Span, ...]:
    """The sentences of a Markdown text, in order and apart; all that is not blank is in one of them.

    A code block, heading, table row or rule is one piece; a list item begins a new sentence. A sentence may run over
    line ends, and ends at a blank line. A full stop after a known abbreviation or an initial ends none.
    """
    found: list[Span] = []
    at = 0
    for fence in FENCED.finditer(text):
        found += _prose(text, at, fence.start())
        found += _trimmed(text, *fence.span())
        at = fence.end()
    return (*found, *_prose(text, at, len(text)))


def _prose(text: str, start: int, end: int) -> Iterator[Span]:
    """The sentences of a part without code blocks, paragraph by paragraph."""
    paragraph = scan = start
    for line in _LINE.finditer(text, start, end):
        at = line.start()
        item = LIST_ITEM.match(text, at, line.end())
        if _stands_alone(text, line):
            yield from _split(text, paragraph, scan, at)
            yield from _trimmed(text, at, line.end())
            paragraph = scan = line.end()
        elif item or line[0].isspace():
            yield from _split(text, paragraph, scan, at)
            paragraph, scan = at, item.end() if item else at
    yield from _split(text, paragraph, scan, end)


def _stands_alone(text: str, line: re.Match[str]) -> bool:
    return any(block.match(text, line.start(), line.end()) for block in (HEADER, TABLE_ROW, RULE))


def _split(text: str, start: int, scan: int, end: int) -> Iterator[Span]:
    """The sentences of a paragraph. What is before ``scan``, a list item's number, ends none."""
    for mark in _END.finditer(text, scan, end):
        if not _goes_on(text, mark):
            yield from _trimmed(text, start, mark.end())
            start = mark.end()
    yield from _trimmed(text, start, end)


def _goes_on(text: str, mark: re.Match[str]) -> bool:
    """Whether the sentence continues: after an abbreviation, a pause, or speech within it."""
    if mark[0] == ".":
        return _ABBREVIATION.search(text, max(0, mark.start() - _LONGEST_ABBREVIATION), mark.start()) is not None
    return mark[0] not in ("!", "?") and _LOWER.match(text, mark.end()) is not None


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The piece without blanks around it; nothing where it is all blank."""
    piece = text[start:end]
    if piece and not piece.isspace():
        yield Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))
