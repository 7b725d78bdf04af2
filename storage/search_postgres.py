"""Search on PostgreSQL: ILIKE, over indexes of pg_trgm where the extension could be made.

The newest conversations are read one after the other, which finds a common word at once; a rare one is found by the
index, whatever its age. In between, and for words of one or two characters, which have no trigram, a thousand more
conversations are read, and older ones are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, null, select, text, type_coerce, union_all
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from storage.models import LISTED, ConversationRow, ResponseRow, RunRow, Stage, TurnRow
from storage.places import BEHIND, Place, pattern

_NEWEST, _OLDER, _TITLES = 100, 1_000, 20_000
_TRIGRAM = 3
_ROWS = 2_000
_PATIENCE_MS = 100
_CANCELED = "57014"  # SQLSTATE of a statement that took too long


def titles(session: Session, owner: str, words: Sequence[str]) -> Iterator[Place]:
    """Conversations by title, newest change first."""
    row = ConversationRow
    own = select(row.id, row.title, row.updated_at).where(row.owner_id == owner, row.deleted_at.is_(None), LISTED)
    own = own.order_by(row.updated_at.desc(), row.id)
    if not _indexable(words):
        own = own.limit(_TITLES)
    found = own.subquery()
    query = select(found.c.id, found.c.id, found.c.title, found.c.updated_at, null())
    query = query.where(_contains(found.c.title, words)).order_by(found.c.updated_at.desc(), found.c.id)
    return _places(session, query.limit(_ROWS))


def texts(session: Session, owner: str, words: Sequence[str]) -> Iterator[Place]:
    """Questions and responses, newest conversation first."""
    yield from _places(session, _read_through(owner, words, 0, _NEWEST))
    row = ConversationRow
    older = select(row.id).where(row.owner_id == owner, row.deleted_at.is_(None), LISTED).offset(_NEWEST).limit(1)
    if session.scalar(older.order_by(row.updated_at.desc(), row.id)) is None:
        return
    found = _by_index(session, words) if _indexable(words) else None
    if found is None:
        yield from _places(session, _read_through(owner, words, _NEWEST, _OLDER))
    else:
        turns, responses = found
        yield from _places(session, _newest_first(owner, TurnRow.id.in_(turns), ResponseRow.id.in_(responses)))


def _indexable(words: Sequence[str]) -> bool:
    """Whether the trigrams of any word narrow the search."""
    return any(len(word) >= _TRIGRAM for word in words)


def _places(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Place]:
    return (Place(*found) for found in session.execute(query))


def _by_index(session: Session, words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]] | None:
    """The turns and responses of anybody that hold all words, by id; the caller looks whose they are.

    None when there are too many, or when that takes too long: words whose trigrams are everywhere.
    """
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL statement_timeout = {_PATIENCE_MS}"))
            asks = _contains(TurnRow.question, words)
            turns = session.scalars(select(TurnRow.id).where(asks).limit(_ROWS)).all()
            says = and_(ResponseRow.stage != Stage.GROWING, _contains(ResponseRow.text, words))
            responses = session.scalars(select(ResponseRow.id).where(says).limit(_ROWS)).all()
            session.execute(text("SET LOCAL statement_timeout TO DEFAULT"))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _CANCELED:
            return None
        raise
    return (turns, responses) if max(len(turns), len(responses)) < _ROWS else None


def _read_through(owner: str, words: Sequence[str], offset: int, size: int) -> Select[*tuple[Any, ...]]:
    """Places in some conversations of the owner, which are read whole."""
    row = ConversationRow
    near = (
        select(row.id)
        .where(row.owner_id == owner, row.deleted_at.is_(None), LISTED)
        .order_by(row.updated_at.desc(), row.id)
        .offset(offset)
        .limit(size)
    )
    chosen = select(near.cte("near").prefix_with("MATERIALIZED", dialect="postgresql").c.id)
    is_near = TurnRow.conversation_id.in_(chosen)
    # An index would give what anybody has; with something appended to the text, none is thought of.
    asks = _contains(TurnRow.question + "", words)
    says = and_(ResponseRow.stage != Stage.GROWING, _contains(ResponseRow.text + "", words))
    return _newest_first(owner, and_(is_near, asks), and_(is_near, says))


def _newest_first(owner: str, asks: ColumnElement[bool], says: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The owner's places among turns and responses, newest conversation first."""
    row = ConversationRow
    columns = (row.id.label("conversation_id"), row.title, row.updated_at, TurnRow.id.label("turn_id"))
    own = and_(row.owner_id == owner, row.deleted_at.is_(None), LISTED)
    nothing = type_coerce(null(), TurnRow.comparison.type).label("behind")
    turns = select(TurnRow.id.label("source_id"), *columns, nothing).join(row, row.id == TurnRow.conversation_id)
    responses = (
        select(ResponseRow.id, *columns, BEHIND)
        .join(RunRow, RunRow.id == ResponseRow.run_id)
        .join(TurnRow, TurnRow.id == RunRow.turn_id)
        .join(row, row.id == TurnRow.conversation_id)
    )
    both = union_all(turns.where(own, asks), responses.where(own, says)).subquery()
    return select(both).order_by(both.c.updated_at.desc(), both.c.conversation_id, both.c.turn_id).limit(_ROWS)


def _contains(content: SQLColumnExpression[str], words: Sequence[str]) -> ColumnElement[bool]:
    return and_(*(content.ilike(pattern(word), escape="\\") for word in words))
