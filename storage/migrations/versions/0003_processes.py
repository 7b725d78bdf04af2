"""Several processes on one database: which one carries out a run, and that it is to stop."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Nothing is known of the runs that are there: they go by their heartbeat."""
    op.add_column("run", sa.Column("process", sa.String(80)))
    op.add_column("run", sa.Column("stop_asked_at", sa.DateTime(timezone=True)))
