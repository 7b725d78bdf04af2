"""Votes for tests: made up by rule, by hypothesis, and published ones."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from moa.evals.style import Style
from moa.evals.votes import Outcome, Vote

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "alpaca_eval"
NAMES = ("ant", "bee", "cat", "dog", "eel")


def vote(left: str, right: str, outcome: Outcome, left_chars: int = 100, right_chars: int = 100) -> Vote:
    return Vote(left, right, outcome, left_chars, right_chars, Style(), Style(), NOON)


def many(left: str, right: str, wins: int = 0, losses: int = 0, ties: int = 0, both_bad: int = 0) -> list[Vote]:
    counts: dict[Outcome, int] = {"left": wins, "right": losses, "tie": ties, "both_bad": both_bad}
    return [vote(left, right, outcome) for outcome, n in counts.items() for _ in range(n)]


def judged(strengths: Sequence[float], n: int, seed: int = 1, length: float = 0.0) -> list[Vote]:
    """Votes by Bradley–Terry itself, on systems of known strengths and on how long their answers are; some are ties."""
    chance = random.Random(seed)
    found = []
    for _ in range(n):
        one, other = chance.sample(range(len(strengths)), 2)
        chars = chance.randint(50, 4000), chance.randint(50, 4000)
        ours, theirs = (Style(chance.randint(0, 3), chance.randint(0, 9), chance.randint(0, 6)) for _ in range(2))
        odds = strengths[one] - strengths[other] + length * (chars[0] - chars[1]) / sum(chars)
        outcome: Outcome = "left" if chance.random() < 1 / (1 + math.exp(-odds)) else "right"
        if chance.random() < 0.2:
            outcome = chance.choice(["tie", "both_bad"])
        found.append(Vote(NAMES[one], NAMES[other], outcome, *chars, ours, theirs, NOON))
    return found


styles = st.builds(Style, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
votes = st.builds(
    lambda pair, outcome, chars, ours, theirs: Vote(pair[0], pair[1], outcome, chars[0], chars[1], ours, theirs, NOON),
    st.permutations(NAMES),
    st.sampled_from(["left", "right", "tie", "both_bad"]),
    st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
    styles,
    styles,
)
ballots = st.lists(votes, min_size=1, max_size=30)


def published(name: str) -> list[dict[str, Any]]:
    """A file of AlpacaEval's published data. It may not be copied into this project: absent, the test is skipped."""
    path = PUBLISHED / f"{name}.json"
    if not path.is_file():
        pytest.skip("the published data of AlpacaEval is not beside the project, in ../shared/data")
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def published_votes() -> list[Vote]:
    """GPT-4's judgements of one model against the baseline: over 1.5 is for the model, which is on the right."""
    return [
        vote(
            row["generator_1"], row["generator_2"],
            "tie" if row["preference"] == 1.5 else "right" if row["preference"] > 1.5 else "left",
            row["output_1_chars"], row["output_2_chars"],
        )
        for row in published("annotations-FuseChat-Llama-3.1-8B-Instruct")
    ]  # fmt: skip
