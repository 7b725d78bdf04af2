"""Search on SQLite: FTS5's trigrams for words of two characters and more, newest first and only as far as needed.

A single character is looked for in what the other words leave, or else in the newest texts.
See ``storage.migrations.search_sqlite``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    case,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from storage.models import ConversationRow, ResponseRow, RunRow, TurnRow
from storage.places import BEHIND, Place, pattern

_OWNER = table("search_owner", column("number"), column("owner_id"))
_ENTRIES = table("search_entry", column("id"), column("tag"), column("kind"), column("source_id"))
_ENTRY = _ENTRIES.c
_BATCH = 500
# How far back is looked, in texts: among what holds the words; among what does and must hold a single character too;
# and for a single character alone.
_CANDIDATES, _FILTERED = 5_000, 1_500
_NEWEST = {"title": 3_000, "question": 3_000, "response": 1_000}
_TERMS_MAX = 300
# The trigrams from ``low`` to ``high``. Each is looked up behind the one before it, so that its entries are not read.
# A term has three characters always: with one more it is the least that could follow.
_TERMS = """
    WITH RECURSIVE following (term) AS (
        SELECT (SELECT term FROM vocabulary WHERE term >= :low AND term < :high ORDER BY term LIMIT 1)
        UNION ALL
        SELECT (
            SELECT v.term FROM vocabulary v WHERE v.term >= following.term || char(1) AND v.term < :high
            ORDER BY v.term LIMIT 1
        ) FROM following WHERE following.term IS NOT NULL
    )
    SELECT term FROM following WHERE term IS NOT NULL LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One FTS5 table: ``content`` is where the texts of its entries are, ``places`` the query for places."""

    index: str
    kinds: tuple[str, ...]
    content: SQLColumnExpression[str]
    places: Select[*tuple[Any, ...]]


def titles(session: Session, owner: str, words: Sequence[str]) -> Iterator[Place]:
    """Conversations by title, newest made first."""
    row = ConversationRow
    places = select(_ENTRY.id, row.id, row.id, row.title, row.updated_at, null())
    places = places.join_from(_ENTRIES, row, row.id == _ENTRY.source_id)
    return _find(session, owner, words, _Wanted("search_title", ("title",), row.title, places))


def texts(session: Session, owner: str, words: Sequence[str]) -> Iterator[Place]:
    """Questions and responses, newest first."""
    row, is_question = ConversationRow, _ENTRY.kind == "question"
    behind = case((is_question, null()), else_=BEHIND)
    places = (
        select(_ENTRY.id, _ENTRY.source_id, row.id, row.title, row.updated_at, TurnRow.id, behind)
        .select_from(_ENTRIES)
        .outerjoin(ResponseRow, and_(_ENTRY.kind == "response", ResponseRow.id == _ENTRY.source_id))
        .outerjoin(RunRow, RunRow.id == ResponseRow.run_id)
        .join(TurnRow, TurnRow.id == case((is_question, _ENTRY.source_id), else_=RunRow.turn_id))
        .join(row, row.id == TurnRow.conversation_id)
    )
    content = case((is_question, TurnRow.question), else_=ResponseRow.text)
    return _find(session, owner, words, _Wanted("search_text", ("question", "response"), content, places))


def _find(session: Session, owner: str, words: Sequence[str], wanted: _Wanted) -> Iterator[Place]:
    tag = session.scalar(select(func.printf("%03x", _OWNER.c.number)).where(_OWNER.c.owner_id == owner))
    if tag is None:
        return
    own = wanted.places.where(ConversationRow.owner_id == owner, ConversationRow.deleted_at.is_(None))
    singles = [_contains(wanted.content, word) for word in words if len(word) == 1]
    own = own.where(*singles)
    asked = [_asked(session, wanted.index, word) for word in words if len(word) > 1]
    if None in asked:
        return
    if asked:
        match = " AND ".join([f'tag : "{tag}"', *filter(None, asked)])
        found = literal_column(wanted.index).op("MATCH")(match)
        indexed: Select[int] = select(literal_column("rowid")).select_from(table(wanted.index)).where(found)
        yield from _walk(session, indexed, own, _FILTERED if singles else _CANDIDATES)
        return
    for kind in wanted.kinds:
        newest = select(_ENTRY.id).where(_ENTRY.tag == tag, _ENTRY.kind == kind)
        yield from _walk(session, newest, own, _NEWEST[kind])


def _walk(session: Session, candidates: Select[int], places: Select[*tuple[Any, ...]], bound: int) -> Iterator[Place]:
    """Places from the newest entry back, in batches, until the caller has enough or the bound is reached."""
    entry = candidates.selected_columns[0]
    below = 2**62
    for _ in range(0, bound, _BATCH):
        query = candidates.where(entry < below).order_by(entry.desc()).limit(_BATCH)
        ids = session.scalars(query).all()
        found = session.execute(places.where(_ENTRY.id.in_(ids)).order_by(_ENTRY.id.desc()))
        yield from (Place(*row[1:]) for row in found)
        if len(ids) < _BATCH:
            return
        below = ids[-1]


def _asked(session: Session, index: str, word: str) -> str | None:
    """The word in FTS5's language; None when no text can hold it."""
    if len(word) > 2:
        return f"text : {_string(word)}"
    low = word.lower()
    within = {"low": low, "high": low + chr(0x10FFFF), "most": _TERMS_MAX}
    terms: Sequence[str] = session.scalars(text(_TERMS.replace("vocabulary", f"{index}_terms")), within).all()
    return f"text : ({' OR '.join(map(_string, terms))})" if terms else None


def _string(word: str) -> str:
    """A string of FTS5, in which only a quote has a meaning."""
    return '"' + word.replace('"', '""') + '"'


def _contains(content: SQLColumnExpression[str], word: str) -> ColumnElement[bool]:
    """SQLite's LIKE knows the case of ASCII alone."""
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper()}
    return or_(*(content.like(pattern(spelling), escape="\\") for spelling in spellings))
