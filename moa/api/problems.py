"""What goes wrong in the HTTP API, in OpenAI's shape: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

import math

from pydantic import BaseModel
from starlette.responses import JSONResponse

from moa.api.replies import PRIVATE
from moa.core.domain import Failure, FailureKind, Part, RunResult, Status
from moa.core.errors import Busy, Conflict, InputRefused, MoaError, NotFound, public_text

INVALID = "invalid_request_error"
_SERVER = "server_error"
_LIMIT = "rate_limit_error"
_SOON_S, _LATER_S = 10.0, 60.0
_GATEWAY = 502, _SERVER, None
_OF_KIND: dict[FailureKind, tuple[int, str, float | None]] = {
    FailureKind.RATE_LIMITED: (429, _LIMIT, _SOON_S),
    FailureKind.QUEUE_FULL: (429, _LIMIT, _SOON_S),
    FailureKind.BUDGET: (429, "insufficient_quota", _LATER_S),
    FailureKind.UNAVAILABLE: (503, _SERVER, _SOON_S),
    FailureKind.NOT_READY: (503, _SERVER, _SOON_S),
    FailureKind.INTERRUPTED: (503, _SERVER, _SOON_S),
    FailureKind.NO_KEY: (503, _SERVER, None),
    FailureKind.BAD_KEY: (503, _SERVER, None),
    FailureKind.FIRST_TOKEN_TIMEOUT: (504, _SERVER, None),
    FailureKind.IDLE_TIMEOUT: (504, _SERVER, None),
    FailureKind.CALL_TIMEOUT: (504, _SERVER, None),
    FailureKind.FILTERED: (400, INVALID, None),
    FailureKind.STOPPED: (409, "run_stopped", None),
    FailureKind.INTERNAL: (500, _SERVER, None),
}


class ProblemJson(BaseModel):
    """What went wrong; ``param`` names the field and ``code`` the kind, where there is one."""

    message: str
    type: str
    param: str | None
    code: str | None


class RefusalJson(BaseModel):
    """The body of every answer that is none."""

    error: ProblemJson


class Problem(Exception):
    """A request that ends without what it asked for. ``message`` is safe to show.

    ``param`` names the field that is wrong, ``code`` the kind of problem. ``again``: whether a client may send the same
    request once more by itself, which for a run that failed would pay for all of its calls again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = INVALID,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        again: bool = True,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.param, self.code = status, message, kind, param, code
        self.retry_after_s, self.again = retry_after_s, again

    def body(self) -> dict[str, object]:
        """The JSON of it, as a body or as an event of a stream."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """The answer that says so."""
        headers = dict(PRIVATE)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
        if not self.again:
            headers["x-should-retry"] = "false"  # as OpenAI's own clients read it
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.body(), self.status, headers)


def of_error(error: MoaError) -> Problem:
    """400 for what can't be taken, 404, 409, 429 with ``Retry-After``, and 503 for what is not the asker's doing."""
    match error:
        case InputRefused():
            return Problem(400, error.public)
        case NotFound():
            return Problem(404, error.public, code="not_found")
        case Conflict():
            return Problem(409, error.public, again=False)
        case Busy():
            return Problem(429, error.public, _LIMIT, code="busy", retry_after_s=error.retry_after_s)
        case _:
            return Problem(503, error.public, _SERVER)


def of_failure(failure: Failure) -> Problem:
    """One call that failed, in the words of the page."""
    return _of_kind(failure.kind, failure.public)


def of_result(result: RunResult) -> Problem | None:
    """Why a run gave no answer; None when it gave one, if perhaps a degraded one."""
    match result.status:
        case Status.COMPLETE | Status.DEGRADED:
            return None
        case Status.CANCELLED:
            return _of_kind(FailureKind.STOPPED, "The run was stopped.")
        case Status.INTERRUPTED:
            return _of_kind(FailureKind.INTERRUPTED, public_text(FailureKind.INTERRUPTED))
        case _:
            telling = [f for f in result.failures if f.agent.part is Part.AGGREGATOR] or result.failures
            return (
                of_failure(telling[-1])
                if telling
                else _of_kind(FailureKind.INTERNAL, public_text(FailureKind.INTERNAL))
            )


def _of_kind(kind: FailureKind, words: str) -> Problem:
    status, group, wait_s = _OF_KIND.get(kind, _GATEWAY)
    again = wait_s is not None and kind is not FailureKind.BUDGET
    return Problem(status, words, group, code=str(kind), retry_after_s=wait_s, again=again)
