"""Links to share, an index for a long history, and what search looks in.

What search has of its own is named ``search_…`` and is no part of the models: on SQLite tables of FTS5 with the
trigram tokenizer (any language, no word boundaries), kept by triggers, on PostgreSQL indexes of pg_trgm.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from storage.migrations.search_sqlite import FILL, TABLES, TRIGGERS
from storage.migrations.statistics import tell_planner

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.String(22)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables and indexes, and put what is already stored into the index."""
    columns = ["owner_id", "archived", "pinned", "updated_at"]
    op.create_index("ix_conversation_owner_id_archived_pinned_updated_at", "conversation", columns)
    _shares()
    if op.get_bind().dialect.name == "sqlite":
        for statement in (*TABLES, *FILL, *TRIGGERS):
            op.execute(statement)
        tell_planner(op.get_bind())
    else:
        _trigrams()


def _shares() -> None:
    op.create_table(
        "share",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_share"),
        sa.UniqueConstraint("token_hash", name="uq_share_token_hash"),
        _key("share", "conversation"),
    )
    op.create_index("ix_share_conversation_id", "share", ["conversation_id"])
    op.create_table(
        "share_turn",
        sa.Column("share_id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("share_id", "turn_id", name="pk_share_turn"),
        *(_key("share_turn", target) for target in ("share", "turn", "run")),
    )
    op.create_index("ix_share_turn_turn_id", "share_turn", ["turn_id"])
    op.create_index("ix_share_turn_run_id", "share_turn", ["run_id"])


def _key(table: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{target}_id_{target}"
    return sa.ForeignKeyConstraint([f"{target}_id"], [f"{target}.id"], name=name, ondelete="CASCADE")


def _trigrams() -> None:
    """Indexes for ILIKE. Where the extension is missing and can't be made, search does without."""
    bind = op.get_bind()
    try:
        with bind.begin_nested():  # in a schema that all schemas of this database can use
            bind.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public"))
    except DBAPIError:
        return
    where = bind.scalar(sa.text("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'"))
    op.execute(f"CREATE INDEX search_title ON conversation USING gin (title {where}.gin_trgm_ops)")
    op.execute(f"CREATE INDEX search_question ON turn USING gin (question {where}.gin_trgm_ops)")
    # A growing text is written every second; it enters the index once, when it has ended.
    op.execute(f"CREATE INDEX search_text ON response USING gin (text {where}.gin_trgm_ops) WHERE stage <> 'growing'")
