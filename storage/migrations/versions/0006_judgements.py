"""Models that judge comparisons, and tags of votes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.String(22)
KEY = sa.String(80)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table and the column. Votes that are there have no tags."""
    op.add_column("vote", sa.Column("tags", sa.Text))
    op.create_table(
        "judgement",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("sides", sa.Text, nullable=False),
        sa.Column("verdicts", sa.Text, nullable=False),
        sa.Column("usage", sa.Text),
        sa.Column("cost_microusd", sa.BigInteger),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("cut_chars", sa.BigInteger, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_judgement"),
        sa.UniqueConstraint("turn_id", "owner_id", "judge", name="uq_judgement_turn_id_owner_id_judge"),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name="fk_judgement_turn_id_turn", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name="fk_judgement_owner_id_user", ondelete="CASCADE"),
    )
    op.create_index("ix_judgement_owner_id", "judgement", ["owner_id"])
