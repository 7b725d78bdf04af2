"""Reading TOML and laying one file over another. Data in, data out: nothing is evaluated or interpolated."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moa.core.errors import ConfigError

MAX_BYTES = 1_000_000
"""Largest configuration file that is read."""

_AT = re.compile(r" \(at (line \d+, column \d+|end of document)\)$")


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables. Raises ConfigError, one line naming the file and, for syntax, line and column."""
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        where = f"{found[1]}: " if found else ""
        what = " ".join(_AT.sub("", str(error)).split())
        raise ConfigError(
            f"{path}: {where}{what}; a line is KEY = VALUE or a [table], and texts stand in quotes"
        ) from None
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply; write it flatter") from None


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid upon ``under``: tables key by key, anything else replaced.

    A recipe laid out anew (``layer``, or ``proposers`` and ``layers``) loses the other kind of layout.
    """
    merged = {**under}
    for key, value in over.items():
        below = under.get(key)
        if key == "recipes" and isinstance(value, dict) and isinstance(below, dict):
            laid = {name: _over_recipe(below.get(name), new) for name, new in value.items()}
            merged[key] = {**below, **laid}
        elif isinstance(value, dict) and isinstance(below, dict):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def _over_recipe(below: object, new: object) -> object:
    if not isinstance(below, dict) or not isinstance(new, dict):
        return new
    replaced = {"proposers", "layers"} if "layer" in new else set[str]()
    if "proposers" in new or "layers" in new:
        replaced.add("layer")
    return merge({key: value for key, value in below.items() if key not in replaced}, new)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; mend MOA_CONFIG or make the file") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); name a readable file") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: is larger than 1 MB; is it the right file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
