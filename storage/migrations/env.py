"""How Alembic runs here: on the connection that ``migrate`` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from storage.migrations import modelled
from storage.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can't alter most things in place
    transactional_ddl=True,
    include_name=modelled,
)
with context.begin_transaction():
    context.run_migrations()
