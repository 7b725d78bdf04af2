"""What the systems that were compared are called: one name for the same recipe, and never one for two."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from moa.core.domain import Agent, Recipe

_UNTITLED = "Mixture"
_QUOTE_CHARS = 24


def named(recipes: Iterable[Recipe], label_of: Callable[[str], str]) -> Mapping[str, str]:
    """A name for each recipe by its digest: a single model's label, a mixture's title, the newest of several.

    ``recipes`` are oldest first. Where two share a name, what sets them apart stands behind it in brackets.
    """
    newest = {recipe.digest: recipe for recipe in recipes}
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for digest, recipe in newest.items():
        alike[_plain_name(recipe, label_of)].append(digest)
    found: dict[str, str] = {}
    for name, digests in alike.items():
        apart = _apart([newest[digest] for digest in digests], label_of)
        found |= {d: f"{name} ({mark})" if mark else name for d, mark in zip(digests, apart, strict=True)}
    counts = Counter(found.values())  # a title may be what another one's brackets make of it
    return {d: name if counts[name] == 1 else f"{name} #{d[:6]}" for d, name in found.items()}


def _plain_name(recipe: Recipe, label_of: Callable[[str], str]) -> str:
    return (" ".join(recipe.title.split()) or _UNTITLED) if recipe.layers else label_of(recipe.aggregator.model)


def _apart(recipes: Sequence[Recipe], label_of: Callable[[str], str]) -> list[str]:
    """For each recipe what no other one has: as few differences as tell them apart, the plainest first."""
    marks: list[tuple[str, ...]] = [() for _ in recipes]
    for told in _differences(label_of):
        if len(set(marks)) == len(recipes):
            break
        further = [(*mark, told(recipe)) for mark, recipe in zip(marks, recipes, strict=True)]
        if len(set(further)) > len(set(marks)):
            marks = further
    return [", ".join(part for part in mark if part) for mark in marks]


def _differences(label_of: Callable[[str], str]) -> tuple[Callable[[Recipe], str], ...]:
    """What can set recipes apart, in words; the digest, which always does, comes last."""
    return (
        lambda r: f"{r.layer_count} layers" if r.layers else "single model",
        lambda r: f"written by {label_of(r.aggregator.model)}",
        _head_count,
        lambda r: _proposers(r, label_of),
        _temperature,
        _system,
        lambda r: r.aggregator.model,
        lambda r: f"{r.prompt_style} prompts",
        lambda r: f"#{r.digest[:6]}",
        lambda r: f"#{r.digest}",
    )


def _head_count(recipe: Recipe) -> str:
    n = len(recipe.layers[0].agents) if recipe.layers else 0
    return f"{n} proposer{'' if n == 1 else 's'}" if n else ""


def _proposers(recipe: Recipe, label_of: Callable[[str], str]) -> str:
    counts = Counter(label_of(agent.model) for layer in recipe.layers[:1] for agent in layer.agents)
    return " + ".join(label if n == 1 else f"{n}x {label}" for label, n in counts.items())


def _temperature(recipe: Recipe) -> str:
    told = {agent.sampling.temperature for agent in _agents(recipe)}
    warm = sorted(value for value in told if value is not None)
    return f"temperature {', '.join(f'{value:g}' for value in warm)}" if warm else "default temperature"


def _system(recipe: Recipe) -> str:
    text = " ".join((recipe.system or recipe.aggregator.system or "").split())
    if not text:
        return "no system prompt"
    return f"system: {text}" if len(text) <= _QUOTE_CHARS else f"system: {text[: _QUOTE_CHARS - 1].rstrip()}…"


def _agents(recipe: Recipe) -> list[Agent]:
    return [*(agent for layer in recipe.layers for agent in layer.agents), recipe.aggregator]
