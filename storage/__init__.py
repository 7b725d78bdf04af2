"""SQLAlchemy implementation of ``moa.chat.ports``."""

from storage.opening import open_store
from storage.store import SqlStore

__all__ = ["SqlStore", "open_store"]
