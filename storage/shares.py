"""Links that let anyone read a conversation as it stood. The token is never stored, only its hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from moa.chat.values import ConversationRecord, ConversationTree, Share, TurnRecord
from moa.core.domain import Status
from moa.core.errors import InputRefused, NotFound
from storage.ids import new_id
from storage.models import ConversationRow, RunRow, ShareRow, ShareTurnRow, TurnRow
from storage.reading import conversation_row, load_turns, path
from storage.trees import import_tree

NOTHING_YET = "There is no finished answer to share yet."
PAST = "A link must end in the future."
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def create(
    session: Session, owner: str, conversation_id: str, expires_at: dt.datetime, now: dt.datetime
) -> tuple[Share, str]:
    """Write a link to the path shown, as far as it is answered; returns its token too, which is 256 random bits."""
    if expires_at <= now:
        raise InputRefused(PAST)
    conversation = conversation_row(session, owner, conversation_id)
    shown = _answered(session, path(session, conversation))
    if not shown:
        raise InputRefused(NOTHING_YET)
    token = secrets.token_urlsafe(32)
    row = ShareRow(
        id=new_id(), conversation_id=conversation.id, token_hash=_hash(token), title=conversation.title,
        created_at=now, expires_at=expires_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add_all(ShareTurnRow(share_id=row.id, turn_id=turn_id, run_id=run_id) for turn_id, run_id in shown)
    return _share(row), token


def of_conversation(session: Session, owner: str, conversation_id: str) -> tuple[Share, ...]:
    """All links of a conversation, newest first."""
    conversation = conversation_row(session, owner, conversation_id)
    query = select(ShareRow).where(ShareRow.conversation_id == conversation.id)
    return tuple(_share(row) for row in session.scalars(query.order_by(ShareRow.created_at.desc(), ShareRow.id)))


def revoke(session: Session, owner: str, share_id: str, now: dt.datetime) -> None:
    """End a link at once."""
    row = session.scalar(
        select(ShareRow)
        .join(ConversationRow, ConversationRow.id == ShareRow.conversation_id)
        .where(ShareRow.id == share_id, ConversationRow.owner_id == owner, ConversationRow.deleted_at.is_(None))
    )
    if row is None:
        raise NotFound("link")
    row.revoked_at = row.revoked_at or now


def checked_token(value: object) -> str:
    """``value`` when it has the form of a token. Raises NotFound in the words of one that is wrong."""
    if isinstance(value, str) and _TOKEN.fullmatch(value):
        return value
    raise NotFound("link")


def open_share(session: Session, token: str, now: dt.datetime) -> ConversationRecord:
    """What the link shows, each turn with one run and none beside it."""
    found = session.execute(
        select(ShareRow, ConversationRow.owner_id)
        .join(ConversationRow, ConversationRow.id == ShareRow.conversation_id)
        .where(
            ShareRow.token_hash == _hash(token),
            ShareRow.revoked_at.is_(None),
            ShareRow.expires_at > now,
            ConversationRow.deleted_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        raise NotFound("link")
    share, owner = found
    rows = session.execute(
        select(TurnRow, ShareTurnRow.run_id)
        .join(ShareTurnRow, ShareTurnRow.turn_id == TurnRow.id)
        .where(ShareTurnRow.share_id == share.id)
        .order_by(TurnRow.position)
    ).all()
    turns = load_turns(session, owner, [turn for turn, _ in rows])
    shown = tuple(_alone(turn, run_id) for turn, (_, run_id) in zip(turns, rows, strict=True))
    return ConversationRecord(share.conversation_id, share.title, shown[-1].id, shown)


def copy(session: Session, actor: str, token: str, now: dt.datetime) -> str:
    """Write what the link shows as a conversation of the actor's own; its id."""
    shown = open_share(session, token, now)
    return import_tree(session, actor, ConversationTree(shown.id, shown.title, now, now, shown.head, shown.turns), now)


def _answered(session: Session, turns: Sequence[TurnRow]) -> list[tuple[str, str]]:
    """Each turn of the path with its run shown, or the newest that has ended; up to the first turn without one."""
    ended = session.execute(
        select(RunRow.turn_id, RunRow.id)
        .where(RunRow.turn_id.in_([turn.id for turn in turns]), RunRow.column_no == 1, RunRow.status != Status.RUNNING)
        .order_by(RunRow.attempt)
    ).all()
    newest = {row.turn_id: row.id for row in ended}
    whole = {row.id for row in ended}
    shown = []
    for turn in turns:
        if turn.id not in newest:
            break
        run_id = turn.shown_run_id
        shown.append((turn.id, run_id if run_id and run_id in whole else newest[turn.id]))
    return shown


def _alone(turn: TurnRecord, run_id: str) -> TurnRecord:
    runs = tuple(run for run in turn.runs if run.id == run_id)
    alone = replace(turn, runs=runs, shown_run_id=run_id, siblings=(turn.id,))
    return replace(alone, further=(), comparison=None, vote=None)


def _share(row: ShareRow) -> Share:
    return Share(row.id, row.conversation_id, row.created_at, row.expires_at, row.revoked_at is not None)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
