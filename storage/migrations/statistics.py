"""What SQLite's planner is told of the tables: how many rows there will be, and how many share a value.

Without it, SQLite takes "of this owner" for as good a hint as "of this run", and reads all runs of an owner to show one
of them. ANALYZE would count the rows that there are at the moment; plans that never change are easier to trust. The
rows are those of a table of SQLite's own (https://sqlite.org/fileformat2.html#the_sqlite_stat1_table).
"""

from __future__ import annotations

from sqlalchemy import Connection, text

_ROWS = {"conversation": 100_000, "turn": 200_000, "run": 250_000, "response": 1_000_000, "search_entry": 1_200_000}

# By index, how many rows share the value of its first column, of its first two, and so on.
_SHARED = {
    "conversation": {
        "sqlite_autoindex_conversation_1": "1",
        "ix_conversation_owner_id_updated_at": "10000 1",
        "ix_conversation_listed": "10000 5000 2500 1",
        "ix_conversation_head_turn_id": "1",
    },
    "turn": {
        "sqlite_autoindex_turn_1": "1",
        "sqlite_autoindex_turn_2": "2 2 1",
        "ix_turn_parent_id": "2",
        "ix_turn_shown_run_id": "1",
    },
    # The status that is asked for is "running", which few runs have.
    "run": {
        "sqlite_autoindex_run_1": "1",
        "sqlite_autoindex_run_2": "25000 1",
        "sqlite_autoindex_run_3": "2 2 1",
        "ix_run_status_owner_id": "20 2",
    },
    "response": {"sqlite_autoindex_response_1": "1", "sqlite_autoindex_response_2": "5 2 1 1"},
    "search_entry": {"sqlite_autoindex_search_entry_1": "1", "search_entry_tag": "100000 30000 1"},
}


def tell_planner(connection: Connection) -> None:
    """Put the statistics in, for this connection and all that are made later."""
    rows = [
        {"table": table, "index": index, "stat": f"{_ROWS[table]} {shared}"}
        for table, indexes in _SHARED.items()
        for index, shared in indexes.items()
    ]
    connection.execute(text("ANALYZE sqlite_schema"))  # makes the table
    connection.execute(text("DELETE FROM sqlite_stat1"))
    connection.execute(text("INSERT INTO sqlite_stat1 VALUES (:table, :index, :stat)"), rows)
    connection.execute(text("ANALYZE sqlite_schema"))  # makes this connection read it
