"""Finding a conversation by words in its title, questions, answers and proposals, in any language.

A query is data: words to be contained, never a language of its own. What looks the places up differs by database;
each place it gives is the owner's and not deleted, by its SQL. What a blind comparison hides is not found until its
owner has voted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from moa.chat.values import SearchHit
from moa.core.domain import Part
from moa.core.text import clean
from storage import search_postgres, search_sqlite
from storage.models import ResponseRow, RunRow, TurnRow, VoteRow
from storage.places import Place

HITS_MAX = 200
_Where = Literal["title", "question", "answer", "proposal"]
_QUERY_CHARS = 200
_WORDS_MAX = 8
_WORD = re.compile(r'"([^"]+)"|(\S+)')
_BEFORE, _SNIPPET = 40, 160
_ONE_LINE = str.maketrans("\n\r\t", "   ")


def words_of(query: str) -> tuple[str, ...]:
    """The words that must be contained; what stands in quotes is one word."""
    found = (quoted or bare.strip('"') for quoted, bare in _WORD.findall(clean(query)[:_QUERY_CHARS]))
    words = {word.casefold(): word for word in (" ".join(word.split()) for word in found) if word}
    return tuple(islice(words.values(), _WORDS_MAX))


def search(session: Session, owner: str, query: str, limit: int, offset: int) -> tuple[SearchHit, ...]:
    """Conversations that hold all words in one place: by title first, then newest first."""
    words, limit, offset = words_of(query), max(1, min(limit, HITS_MAX)), max(0, offset)
    if not words:
        return ()
    backend = search_sqlite if session.get_bind().dialect.name == "sqlite" else search_postgres
    places = chain(backend.titles(session, owner, words), backend.texts(session, owner, words))
    page = list(islice(_one_each(session, owner, places), offset, offset + limit))
    texts = _texts(session, owner, page)
    return tuple(_hit(place, *texts.get(place.source_id, ("title", place.title)), words) for place in page)


def _one_each(session: Session, owner: str, places: Iterator[Place]) -> Iterator[Place]:
    """The first place in each conversation that may be told. Only what a blind comparison hides costs a look."""

    @cache
    def voted(turn_id: str | None) -> bool:
        vote = select(VoteRow.id).where(VoteRow.turn_id == turn_id, VoteRow.owner_id == owner)
        return session.scalar(vote) is not None

    seen = set()
    for place in places:
        hidden = place.behind is not None and place.behind.blind
        if place.conversation_id not in seen and (not hidden or voted(place.turn_id)):
            seen.add(place.conversation_id)
            yield place


def _texts(session: Session, owner: str, places: Sequence[Place]) -> dict[str, tuple[_Where, str]]:
    """What stands at the places that are no titles: which kind of text, and the text."""
    sources = [place.source_id for place in places if place.turn_id is not None]
    turns = [place.turn_id for place in places if place.turn_id == place.source_id]
    questions = session.execute(select(TurnRow.id, TurnRow.question).where(TurnRow.id.in_(turns)))
    responses = session.execute(
        select(ResponseRow.id, ResponseRow.text, ResponseRow.agent)
        .join(RunRow, RunRow.id == ResponseRow.run_id)
        .where(ResponseRow.id.in_(sources), RunRow.owner_id == owner)
    )
    found: dict[str, tuple[_Where, str]] = {row.id: ("question", row.question) for row in questions}
    for row in responses:
        is_answer = row.agent is not None and row.agent.part is Part.AGGREGATOR
        found[row.id] = ("answer" if is_answer else "proposal", row.text)
    return found


def _hit(place: Place, where: _Where, text: str, words: Sequence[str]) -> SearchHit:
    snippet, marks = snippet_of(text, words)
    return SearchHit(place.conversation_id, place.title, place.turn_id, where, snippet, marks, place.updated_at)


def snippet_of(text: str, words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A line around the first of the words, and where they stand in it."""
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(word) for word in longest_first), re.IGNORECASE)
    first = pattern.search(text)
    start = max(0, first.start() - _BEFORE) if first else 0
    cut = text[start : start + _SNIPPET]
    before, after = "…" if start else "", "…" if start + _SNIPPET < len(text) else ""
    marks = tuple((m.start() + len(before), m.end() + len(before)) for m in pattern.finditer(cut))
    return before + cut.translate(_ONE_LINE) + after, marks
