"""The tables. Rows never leave this package; ``storage.rows`` turns them into values.

A conversation's turns form a tree by ``parent_id``; its head names the path shown. A turn has runs: side by
side as columns, each column with attempts. A run has responses: one for each slot, with attempts. A share names
turns and the run of each; votes and judgements are about a turn's columns. A token lets a program in. Every id is
opaque random text. Unknown is NULL. Money is integer micro-dollars; durations are milliseconds.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, ClassVar, get_args

from sqlalchemy import BigInteger, Enum, ForeignKey, Index, MetaData, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from moa.chat.values import Comparison, Source
from moa.core.domain import Agent, FailureKind, Finish, LeftOut, Message, Missing, Recipe, Status, Usage
from moa.core.verdicts import Verdict
from storage.columns import CleanText, Json, UtcTime, word
from storage.ids import ID_CHARS, KEY_CHARS

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class TitleSource(StrEnum):
    """Who gave a conversation its title; a written one replaces first words, never a user's own."""

    FIRST_WORDS = "first_words"
    WRITTEN = "written"
    USER = "user"


class Stage(StrEnum):
    """How far a response is. A growing one has text but no outcome yet."""

    GROWING = "growing"
    DONE = "done"
    FAILED = "failed"


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can find it on either database."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[type, TypeEngine[Any]]] = {
        str: CleanText(),
        dt.datetime: UtcTime(),
        int: BigInteger(),
    }


def _id() -> Mapped[str]:
    return mapped_column(String(ID_CHARS), primary_key=True)


def _owner() -> Mapped[str]:
    return mapped_column(String(KEY_CHARS), ForeignKey("user.id", ondelete="CASCADE"))


class UserRow(Base):
    """Somebody who has sent a question. ``id`` is the actor's."""

    __tablename__ = "user"

    id: Mapped[str] = mapped_column(String(KEY_CHARS), primary_key=True)
    created_at: Mapped[dt.datetime]


LISTED = text("source <> 'api'")
"""What the list and the search show. In these words: by them the databases know their index."""


class ConversationRow(Base):
    """``deleted_at`` hides it; its turns stay, so that deleting can be undone."""

    __tablename__ = "conversation"

    id: Mapped[str] = _id()
    owner_id: Mapped[str] = _owner()
    title: Mapped[str]
    title_source: Mapped[TitleSource] = mapped_column(word(TitleSource))
    head_turn_id: Mapped[str | None] = mapped_column(
        String(ID_CHARS), ForeignKey("turn.id", ondelete="SET NULL", use_alter=True)
    )
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    pinned: Mapped[bool] = mapped_column(default=False)
    archived: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[dt.datetime | None]
    source: Mapped[Source] = mapped_column(Enum(*get_args(Source), native_enum=False, length=24), server_default="page")

    __table_args__ = (
        Index(None, "owner_id", "updated_at"),
        Index(
            "ix_conversation_listed",
            "owner_id",
            "archived",
            "pinned",
            "updated_at",
            sqlite_where=LISTED,
            postgresql_where=LISTED,
        ),
        Index(None, "head_turn_id"),
    )


