"""Users, conversations, turns, runs and responses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(22)
KEY = sa.String(80)
WORD = sa.String(24)
TIME = sa.DateTime(timezone=True)

# Each table points to a row of the next that is made after it. SQLite takes such a key only with its table,
# PostgreSQL only once both tables are there.
FORWARD = (("conversation", "head_turn_id", "turn"), ("turn", "shown_run_id", "run"))


def upgrade() -> None:
    """Make the tables."""
    inline = op.get_bind().dialect.name == "sqlite"
    _users_and_conversations(inline)
    _turns(inline)
    _runs()
    _responses()
    if not inline:
        for table, column, target in FORWARD:
            op.create_foreign_key(f"fk_{table}_{column}_{target}", table, target, [column], ["id"], ondelete="SET NULL")


def _key(table: str, column: str, target: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def _forward(table: str, *, inline: bool) -> list[sa.ForeignKeyConstraint]:
    return [_key(*key, ondelete="SET NULL") for key in FORWARD if inline and key[0] == table]


def _users_and_conversations(inline: bool) -> None:
    op.create_table(
        "user",
        sa.Column("id", KEY, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
    )
    op.create_table(
        "conversation",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_source", WORD, nullable=False),
        sa.Column("head_turn_id", ID),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("deleted_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
        _key("conversation", "owner_id", "user"),
        *_forward("conversation", inline=inline),
    )
    op.create_index("ix_conversation_owner_id_updated_at", "conversation", ["owner_id", "updated_at"])
    op.create_index("ix_conversation_head_turn_id", "conversation", ["head_turn_id"])


def _turns(inline: bool) -> None:
    op.create_table(
        "turn",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("parent_id", ID),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("sibling", sa.BigInteger, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("shown_run_id", ID),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turn"),
        sa.UniqueConstraint(
            "conversation_id", "parent_id", "sibling", name="uq_turn_conversation_id_parent_id_sibling"
        ),
        _key("turn", "conversation_id", "conversation"),
        _key("turn", "parent_id", "turn"),
        *_forward("turn", inline=inline),
    )
    op.create_index("ix_turn_parent_id", "turn", ["parent_id"])
    op.create_index("ix_turn_shown_run_id", "turn", ["shown_run_id"])


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("request_key", KEY),
        sa.Column("column_no", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("recipe", sa.Text, nullable=False),
        sa.Column("digest", sa.String(16), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("heartbeat_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("duration_ms", sa.BigInteger),
        sa.Column("first_answer_ms", sa.BigInteger),
        sa.Column("answer", sa.Text),
        sa.Column("answer_layer", sa.BigInteger),
        sa.Column("answer_position", sa.BigInteger),
        sa.Column("degraded", sa.Text),
        *_spent(),
        sa.Column("calls", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("owner_id", "request_key", name="uq_run_owner_id_request_key"),
        sa.UniqueConstraint("turn_id", "column_no", "attempt", name="uq_run_turn_id_column_no_attempt"),
        _key("run", "turn_id", "turn"),
        _key("run", "owner_id", "user"),
    )
    op.create_index("ix_run_status_owner_id", "run", ["status", "owner_id"])


def _responses() -> None:
    op.create_table(
        "response",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("layer", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("stage", WORD, nullable=False),
        sa.Column("ordinal", sa.BigInteger),
        sa.Column("agent", sa.Text),
        sa.Column("messages", sa.Text),
        sa.Column("left_out", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("reasoning", sa.Text, nullable=False),
        sa.Column("finish", WORD),
        sa.Column("error_kind", WORD),
        sa.Column("error_public", sa.Text),
        sa.Column("retryable", sa.Boolean),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("first_token_ms", sa.BigInteger),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        *_spent(),
        sa.Column("reused", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_response"),
        sa.UniqueConstraint("run_id", "layer", "position", "attempt", name="uq_response_run_id_layer_position_attempt"),
        _key("response", "run_id", "run"),
    )


def _spent() -> list[sa.Column[object]]:
    return [
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("tokens_estimated", sa.Boolean),
        sa.Column("cost_microusd", sa.BigInteger),
    ]
