"""Questions asked in several columns at once, and votes on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(22)
KEY = sa.String(80)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the column and the table. What is there has one column each."""
    op.add_column("turn", sa.Column("comparison", sa.Text))
    op.create_table(
        "vote",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("sides", sa.Text, nullable=False),
        sa.Column("choice", ID, nullable=False),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vote"),
        sa.UniqueConstraint("turn_id", "owner_id", name="uq_vote_turn_id_owner_id"),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name="fk_vote_turn_id_turn", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name="fk_vote_owner_id_user", ondelete="CASCADE"),
    )
    op.create_index("ix_vote_owner_id", "vote", ["owner_id"])
