"""The schema's history. Brings a database to the newest version, or refuses one that it doesn't know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from moa.core.errors import StoreError
from storage.models import Base

NEWER = "The database was written by a newer version of this app. Update the app, or use another MOA_DATA."
FOREIGN = "The database already holds tables of another program. Use another MOA_DATA or DATABASE_URL."

_LOCK = 0x6D6F61  # any number, as long as every process of this app asks for the same


def modelled(name: str | None, *_: object) -> bool:
    """Whether the models know of a table or index of the database: what search has of its own, they don't."""
    return not (name or "").startswith("search_")


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings for this package; with a connection, migrations run in its transaction."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def check_known(current: Iterable[str]) -> ScriptDirectory:
    """The schema's history. Raises StoreError when ``current`` names a version that isn't in it."""
    known = ScriptDirectory.from_config(config())
    strange = set(current) - {script.revision for script in known.walk_revisions()}
    if strange:
        raise StoreError(NEWER, detail=f"schema {', '.join(sorted(strange))}")
    return known


def migrate(connection: Connection) -> None:
    """Bring the schema up to date in the connection's transaction; all of it or nothing.

    Processes that start together take turns. Raises StoreError for a schema from the future, or not ours.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    settings = config(connection)
    current = MigrationContext.configure(connection).get_current_heads()
    known = check_known(current)
    if not current and set(inspect(connection).get_table_names()) & set(Base.metadata.tables):
        raise StoreError(FOREIGN)
    if set(current) != set(known.get_heads()):
        command.upgrade(settings, "head")
