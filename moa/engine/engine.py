"""Carries a plan out: calls of a layer together, quorum and deadlines, fallbacks, budget, events.

async with engine.run(recipe, conversation) as run:
    async for event in run: ...
run.result
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence

from moa.core.domain import Message, Outcome, Recipe, Slot
from moa.core.events import Event
from moa.core.policy import Caps
from moa.engine.breaker import Breaker
from moa.engine.call import Guards
from moa.engine.clock import SystemClock
from moa.engine.limits import Limiter, RetryBudget
from moa.engine.ports import Clock, Directory, Endpoint
from moa.engine.run import Run


class Engine:
    """Runs recipes against a directory of models. Holds what runs share: limiters, breakers, expected times.

    One engine belongs to one event loop. It keeps no history and stores nothing.
    """

    def __init__(
        self, directory: Directory, *, clock: Clock | None = None, caps: Caps = Caps(), seed: int | None = None
    ) -> None:  # fmt: skip
        self.directory = directory
        self.clock: Clock = clock or SystemClock()
        self.caps = caps
        self.rng = random.Random(seed)  # noqa: S311 - jitter of retries, not a secret
        self._limits: dict[str, tuple[Limiter, RetryBudget]] = {}
        self._breakers: dict[str, Breaker] = {}
        self._expected_ms: dict[str, float] = {}

    def run(
        self, recipe: Recipe, conversation: Sequence[Message], *, reuse: Mapping[Slot, Outcome] | None = None,
        seed: int | None = None, sink: Callable[[Event], None] | None = None,
    ) -> Run:  # fmt: skip
        """A run of ``recipe`` on a conversation of user and assistant messages whose last one is the question.

        ``reuse`` holds outcomes that are taken as they are (resume, retry of one slot, re-aggregation). ``seed``
        decides fence and order of fenced prompts and is random unless given. With ``sink`` each event is handed
        to it at once, and iterating gives none.
        """
        return Run(
            self,
            recipe,
            tuple(conversation),
            dict(reuse or {}),
            secrets.randbits(62) if seed is None else seed,
            sink,
        )

    def guards(self, endpoint: Endpoint) -> Guards:
        """The shared limiter and retry budget of a provider and the breaker of its model."""
        policy, name = endpoint.policy, endpoint.provider.name
        if name not in self._limits:
            self._limits[name] = Limiter(policy.limits), RetryBudget(policy.retries)
        breaker = self._breakers.setdefault(endpoint.model.id, Breaker(policy.breaker))
        return Guards(*self._limits[name], breaker)

    def resting(self, model_id: str) -> bool:
        """Whether the model's breaker would refuse a call now; for greying it out."""
        breaker = self._breakers.get(model_id)
        return breaker is not None and breaker.resting(self.clock.now())

    def models_refreshed(self) -> None:
        """A provider's model list is new: forget lasting refusals."""
        for breaker in self._breakers.values():
            breaker.reset()

    def expected_ms(self, model_id: str) -> float:
        """How long a call to the model tends to take; unknown ones count as slow, so that they go out first."""
        return self._expected_ms.get(model_id, float("inf"))

    def took(self, model_id: str, duration_ms: int) -> None:
        """Note how long a call took."""
        known = self._expected_ms.get(model_id, duration_ms)
        self._expected_ms[model_id] = 0.7 * known + 0.3 * duration_ms
