"""Why this answer: everything that its proposals' texts can tell about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moa.evals.agreement import Dissent, Matrix, alike, alone
from moa.evals.attribution import Origin, origins
from moa.evals.overlap import Overlap, overlap
from moa.evals.reading import read


@dataclass(frozen=True, slots=True)
class Explanation:
    """``overlaps``, ``dissents`` and each side of ``agreement`` have the order of the proposals; ``origins`` is that of
    the answer's sentences."""

    overlaps: tuple[Overlap, ...]
    origins: tuple[Origin, ...]
    agreement: Matrix
    dissents: tuple[tuple[Dissent, ...], ...]


def explain(answer: str, proposals: Sequence[str]) -> Explanation:
    """``overlap``, ``attribution``, ``agreement`` and ``dissent`` of one answer, with its texts read once.

    Takes time in proportion to the texts, whatever stands in them; a fraction of a second for the longest answer and
    twelve of the longest proposals. That is too long for an event loop.
    """
    reading = read((answer, *proposals))
    return Explanation(overlap(answer, proposals), origins(reading), alike(reading, 1), alone(reading, 1))
