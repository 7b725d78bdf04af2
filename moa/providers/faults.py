"""What went wrong on the wire, as the engine's errors. Pure but for the wall clock that an HTTP date needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import aiohttp
import orjson

from moa.core.domain import FailureKind
from moa.core.errors import CallError, FinalCall, RateLimited, RetryableCall
from moa.core.redact import Redactor

NO_CREDIT = "The provider account has no credit left."
TOO_LONG = "The conversation is too long for this model."
LONGEST_WAIT_S = 86_400.0

_NO_CREDIT = re.compile(
    r"insufficient_quota|insufficient[ _](?:balance|credit|funds)|credit balance is too low", re.IGNORECASE
)
_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|context (?:window|size)|prompt is too long", re.IGNORECASE
)
_BAD_KEY = re.compile(
    r"api[ _]key[ _](?:not valid|invalid)|(?:incorrect|invalid) api key|invalid_api_key", re.IGNORECASE
)
_UNKNOWN_MODEL = re.compile(
    r"model_not_found|not a valid model|invalid model|model\b.{0,120}?\b(?:not found|does not exist|doesn't exist)",
    re.IGNORECASE,
)
_RETRY_DELAY = re.compile(r'"retryDelay"\s*:\s*"(\d{1,6}(?:\.\d{1,9})?)s"')


class Refusal(NamedTuple):
    """A response that is no answer: its status, headers (lower-case names) and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    text: str


def of_refusal(refusal: Refusal, redact: Redactor) -> CallError:
    """The error of a response with a status other than 2xx. Redirects are refused, as none is followed."""
    status, text = refusal.status, refusal.text
    detail = f"HTTP {status}: {redact.excerpt(text)}"
    if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(text)):
        return FinalCall(FailureKind.REJECTED, detail=detail, public=NO_CREDIT)
    if status == 429:
        return RateLimited(retry_after_s=retry_after_s(refusal), detail=detail)
    if status in (408, 409, 425) or status >= 500:
        return _overloaded(refusal, detail)
    if status in (401, 403) or (status == 400 and _BAD_KEY.search(text)):
        return FinalCall(FailureKind.BAD_KEY, detail=detail)
    if status in (404, 410) or (status in (400, 422) and _UNKNOWN_MODEL.search(text)):
        return FinalCall(FailureKind.UNKNOWN_MODEL, detail=detail)
    too_long = status == 413 or (status in (400, 422) and _TOO_LONG.search(text))
    return FinalCall(FailureKind.REJECTED, detail=detail, public=TOO_LONG if too_long else None)


def _overloaded(refusal: Refusal, detail: str) -> CallError:
    wait_s = retry_after_s(refusal)
    if wait_s is None:
        return RetryableCall(FailureKind.OVERLOADED, detail=detail)
    return RateLimited(retry_after_s=wait_s, detail=detail, kind=FailureKind.OVERLOADED)


_STATUS_OF = {
    "rate_limit_exceeded": 429, "rate_limit_error": 429, "too_many_requests": 429, "insufficient_quota": 429,
    "overloaded_error": 529, "invalid_api_key": 401, "authentication_error": 401, "permission_error": 403,
    "model_not_found": 404, "not_found_error": 404, "invalid_request_error": 400, "context_length_exceeded": 400,
}  # fmt: skip


def of_error_object(error: Any, redact: Redactor, headers: Mapping[str, str] | None = None) -> CallError:
    """The error of an ``error`` value inside a stream or a JSON body that came with status 200."""
    text = orjson.dumps(error, default=str).decode()
    fields = error if isinstance(error, dict) else {}
    status = 500
    for name in (fields.get("code"), fields.get("status"), fields.get("type")):
        if isinstance(name, str) and (name in _STATUS_OF or name.isdecimal()):
            status = _STATUS_OF.get(name) or int(name[:3])
            break
        if type(name) is int:
            status = name
            break
    return of_refusal(Refusal(status if 400 <= status < 600 else 500, headers or {}, text), redact)


def retry_after_s(refusal: Refusal, now: datetime | None = None) -> float | None:
    """Seconds to wait as told by ``retry-after-ms``, ``Retry-After`` (RFC 9110, 10.2.3: seconds or a date) or, at
    Google, the body. None when nothing sane is said: negative, past, over a day, or no number.
    """
    headers = refusal.headers
    if (ms := _number(headers.get("retry-after-ms"))) is not None:
        return _sane(ms / 1000)
    told = headers.get("retry-after")
    if told is None:
        found = _RETRY_DELAY.search(refusal.text)
        return _sane(float(found[1])) if found else None
    seconds = _number(told)
    return _sane(_until(told, now) if seconds is None else seconds)


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\s*-?[0-9]{1,18}(?:\.[0-9]{1,9})?\s*", text):
        return None
    return float(text)


def _until(date: str, now: datetime | None) -> float | None:
    try:
        then = parsedate_to_datetime(date)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return (then - (now or datetime.now(UTC))).total_seconds()


def _sane(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 <= seconds <= LONGEST_WAIT_S else None


_UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_DROPPED = (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, OSError)


def of_exception(error: BaseException, redact: Redactor, *, opened: bool) -> CallError:
    """The error of a failed connection. The SDK and its transport wrap (and rename) what aiohttp raised, so the
    chain of causes is searched for it. ``opened``: the response's head had come, so nothing is unreachable.
    """
    chain = list(_causes(error))
    detail = redact.excerpt(" / ".join(f"{type(e).__name__}: {e}" for e in chain))
    if not opened and any(isinstance(e, _UNREACHABLE) for e in chain):
        return RetryableCall(FailureKind.UNREACHABLE, detail=detail)
    if any(isinstance(e, aiohttp.ClientResponseError) for e in chain):  # no HTTP at all, or broken HTTP
        return RetryableCall(FailureKind.MALFORMED, detail=detail)
    if opened or any(isinstance(e, _DROPPED) for e in chain):
        return RetryableCall(FailureKind.DROPPED, detail=detail)
    return RetryableCall(FailureKind.UNREACHABLE, detail=detail)


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found and len(found) < 6:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
