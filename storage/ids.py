"""Opaque random ids, and the patterns that whatever comes from outside must match before it meets a query."""

from __future__ import annotations

import re
import secrets

from moa.core.errors import InputRefused, NotFound

ID_CHARS = 22
KEY_CHARS = 80
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@/-]{0,79}")


def new_id() -> str:
    """128 random bits as 22 URL-safe characters: can't be guessed, tells no order and no count."""
    return secrets.token_urlsafe(16)


def checked_id(value: object, what: str) -> str:
    """``value`` when it has the form of an id. Raises NotFound in the words of an id that is missing."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise NotFound(what)


def checked_key(value: object, what: str) -> str:
    """A user's id or a request key: 1 to 80 plain ASCII characters. Raises InputRefused on anything else."""
    if isinstance(value, str) and _KEY.fullmatch(value):
        return value
    raise InputRefused(f"The {what} is malformed. Reload the page and try again.")
