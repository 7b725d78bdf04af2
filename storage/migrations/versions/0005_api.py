"""Requests to the HTTP API: tokens, and where a conversation came from. The list and the search leave theirs out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.statistics import tell_planner

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.String(22)
KEY = sa.String(80)
TIME = sa.DateTime(timezone=True)

# Questions and responses take their tag from their conversation's entry: without a title there, none of them enters.
_TITLE_IN = """
    CREATE TRIGGER search_title_in AFTER INSERT ON conversation WHEN NEW.source <> 'api' BEGIN
        INSERT INTO search_entry (tag, kind, source_id)
        SELECT printf('%03x', number), 'title', NEW.id FROM search_owner WHERE owner_id = NEW.owner_id;
        INSERT INTO search_title (rowid, tag, text)
        SELECT id, tag, NEW.title || ' ' FROM search_entry WHERE source_id = NEW.id;
    END
"""


def upgrade() -> None:
    """Add the column and the table. What is there came from the page."""
    op.add_column("conversation", sa.Column("source", sa.String(24), nullable=False, server_default="page"))
    op.drop_index("ix_conversation_owner_id_archived_pinned_updated_at", "conversation")
    listed = sa.text("source <> 'api'")
    op.create_index(
        "ix_conversation_listed", "conversation", ["owner_id", "archived", "pinned", "updated_at"],
        sqlite_where=listed, postgresql_where=listed,
    )  # fmt: skip
    op.create_table(
        "token",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("token_hash", name="uq_token_token_hash"),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name="fk_token_owner_id_user", ondelete="CASCADE"),
    )
    op.create_index("ix_token_owner_id", "token", ["owner_id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER search_title_in")
        op.execute(_TITLE_IN)
        tell_planner(op.get_bind())
