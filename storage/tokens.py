"""Keys to the HTTP API. The key itself is never stored, only its hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from moa.chat.values import Token
from moa.core.errors import InputRefused, NotFound
from moa.core.text import clean
from storage.beginning import hold_user
from storage.ids import new_id
from storage.models import TokenRow

NAME_CHARS = 80
TELL = "Give the token a name of 1 to 80 characters, such as that of the program that will use it."
NOTE_EVERY = dt.timedelta(minutes=1)
_FORM = re.compile(r"moa_[A-Za-z0-9_-]{43}")


def create(session: Session, owner: str, name: str, now: dt.datetime) -> tuple[Token, str]:
    """Write a token; returns what to send for it too, which holds 256 random bits."""
    name = " ".join(clean(name).split())
    if not 1 <= len(name) <= NAME_CHARS:
        raise InputRefused(TELL)
    hold_user(session, owner, now)
    told = "moa_" + secrets.token_urlsafe(32)
    row = TokenRow(id=new_id(), owner_id=owner, name=name, token_hash=_hash(told), created_at=now)
    session.add(row)
    session.flush()
    return _token(row), told


def of_owner(session: Session, owner: str) -> tuple[Token, ...]:
    """All tokens of an owner, newest first, also those that were revoked."""
    query = select(TokenRow).where(TokenRow.owner_id == owner)
    return tuple(_token(row) for row in session.scalars(query.order_by(TokenRow.created_at.desc(), TokenRow.id)))


def revoke(session: Session, owner: str, token_id: str, now: dt.datetime) -> None:
    """End a token at once."""
    row = session.scalar(select(TokenRow).where(TokenRow.id == token_id, TokenRow.owner_id == owner))
    if row is None:
        raise NotFound("token")
    row.revoked_at = row.revoked_at or now


def owner_of(session: Session, told: str) -> tuple[str, str, dt.datetime | None] | None:
    """The token's id, its owner and when it was last noted as used; None for one that is wrong or revoked.

    It is found by its hash, so the time that takes says nothing about how much of a guess was right.
    """
    if not _FORM.fullmatch(told):
        return None
    wanted = (TokenRow.token_hash == _hash(told), TokenRow.revoked_at.is_(None))
    found = session.execute(select(TokenRow.id, TokenRow.owner_id, TokenRow.last_used_at).where(*wanted)).one_or_none()
    return None if found is None else (found[0], found[1], found[2])


def note_use(session: Session, token_id: str, now: dt.datetime) -> None:
    """Remember that a token was used."""
    row = session.get(TokenRow, token_id)
    if row is not None:
        row.last_used_at = now


def _token(row: TokenRow) -> Token:
    return Token(row.id, row.name, row.created_at, row.last_used_at, row.revoked_at is not None)


def _hash(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()
