"""Which proposal each sentence of an answer is nearest to: in its wording, for meaning is not looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moa.evals.reading import NEAR, Reading, read
from moa.evals.sentences import Span


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sentence may come from. ``near`` are the proposals, counted from 0, that come near its wording
    (``reading.NEAR``), the nearest first, and equals in their order; ``score`` is how near the nearest comes, from 0 to
    1, near or not."""

    span: Span
    near: tuple[int, ...]
    score: float

    @property
    def proposal(self) -> int | None:
        """The nearest proposal; None where none is near."""
        return self.near[0] if self.near else None


def attribution(answer: str, proposals: Sequence[str]) -> tuple[Origin, ...]:
    """The origin of each sentence of the answer, in its order."""
    return origins(read((answer, *proposals)))


def origins(reading: Reading) -> tuple[Origin, ...]:
    """``attribution`` for the first text of a reading, with the others as its proposals."""
    return tuple(_origin(reading.spans[i], reading.nearness[1:, i].tolist()) for i in reading.of(0))


def _origin(span: Span, scores: Sequence[float]) -> Origin:
    nearest = sorted(range(len(scores)), key=lambda proposal: -scores[proposal])
    return Origin(span, tuple(i for i in nearest if scores[i] >= NEAR), max(scores, default=0.0))
