"""What comes from the page, checked. Every value may be of any type and size: nothing is trusted."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from moa.core.domain import Slot
from moa.core.errors import InputRefused, NotFound
from moa.ui import texts

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY = re.compile(r"[0-9A-Fa-f-]{16,64}")
_MOMENT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")


def optional_id(value: object) -> str | None:
    """An id, or None for an empty box. Anything else is as good as an id that doesn't exist: NotFound."""
    if value is None or value == "":
        return None
    return required_id(value)


def required_id(value: object, what: str = "conversation") -> str:
    """An id of the strict pattern. Raises NotFound, in the words for a missing thing."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise NotFound(what)
    return value


def request_key(value: object) -> str:
    """The submit's own key, made in the browser; without a good one each submit counts by itself."""
    key = value.partition("@")[0] if isinstance(value, str) else ""
    return key if _KEY.fullmatch(key) and key[0] != "-" else secrets.token_hex(16)


def moment(value: object) -> float | None:
    """When something was chosen, behind an @: ms of the page's own clock. None when it isn't told."""
    found = _MOMENT.fullmatch(value.partition("@")[2]) if isinstance(value, str) else None
    return float(found[0]) if found else None


def text(value: object) -> str:
    """A text box's content. Its length is for the service to judge."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputRefused(texts.RELOAD)
    return value


def slot(value: object) -> Slot:
    """A slot as the page writes it, such as "1.2"."""
    try:
        return Slot.parse(text(value))
    except ValueError:
        raise NotFound("panel") from None


def event_field(event: object, name: str) -> Any:
    """One field of what a component's script sent along; None when it is missing."""
    data = getattr(event, "_data", None)
    return data.get(name) if isinstance(data, Mapping) else None


def whole(value: object, least: int, most: int, what: str) -> int:
    """A whole number within bounds. Sliders send floats for whole numbers."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputRefused(f"{what}: choose a number from {least} to {most}.")
    return value


def number(value: object, least: float, most: float, what: str) -> float:
    """A number within bounds; NaN is in none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InputRefused(f"{what}: choose a number from {least:g} to {most:g}.")
    return float(value)
