"""Column types: the door between values and the driver. What passes here is clean, aware and typed."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, Enum, Text
from sqlalchemy.types import TypeDecorator

from moa.core.codec import decode, encode
from moa.core.text import clean


class CleanText(TypeDecorator[str]):
    """Text of people and models: no NUL and no lone surrogate reaches the driver."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Clean on the way in; what is read needs nothing."""
        return None if value is None else clean(value)


class UtcTime(TypeDecorator[dt.datetime]):
    """A moment, always aware and in UTC, also where the database keeps no zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """To UTC. Raises ValueError on a naive time, whose zone nobody knows."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a stored time needs a zone")
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """As aware UTC, whatever zone the session of the database has."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Json(TypeDecorator[Any]):
    """One value of the core as JSON text. Text on every database, so that all read and write alike."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Encode; None is SQL NULL."""
        return None if value is None else encode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Decode to ``kind``."""
        return None if value is None else decode(self.kind, value)


def word(kind: type[StrEnum]) -> Enum:
    """A closed set of words, stored as their values."""
    return Enum(kind, native_enum=False, length=24, values_callable=lambda k: [item.value for item in k])
