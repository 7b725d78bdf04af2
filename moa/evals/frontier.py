"""Which systems give the most for what they take, as the paper's figure 5 draws it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeGuard

Price = Literal["cost_microusd", "seconds"]


@dataclass(frozen=True, slots=True)
class Point:
    """A system's quality (more is better) and what an answer takes (less is better). None is unknown, and not 0."""

    system: str
    quality: float | None
    cost_microusd: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Frontier:
    """``front``: the points that no other beats, cheapest first. ``beaten``: the rest. ``unknown``: systems that were
    left out because their quality or their price isn't known."""

    front: tuple[Point, ...]
    beaten: tuple[Point, ...]
    unknown: tuple[str, ...]


def frontier(points: Iterable[Point], by: Price) -> Frontier:
    """The Pareto front of quality against one price.

    A point is beaten by one that is at least as good and at most as dear, and better in one of the two; so equal
    points stand or fall together.
    """
    priced = [(_price(point, by), point.quality, point) for point in points]
    known = [(price, quality, point) for price, quality, point in priced if _is_known(price) and _is_known(quality)]
    front: list[Point] = []
    beaten: list[Point] = []
    best = (math.inf, -math.inf)
    for price, quality, point in sorted(known, key=lambda item: (item[0], -item[1], item[2].system)):
        if quality > best[1]:
            best = (price, quality)
        (front if (price, quality) == best else beaten).append(point)
    unknown = (point.system for price, quality, point in priced if not (_is_known(price) and _is_known(quality)))
    return Frontier(tuple(front), tuple(beaten), tuple(unknown))


def _price(point: Point, by: Price) -> float | None:
    return point.cost_microusd if by == "cost_microusd" else point.seconds


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
