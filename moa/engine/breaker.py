"""A breaker for each model: after repeated failures it rests, then one probe decides."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from moa.core.domain import FailureKind
from moa.core.errors import CallError, FinalCall
from moa.core.policy import Breaker as BreakerPolicy

_LASTING = frozenset({FailureKind.BAD_KEY, FailureKind.UNKNOWN_MODEL})
_NOT_THE_MODELS = frozenset(
    {
        FailureKind.REJECTED,
        FailureKind.FILTERED,
        FailureKind.QUEUE_FULL,
        FailureKind.NOT_READY,
        FailureKind.NO_KEY,
        FailureKind.UNAVAILABLE,
    }
)


@dataclass(slots=True)
class Breaker:
    """State of one model's breaker. Times are the engine clock's seconds.

    Closed: calls pass. Open: refused until ``open_until``, then one probe passes. A refused key or an unknown
    model opens it for good, until ``reset`` (the model list was refreshed).
    """

    policy: BreakerPolicy
    in_a_row: int = 0
    recent: deque[tuple[float, bool]] = field(default_factory=deque)
    open_until: float | None = None
    opened_for_s: float = 0.0
    probing: bool = False
    lasting: FailureKind | None = None

    def admit(self, now: float) -> None:
        """Let a call pass, or raise FinalCall with the reason."""
        if self.lasting is not None:
            raise FinalCall(self.lasting)
        if self.resting(now):
            raise FinalCall(FailureKind.UNAVAILABLE)
        self.probing = self.open_until is not None

    def resting(self, now: float) -> bool:
        """Whether ``admit`` would refuse now."""
        return self.lasting is not None or (self.open_until is not None and (now < self.open_until or self.probing))

    def succeeded(self, now: float) -> None:
        """A call ended well."""
        self._note(now, failed=False)
        self.in_a_row, self.open_until, self.opened_for_s, self.probing = 0, None, 0.0, False

    def failed(self, now: float, error: CallError) -> None:
        """A call failed. What is not the model's fault does not count."""
        if error.kind in _LASTING:
            self.lasting = error.kind
        probe, self.probing = self.probing, False
        if error.kind in _NOT_THE_MODELS:
            return
        self._note(now, failed=True)
        self.in_a_row += 1
        if self.open_until is not None and not probe:
            return  # it began before the breaker opened: the same trouble must not count twice
        if probe or self.in_a_row >= self.policy.failures or self._mostly_failing():
            longest = self.policy.max_open_s
            self.opened_for_s = min(longest, self.opened_for_s * 2 or self.policy.open_s)
            self.open_until = now + self.opened_for_s

    def abandoned(self) -> None:
        """A call was cancelled: nothing was learnt, another probe may go."""
        self.probing = False

    def reset(self) -> None:
        """Forget everything."""
        self.in_a_row, self.open_until, self.opened_for_s = 0, None, 0.0
        self.probing, self.lasting = False, None
        self.recent.clear()

    def _note(self, now: float, *, failed: bool) -> None:
        self.recent.append((now, failed))
        while self.recent and self.recent[0][0] < now - self.policy.window_s:
            self.recent.popleft()

    def _mostly_failing(self) -> bool:
        bad = sum(failed for _, failed in self.recent)
        return len(self.recent) >= self.policy.window_calls and bad * 2 > len(self.recent)