class TurnRow(Base):
    """A question. ``position`` is its depth and ``sibling`` its number among those at its place, from 1.

    ``shown_run_id`` is a run of its first column. ``comparison`` is NULL while it has no other.
    """

    __tablename__ = "turn"

    id: Mapped[str] = _id()
    conversation_id: Mapped[str] = mapped_column(String(ID_CHARS), ForeignKey("conversation.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(String(ID_CHARS), ForeignKey("turn.id", ondelete="CASCADE"))
    position: Mapped[int]
    sibling: Mapped[int] = mapped_column(default=1)
    question: Mapped[str]
    shown_run_id: Mapped[str | None] = mapped_column(
        String(ID_CHARS), ForeignKey("run.id", ondelete="SET NULL", use_alter=True)
    )
    created_at: Mapped[dt.datetime]
    comparison: Mapped[Comparison | None] = mapped_column(Json(Comparison))

    __table_args__ = (
        UniqueConstraint("conversation_id", "parent_id", "sibling"),
        Index(None, "parent_id"),
        Index(None, "shown_run_id"),
    )


class RunRow(Base):
    """``owner_id`` is the conversation's, repeated so that a request key is one run for each owner.

    A turn's own request key is that of its first run. ``process`` carries it out, until it has told the run's end;
    ``heartbeat_at`` is when it last wrote, ``stop_asked_at`` when another one asked it to stop. See storage.recovery.
    """

    __tablename__ = "run"

    id: Mapped[str] = _id()
    turn_id: Mapped[str] = mapped_column(String(ID_CHARS), ForeignKey("turn.id", ondelete="CASCADE"))
    owner_id: Mapped[str] = _owner()
    request_key: Mapped[str | None] = mapped_column(String(KEY_CHARS))
    column_no: Mapped[int] = mapped_column(default=1)
    attempt: Mapped[int]
    status: Mapped[Status] = mapped_column(word(Status))
    recipe: Mapped[Recipe] = mapped_column(Json(Recipe))
    digest: Mapped[str] = mapped_column(String(16))
    seed: Mapped[int]
    started_at: Mapped[dt.datetime]
    heartbeat_at: Mapped[dt.datetime]
    process: Mapped[str | None] = mapped_column(String(KEY_CHARS))
    stop_asked_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    duration_ms: Mapped[int | None]
    first_answer_ms: Mapped[int | None]
    answer: Mapped[str | None]
    answer_layer: Mapped[int | None]
    answer_position: Mapped[int | None]
    degraded: Mapped[tuple[Missing, ...] | None] = mapped_column(Json(tuple[Missing, ...]))
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    tokens_estimated: Mapped[bool | None]
    cost_microusd: Mapped[int | None]
    calls: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("owner_id", "request_key"),
        UniqueConstraint("turn_id", "column_no", "attempt"),
        Index(None, "status", "owner_id"),
    )


class ResponseRow(Base):
    """What one slot of a run was asked and gave. ``text`` is a proposal's, or what a failed slot had sent.

    ``ordinal`` is its place in the run's result. ``agent`` is NULL while it grows.
    """

    __tablename__ = "response"

    id: Mapped[str] = _id()
    run_id: Mapped[str] = mapped_column(String(ID_CHARS), ForeignKey("run.id", ondelete="CASCADE"))
    layer: Mapped[int]
    position: Mapped[int]
    attempt: Mapped[int] = mapped_column(default=1)
    stage: Mapped[Stage] = mapped_column(word(Stage))
    ordinal: Mapped[int | None]
    agent: Mapped[Agent | None] = mapped_column(Json(Agent))
    messages: Mapped[tuple[Message, ...] | None] = mapped_column(Json(tuple[Message, ...]), deferred=True)
    left_out: Mapped[LeftOut | None] = mapped_column(Json(LeftOut))
    text: Mapped[str] = mapped_column(default="")
    reasoning: Mapped[str] = mapped_column(default="")
    finish: Mapped[Finish | None] = mapped_column(word(Finish))
    error_kind: Mapped[FailureKind | None] = mapped_column(word(FailureKind))
    error_public: Mapped[str | None]
    retryable: Mapped[bool | None]
    attempts: Mapped[int] = mapped_column(default=1)
    first_token_ms: Mapped[int | None]
    duration_ms: Mapped[int] = mapped_column(default=0)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    tokens_estimated: Mapped[bool | None]
    cost_microusd: Mapped[int | None]
    reused: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (UniqueConstraint("run_id", "layer", "position", "attempt"),)


class ShareRow(Base):
    """A link to a conversation, with its title of then. ``token_hash``: the SHA-256 of what the link holds, in hex."""

    __tablename__ = "share"

    id: Mapped[str] = _id()
    conversation_id: Mapped[str] = mapped_column(String(ID_CHARS), ForeignKey("conversation.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]

    __table_args__ = (Index(None, "conversation_id"),)


class ShareTurnRow(Base):
    """A turn that a link shows, with the one run shown when it was made. Neither changes any more."""

    __tablename__ = "share_turn"

    share_id: Mapped[str] = mapped_column(
        String(ID_CHARS), ForeignKey("share.id", ondelete="CASCADE"), primary_key=True
    )
    turn_id: Mapped[str] = mapped_column(String(ID_CHARS), ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(ID_CHARS), ForeignKey("run.id", ondelete="CASCADE"))

    __table_args__ = (Index(None, "turn_id"), Index(None, "run_id"))


class VoteRow(Base):
    """What a user thought of a turn's columns. ``sides``: the runs shown then, from left to right; ``choice`` is one of
    them or a word."""

    __tablename__ = "vote"

    id: Mapped[str] = _id()
    turn_id: Mapped[str] = mapped_column(String(ID_CHARS), ForeignKey("turn.id", ondelete="CASCADE"))
    owner_id: Mapped[str] = _owner()
    sides: Mapped[tuple[str, ...]] = mapped_column(Json(tuple[str, ...]))
    choice: Mapped[str] = mapped_column(String(ID_CHARS))
    blind: Mapped[bool]
    tags: Mapped[tuple[str, ...] | None] = mapped_column(Json(tuple[str, ...]))
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (UniqueConstraint("turn_id", "owner_id"), Index(None, "owner_id"))


class JudgementRow(Base):
    """What a model thought of a turn's columns. ``sides``: the runs that it read, from left to right."""

    __tablename__ = "judgement"

    id: Mapped[str] = _id()
    turn_id: Mapped[str] = mapped_column(String(ID_CHARS), ForeignKey("turn.id", ondelete="CASCADE"))
    owner_id: Mapped[str] = _owner()
    judge: Mapped[str]
    sides: Mapped[tuple[str, ...]] = mapped_column(Json(tuple[str, ...]))
    verdicts: Mapped[tuple[Verdict, ...]] = mapped_column(Json(tuple[Verdict, ...]))
    usage: Mapped[Usage | None] = mapped_column(Json(Usage))
    cost_microusd: Mapped[int | None]
    duration_ms: Mapped[int]
    cut_chars: Mapped[int]
    created_at: Mapped[dt.datetime]

    __table_args__ = (UniqueConstraint("turn_id", "owner_id", "judge"), Index(None, "owner_id"))


class TokenRow(Base):
    """A key to the HTTP API. ``token_hash``: the SHA-256 of what was told once, in hex. ``last_used_at`` is at most a
    minute late."""

    __tablename__ = "token"

    id: Mapped[str] = _id()
    owner_id: Mapped[str] = _owner()
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]

    __table_args__ = (Index(None, "owner_id"),)
