"""Recipes in one line, for programs. Pages and files say more and go by ``moa.config``."""

from __future__ import annotations

from collections.abc import Sequence

from moa.core.domain import Agent, Layer, Part, Recipe


def mixture(proposers: Sequence[str], *, aggregator: str, layers: int = 2, system: str | None = None) -> Recipe:
    """The same models propose in each layer, and ``aggregator`` writes the answer in the last.

    ``layers`` are counted with the aggregator's, as in the paper; a model that stands twice is asked twice. Raises
    ValueError when the numbers can't be: one layer has no proposers, each further one has some.
    """
    if isinstance(proposers, str) or layers < 1 or (layers > 1) != bool(proposers):
        raise ValueError("a mixture has a list of proposers and 2 layers or more, or none and 1 layer")
    row = Layer(tuple(Agent(model) for model in proposers))
    return Recipe("mixture", "Mixture", (row,) * (layers - 1), Agent(aggregator, Part.AGGREGATOR), system=system)
