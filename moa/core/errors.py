"""Errors, grouped by what the reader does next. Each has a text that is safe to show and a private cause.

    MoaError
    ├── ConfigError              the operator mends a file: names file, table and key
    ├── InputRefused             the user changes what they sent
    ├── NotFound                 no such thing, or not yours: the same words for both
    ├── Conflict                 the page shows an older state: reload, then go on
    ├── Busy                     wait, then try again (retry_after_s)
    ├── StoreError               nothing was saved
    │   ├── StoreBusy            locked by another process: the save is tried again
    │   └── StoreReadOnly        disk full or file read-only: history stays readable
    └── CallError                one call to a model failed (kind names why)
        ├── RetryableCall        the same call may work in a moment
        │   └── RateLimited      the provider says when (retry_after_s)
        └── FinalCall            it will not: choose another model, mend the key or the request

Provider text is never put into ``public``: it may hold keys, prompts or markup. It goes to ``detail``,
which logs may hold after redaction.
"""

from __future__ import annotations

from moa.core.domain import FailureKind

_PUBLIC: dict[FailureKind, str] = {
    FailureKind.RATE_LIMITED: "The provider limits requests right now.",
    FailureKind.OVERLOADED: "The provider has a problem right now.",
    FailureKind.UNREACHABLE: "The provider can't be reached.",
    FailureKind.FIRST_TOKEN_TIMEOUT: "No answer began in time.",
    FailureKind.IDLE_TIMEOUT: "The answer stopped arriving.",
    FailureKind.CALL_TIMEOUT: "The answer took too long.",
    FailureKind.DROPPED: "The connection was lost.",
    FailureKind.MALFORMED: "The provider sent something unreadable.",
    FailureKind.EMPTY: "The model sent no text.",
    FailureKind.TRUNCATED: "The answer broke off.",
    FailureKind.FILTERED: "The provider's content filter withheld the answer.",
    FailureKind.BAD_KEY: "The provider refused the key.",
    FailureKind.NO_KEY: "This provider needs a key.",
    FailureKind.UNKNOWN_MODEL: "The provider doesn't know this model.",
    FailureKind.REJECTED: "The provider rejected the request.",
    FailureKind.UNAVAILABLE: "This model failed repeatedly and rests for a moment.",
    FailureKind.QUEUE_FULL: "Too many requests wait for this provider.",
    FailureKind.NOT_READY: "The embedded model is not ready.",
    FailureKind.LATE: "Too late for this layer.",
    FailureKind.STOPPED: "Stopped.",
    FailureKind.BUDGET: "The run's budget is used up.",
    FailureKind.INTERRUPTED: "The app stopped while this was written.",
    FailureKind.INTERNAL: "Something went wrong on our side.",
}


def public_text(kind: FailureKind) -> str:
    """What a page may say about a failure of this kind."""
    return _PUBLIC[kind]


class MoaError(Exception):
    """Base of all our errors. ``public`` may be shown to anyone; ``detail`` only to the operator."""

    def __init__(self, public: str, *, detail: str = "") -> None:
        super().__init__(public)
        self.public = public
        self.detail = detail


class ConfigError(MoaError):
    """A configuration file or variable is wrong. ``public`` is one line: file, table, key, suggestion."""


class InputRefused(MoaError):
    """What the user sent can't be taken; ``public`` names the limit."""


class NotFound(MoaError):
    """Missing, or another user's: nobody can tell which."""

    def __init__(self, what: str = "conversation") -> None:
        super().__init__(f"This {what} doesn't exist any more.")


class Conflict(MoaError):
    """The state that the sender saw is not the newest."""


class Busy(MoaError):
    """Too much is under way."""

    def __init__(self, public: str, *, retry_after_s: float, detail: str = "") -> None:
        super().__init__(public, detail=detail)
        self.retry_after_s = retry_after_s


class StoreError(MoaError):
    """The database did not take or give something."""


class StoreBusy(StoreError):
    """Another process holds the database."""


class StoreReadOnly(StoreError):
    """The database can't be written (disk full, read-only file)."""


class CallError(MoaError):
    """One call to a model failed."""

    retryable = False

    def __init__(self, kind: FailureKind, *, detail: str = "", public: str | None = None) -> None:
        super().__init__(public or public_text(kind), detail=detail)
        self.kind = kind


class RetryableCall(CallError):
    """The same call may work in a moment."""

    retryable = True


class RateLimited(RetryableCall):
    """Refused for now. ``retry_after_s`` is what the provider asks for, if it is sane."""

    def __init__(
        self,
        *,
        retry_after_s: float | None = None,
        detail: str = "",
        kind: FailureKind = FailureKind.RATE_LIMITED,
    ) -> None:
        super().__init__(kind, detail=detail)
        self.retry_after_s = retry_after_s


class FinalCall(CallError):
    """The same call can't work."""


_SHORT: dict[FailureKind, str] = {
    FailureKind.RATE_LIMITED: "rate limited",
    FailureKind.OVERLOADED: "provider error",
    FailureKind.UNREACHABLE: "unreachable",
    FailureKind.FIRST_TOKEN_TIMEOUT: "timed out",
    FailureKind.IDLE_TIMEOUT: "timed out",
    FailureKind.CALL_TIMEOUT: "timed out",
    FailureKind.DROPPED: "connection lost",
    FailureKind.MALFORMED: "unreadable answer",
    FailureKind.EMPTY: "empty answer",
    FailureKind.TRUNCATED: "broke off",
    FailureKind.FILTERED: "filtered",
    FailureKind.BAD_KEY: "key refused",
    FailureKind.NO_KEY: "no key",
    FailureKind.UNKNOWN_MODEL: "unknown model",
    FailureKind.REJECTED: "request rejected",
    FailureKind.UNAVAILABLE: "resting after failures",
    FailureKind.QUEUE_FULL: "queue full",
    FailureKind.NOT_READY: "not ready",
    FailureKind.LATE: "too late",
    FailureKind.STOPPED: "stopped",
    FailureKind.BUDGET: "budget used up",
    FailureKind.INTERRUPTED: "interrupted",
    FailureKind.INTERNAL: "internal error",
}


def short_reason(kind: FailureKind) -> str:
    """A failure's kind in two or three words, for "missing X (timed out)"."""
    return _SHORT[kind]
