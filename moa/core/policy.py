"""Numbers that bound calls, layers and texts. Defaults are the documented policy; TOML may change each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds one call may take. Keep-alive comments are not content and reset nothing."""

    connect_s: float = 5.0
    first_token_s: float = 30.0
    idle_s: float = 30.0
    total_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider may be asked for at once. ``queue`` callers may wait; one more is refused at once."""

    requests_per_minute: int | None = None
    concurrency: int = 16
    queue: int = 64


@dataclass(frozen=True, slots=True)
class Retries:
    """One retry loop for a call: full jitter from ``first_wait_s`` doubling to ``max_wait_s``."""

    attempts: int = 3
    first_wait_s: float = 0.5
    max_wait_s: float = 8.0
    share: float = 0.2


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a model rests: ``failures`` in a row, or over half of at least ``window_calls`` in ``window_s``."""

    failures: int = 5
    window_calls: int = 10
    window_s: float = 30.0
    open_s: float = 10.0
    max_open_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Caps:
    """Characters and counts above which input is refused or output is cut."""

    question_chars: int = 32_000
    proposal_chars: int = 12_000
    output_chars: int = 32_000
    turns: int = 200


@dataclass(frozen=True, slots=True)
class Policy:
    """How calls to one provider are made."""

    deadlines: Deadlines = Deadlines()
    limits: Limits = Limits()
    retries: Retries = Retries()
    breaker: Breaker = Breaker()
