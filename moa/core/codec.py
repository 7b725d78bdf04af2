"""Values of the core as JSON text, and back.

Written by orjson from cleaned strings; read by pydantic, which fills in the defaults of fields that a row
is too old to have and passes over fields it doesn't know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

import orjson
from pydantic import TypeAdapter

from moa.core.text import clean

Value = TypeVar("Value")


def encode(value: object) -> str:
    """A value made of dataclasses, enums, tuples, mappings and scalars as JSON, its strings cleaned."""
    return orjson.dumps(plain(value)).decode()


def decode(kind: type[Value], text: str) -> Value:
    """The value of type ``kind`` that ``encode`` wrote, now or by an older version."""
    return cast(Value, _adapter(cast(Any, kind)).validate_json(text))


def cleaned(kind: type[Value], value: Value) -> Value:
    """The value as it would be read back."""
    return decode(kind, encode(value))


def plain(value: object) -> object:
    """The same as dicts, lists and scalars, its strings cleaned: what JSON can hold."""
    match value:
        case str():
            return clean(str(value))
        case Mapping():
            return {clean(str(key)): plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
