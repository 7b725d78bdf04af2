"""Comparisons for tests: made up by rule, and by hypothesis."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Literal

from hypothesis import strategies as st

from moa.evals.comparison import Comparison, Side
from moa.evals.style import Style
from tests.evals.made import NAMES, NOON

# Name, strength, micro-dollars, milliseconds.
SYSTEMS = (("MoA", 0.9, 40_000, 31_000), ("MoA-Lite", 0.6, 9_000, 19_000), ("Qwen 72B", 0.5, 12_000, 6_000),
           ("Llama 8B", 0.2, 400, 2_100))  # fmt: skip


def side(system: str, cost_microusd: int | None = None, duration_ms: int | None = None, chars: int = 100) -> Side:
    return Side(system, chars, Style(), cost_microusd, duration_ms)


def comparison(outcome: int | Literal["tie", "bad"], *systems: str, day: int = 0) -> Comparison:
    return Comparison(tuple(side(name) for name in systems), outcome, NOON + timedelta(days=day))


def compared(n: int, seed: int = 1) -> list[Comparison]:
    """Comparisons of systems as strong, as dear and as slow as ``SYSTEMS`` says, a few a day."""
    chance = random.Random(seed)
    found = []
    for i in range(n):
        picked = chance.sample(SYSTEMS, 2)
        odds = 0.5 + (picked[0][1] - picked[1][1]) / 2
        outcome: int | Literal["tie", "bad"] = 0 if chance.random() < odds else 1
        if chance.random() < 0.2:
            outcome = chance.choice(("tie", "bad"))
        sides = tuple(
            Side(
                name, chance.randint(200, 4000), Style(*(chance.randint(0, 6) for _ in range(3))),
                int(cost * chance.uniform(0.8, 1.2)), int(ms * chance.uniform(0.8, 1.2)), ms // 10,
                chance.randint(100, 900),
            )
            for name, _, cost, ms in picked
        )  # fmt: skip
        tags = (chance.choice(("code", "writing")),)
        found.append(Comparison(sides, outcome, NOON + timedelta(hours=7 * i), tags))
    return found


def _made(systems: list[str], outcome: int, day: int, took: list[int | None]) -> Comparison:
    sides = tuple(side(name, took[0], took[1], chars=10 * i) for i, name in enumerate(systems))
    said: int | Literal["tie", "bad"] = "tie" if outcome == -1 else "bad" if outcome == -2 else outcome % len(systems)
    return Comparison(sides, said, NOON + timedelta(days=day), ("one",) if day % 2 else ())


comparisons = st.builds(
    _made,
    st.lists(st.sampled_from(NAMES), min_size=2, max_size=4),
    st.integers(-2, 3),
    st.integers(0, 5),
    st.lists(st.none() | st.integers(0, 10**9), min_size=2, max_size=2),
)
