"""The history's lines, and what its owner does to a line: titles, pins, deletions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, false, select, true, update
from sqlalchemy.orm import Session

from moa.chat.values import ConversationEntry
from moa.core.domain import Status
from moa.core.errors import NotFound
from storage.models import LISTED, ConversationRow, RunRow, TitleSource, TurnRow, UserRow
from storage.reading import conversation_row

ENTRIES_MAX = 200
UNDO = dt.timedelta(days=1)
_PURGED_AT_ONCE = 20  # in one transaction: other writes wait for no more than these


def list_entries(
    session: Session, owner: str, limit: int, before: dt.datetime | None, *, archived: bool
) -> tuple[ConversationEntry, ...]:
    """Newest change first; the first page begins with all that are pinned."""
    limit = max(1, min(limit, ENTRIES_MAX))
    is_pinned, changed = ConversationRow.pinned, ConversationRow.updated_at
    pinned = _entries(session, owner, archived, is_pinned == true()) if before is None else []
    others = [is_pinned == false(), *([changed < before] if before is not None else [])]
    page = _entries(session, owner, archived, *others, limit=limit)
    if len(page) == limit:  # the next page begins before this moment: what else is of it belongs here
        known = [entry.id for entry in page if entry.updated_at == page[-1].updated_at]
        tied = (changed == page[-1].updated_at, ConversationRow.id.not_in(known))
        page += _entries(session, owner, archived, *others, *tied)
    return (*pinned, *page)


def list_ids(session: Session, owner: str) -> Sequence[str]:
    """All conversations, newest change first."""
    row = ConversationRow
    query = select(row.id).where(row.owner_id == owner, row.deleted_at.is_(None), LISTED)
    return session.scalars(query.order_by(row.updated_at.desc(), row.id.desc())).all()


def _entries(
    session: Session, owner: str, archived: bool, *which: ColumnElement[bool], limit: int | None = None
) -> list[ConversationEntry]:
    row = ConversationRow
    running = (
        select(TurnRow.conversation_id)
        .join(RunRow, RunRow.turn_id == TurnRow.id)
        .where(RunRow.status == Status.RUNNING, RunRow.owner_id == owner)
    )
    query = (
        select(row.id, row.title, row.created_at, row.updated_at, row.id.in_(running), row.pinned, row.archived)
        # "= true" and not "IS true": PostgreSQL uses the index for the former alone
        .where(row.owner_id == owner, row.archived == (true() if archived else false()), *which)
        .where(row.deleted_at.is_(None), LISTED)
        .order_by(row.updated_at.desc(), row.id.desc())
        .limit(limit)
    )
    return [ConversationEntry(*found) for found in session.execute(query)]


def rename(session: Session, owner: str, conversation_id: str, title: str) -> None:
    """Give a title of the user's own."""
    row = conversation_row(session, owner, conversation_id, lock=True)
    row.title, row.title_source = title, TitleSource.USER


def suggest_title(session: Session, owner: str, conversation_id: str, title: str) -> None:
    """Give a written title, unless the user has given one."""
    row = conversation_row(session, owner, conversation_id, lock=True)
    if title and row.title_source is not TitleSource.USER:
        row.title, row.title_source = title, TitleSource.WRITTEN


def set_flags(session: Session, owner: str, conversation_id: str, pinned: bool | None, archived: bool | None) -> None:
    """Set what is not None."""
    row = conversation_row(session, owner, conversation_id, lock=True)
    row.pinned = row.pinned if pinned is None else pinned
    row.archived = row.archived if archived is None else archived


def hide(session: Session, owner: str, conversation_id: str, now: dt.datetime) -> None:
    """Delete in a way that can be undone. A run that another process carries out in it is to stop."""
    conversation_row(session, owner, conversation_id, lock=True).deleted_at = now
    of = select(TurnRow.id).where(TurnRow.conversation_id == conversation_id)
    session.execute(
        update(RunRow).where(RunRow.turn_id.in_(of), RunRow.status == Status.RUNNING).values(stop_asked_at=now)
    )


def restore(session: Session, owner: str, conversation_id: str, now: dt.datetime) -> None:
    """Undo ``hide``; one that isn't hidden stays as it is. NotFound once the time for it is over."""
    row = session.scalar(
        select(ConversationRow)
        .where(ConversationRow.id == conversation_id, ConversationRow.owner_id == owner)
        .with_for_update()
    )
    if row is None or (row.deleted_at is not None and row.deleted_at < now - UNDO):
        raise NotFound("conversation")
    row.deleted_at = None


def purge(session: Session, before: dt.datetime) -> int:
    """Remove some of what was hidden before a moment, with all that hangs on it. Returns how many; 0: none is left."""
    row = ConversationRow
    doomed = session.scalars(select(row.id).where(row.deleted_at < before).limit(_PURGED_AT_ONCE)).all()
    session.execute(delete(row).where(row.id.in_(doomed)))
    return len(doomed)


def erase_user(session: Session, owner: str) -> None:
    """Remove a user with all that hangs on it."""
    session.execute(delete(UserRow).where(UserRow.id == owner))
