"""Bradley–Terry by maximum likelihood, as a logistic regression that fits many weightings of the same votes at once.

The left system wins with the probability σ(β_left - β_right + γ·z), where z are covariates (Bradley and Terry,
Biometrika 39, 1952; Hunter, Ann. Statist. 32, 2004). A vote without a winner is half a win for each side. A normal
prior around 0 on β and γ, the ridge, keeps every fit finite: without it a system that never lost would be infinitely
good, and the scores of systems that no chain of votes connects would be undefined. It also makes the scores of each
connected group add up to 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moa.evals.votes import Vote, systems_of

Covariate = Literal["length", "headers", "lists", "bold"]
Floats = NDArray[np.float64]

_STEPS = 200  # of at most 1 each, from 0 to log odds that no number of votes reaches; exp() takes three times as many
_PRECISION = 1e-6  # of the last step; Newton squares the error with each, so that it is about 1e-12 then


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Votes as numbers: each distinct row once, and how often it was seen.

    ``rows`` has a column for each of ``systems`` and then one for each covariate; ``points`` are what the left side
    of a row won.
    """

    systems: tuple[str, ...]
    rows: Floats
    points: Floats
    counts: NDArray[np.int64]


def design(votes: Sequence[Vote], covariates: Sequence[Covariate] = ()) -> Design:
    """The regression's input. Which side an answer stood on makes no difference.

    A covariate is the difference of the sides over their sum, as the arenas have it, 0 where both are 0, and then
    divided by its root mean square over the votes. It is not centred, since its sign is only that of the side.
    """
    systems = systems_of(votes)
    column = {system: i for i, system in enumerate(systems)}
    lefts, rights = ([column[name] for name in side] for side in ([v.left for v in votes], [v.right for v in votes]))
    rows = np.zeros((len(votes), len(systems) + len(covariates)))
    each = np.arange(len(votes))
    rows[each, lefts], rows[each, rights] = 1.0, -1.0
    for i, covariate in enumerate(covariates, len(systems)):
        rows[:, i] = _unit([_difference(vote, covariate) for vote in votes])
    points = np.array([vote.points for vote in votes])
    turned = np.less(rights, lefts)
    rows[turned], points[turned] = -rows[turned], 1 - points[turned]
    seen, counts = np.unique(np.column_stack((rows, points)), axis=0, return_counts=True)
    return Design(systems, seen[:, :-1], seen[:, -1], counts)


def _difference(vote: Vote, covariate: Covariate) -> float:
    if covariate == "length":
        left, right = vote.left_chars, vote.right_chars
    else:
        left, right = getattr(vote.left_style, covariate), getattr(vote.right_style, covariate)
    return (left - right) / (left + right) if left + right else 0.0


def _unit(values: Sequence[float]) -> Floats:
    # fsum, for the order of the votes must not change even the last bit: the draws of a bootstrap would be others.
    scale = math.sqrt(math.fsum(value * value for value in values) / len(values))
    return np.array(values) / (scale or 1.0)


def fit(form: Design, weights: Floats, ridge: float, start: Floats | None = None) -> Floats:
    """The coefficients for each row of ``weights``, which holds how often each row of the design counts.

    Newton's method from ``start`` or 0. No step moves a vote's log odds by more than 1: such steps always gain
    (Bach, Electron. J. Statist. 4, 2010), so that it arrives from anywhere.
    """
    rows, columns = form.rows, np.ascontiguousarray(form.rows.T)
    prior = ridge * np.eye(len(columns))
    found = np.zeros((len(weights), len(columns))) if start is None else np.tile(start, (len(weights), 1))
    logits = found @ columns
    for _ in range(_STEPS):
        wins = 1 / (1 + np.exp(-logits))
        gradient = (weights * (form.points - wins)) @ rows - ridge * found
        wins *= weights * (1 - wins)  # now each row's part in the curvature
        step = np.linalg.solve((wins[:, None, :] * columns) @ rows + prior, gradient[:, :, None])[:, :, 0]
        moved = step @ columns
        share = 1 / np.maximum(1, np.abs(moved).max(axis=1, keepdims=True))
        found += share * step
        logits += share * moved
        if np.abs(step).max() < _PRECISION:
            break
    return found
