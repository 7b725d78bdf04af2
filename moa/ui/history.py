"""The sidebar's list and what a search finds, as the browser gets them. Pure.

Moments are UTC to the microsecond, all of one length, so that the browser compares them as texts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Literal, TypedDict

from moa.chat.values import ConversationEntry, SearchHit
from moa.ui.contract import EntryJson, HistoryJson


class PieceJson(TypedDict):
    """A part of a snippet; ``hit``: it is what was searched for."""

    text: str
    hit: bool


class HitJson(TypedDict):
    """A conversation that was found. ``turn`` is None where its title matched."""

    conversation: str
    title: str
    turn: str | None
    where: Literal["title", "question", "answer", "proposal"]
    snippet: list[PieceJson]
    at: str


class FoundJson(TypedDict):
    """A page of what was found; ``next`` is given as ``offset`` for the next one, None when there is none."""

    hits: list[HitJson]
    next: int | None


def page(entries: Sequence[ConversationEntry], *, limit: int, current: str | None) -> HistoryJson:
    """A page of the list, as a store gave it for ``limit``: with fewer than that, pinned ones aside, it is the last."""
    others = [entry for entry in entries if not entry.pinned]
    full = len(others) >= limit
    return HistoryJson(
        entries=[_entry(entry) for entry in entries],
        current=current,
        next=_moment(others[-1].updated_at) if others and full else None,
    )


def hits(found: Sequence[SearchHit], *, offset: int, limit: int) -> FoundJson:
    """A page of what was found. ``found`` holds one more than ``limit`` when there is another page."""
    more = len(found) > limit
    return FoundJson(hits=[_hit(hit) for hit in found[:limit]], next=offset + limit if more else None)


def _entry(entry: ConversationEntry) -> EntryJson:
    return EntryJson(
        id=entry.id,
        title=entry.title,
        at=_moment(entry.updated_at),
        running=entry.running,
        pinned=entry.pinned,
    )


def _hit(hit: SearchHit) -> HitJson:
    return HitJson(
        conversation=hit.conversation_id,
        title=hit.title,
        turn=hit.turn_id,
        where=hit.where,
        snippet=list(_pieces(hit.snippet, hit.marks)),
        at=_moment(hit.updated_at),
    )


def _pieces(snippet: str, marks: Sequence[tuple[int, int]]) -> Iterator[PieceJson]:
    """Cut at the marks: a browser counts UTF-16 units where Python counts characters, so places would not agree."""
    at = 0
    for start, end in marks:
        if at < start:
            yield PieceJson(text=snippet[at:start], hit=False)
        yield PieceJson(text=snippet[start:end], hit=True)
        at = end
    if at < len(snippet):
        yield PieceJson(text=snippet[at:], hit=False)


def _moment(when: dt.datetime) -> str:
    return when.astimezone(dt.UTC).isoformat(timespec="microseconds")
