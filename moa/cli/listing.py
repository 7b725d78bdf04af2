"""What can be named on the command line, a line each: the name to type, then what it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moa.cli.lines import counted
from moa.core.domain import Recipe
from moa.core.text import clean
from moa.providers.offer import Choice


def recipes(offered: Mapping[str, Recipe], default: str) -> str:
    """All recipes by id."""
    rows = []
    for recipe in offered.values():
        told = f"{recipe.title}, {counted(recipe.layer_count, 'layer')}, {counted(recipe.call_count, 'call')}"
        rows.append((recipe.id, told + (" (default)" if recipe.id == default else "")))
    return _listed(rows)


def models(choices: Sequence[Choice]) -> str:
    """All models by id, with what each lacks."""
    return _listed([(choice.id, _told(choice)) for choice in choices])


def _told(choice: Choice) -> str:
    lack = f"needs {choice.needs}" if choice.needs else choice.note
    told = f"{choice.label} at {choice.provider}"
    return f"{told}: {lack}" if lack else told


def _listed(rows: Sequence[tuple[str, str]]) -> str:
    width = max((len(name) for name, _ in rows), default=0)
    return "".join(clean(f"{name:<{width}}  {told}").replace("\n", " ") + "\n" for name, told in rows)
