"""Links that let anyone read a conversation as it stood. The token is never stored, only its hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from moa.chat.ports import UNVOTED
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
    turns = path(session, conversation)
    if _hides_any(session, owner, turns):
        raise InputRefused(UNVOTED)
    shown = _answered(session, turns)
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
    """What the link shows, each turn with one run in each column and no other attempt."""
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
    ended = {run_id for _, run_id in rows} | _ended_by(session, turns, share.created_at)
    shown = tuple(_as_it_stood(turn, ended) for turn in turns)
    return ConversationRecord(share.conversation_id, share.title, shown[-1].id, shown)


def copy(session: Session, actor: str, token: str, now: dt.datetime) -> str:
    """Write what the link shows as a conversation of the actor's own; its id."""
    shown = open_share(session, token, now)
    return import_tree(session, actor, ConversationTree(shown.id, shown.title, now, now, shown.head, shown.turns), now)


def _hides_any(session: Session, owner: str, turns: Sequence[TurnRow]) -> bool:
    """Whether any is a blind comparison that waits for its owner's vote."""
    blind = [turn for turn in turns if turn.comparison is not None and turn.comparison.blind]
    return any(turn.hidden for turn in load_turns(session, owner, blind))


def _answered(session: Session, turns: Sequence[TurnRow]) -> list[tuple[str, str]]:
    """Each turn of the path with the run shown in its first column, or the newest there that has ended; up to the first
    turn of which a column has none."""
    ended = session.execute(
        select(RunRow.turn_id, RunRow.column_no, RunRow.id)
        .where(RunRow.turn_id.in_([turn.id for turn in turns]), RunRow.status != Status.RUNNING)
        .order_by(RunRow.attempt)
    ).all()
    newest = {(row.turn_id, row.column_no): row.id for row in ended}
    whole = {row.id for row in ended}
    shown = []
    for turn in turns:
        columns = turn.comparison.order if turn.comparison else (1,)
        if any((turn.id, column) not in newest for column in columns):
            break
        run_id = turn.shown_run_id
        shown.append((turn.id, run_id if run_id and run_id in whole else newest[turn.id, 1]))
    return shown


def _ended_by(session: Session, turns: Sequence[TurnRecord], at: dt.datetime) -> set[str]:
    """The runs of comparisons that had ended when a link was made. The first of a column always had: without it the
    turn would not be in the link."""
    compared = [turn.id for turn in turns if turn.comparison is not None]
    query = select(RunRow.id).where(RunRow.turn_id.in_(compared), or_(RunRow.attempt == 1, RunRow.ended_at <= at))
    return set(session.scalars(query))


def _as_it_stood(turn: TurnRecord, ended: Collection[str]) -> TurnRecord:
    """The turn as it was shown when these runs had ended; what is the owner's own is left out."""
    runs = tuple(run for run in turn.runs if run.id in ended)
    beside = tuple(run for run in turn.further if run.id in ended)
    named = replace(turn.comparison, blind=False) if turn.comparison else None
    then = replace(
        turn, runs=runs, shown_run_id=runs[-1].id, further=beside, siblings=(turn.id,), comparison=named, vote=None
    )
    return replace(then, runs=(then.shown,), shown_run_id=then.shown.id, further=then.columns)


def _share(row: ShareRow) -> Share:
    return Share(row.id, row.conversation_id, row.created_at, row.expires_at, row.revoked_at is not None)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
