"""Scripts as JSON, for a test server that runs in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.support import scripts
from tests.support.gates import Gate
from tests.support.scripts import Answer, HttpError, Reply

KINDS: Mapping[str, Callable[..., Reply | HttpError | Answer]] = {
    "answer": Answer,
    "http_error": HttpError,
    "html_page": scripts.html_page,
    "json_body": scripts.json_body,
    "empty_body": scripts.empty_body,
    "done_only": scripts.done_only,
    "choices": scripts.choices,
    "malformed_json": scripts.malformed_json,
    "bad_utf8": scripts.bad_utf8,
    "error_event": scripts.error_event,
    "reset": scripts.reset,
    "cut": scripts.cut,
    "no_finish": scripts.no_finish,
    "hang": scripts.hang,
    "hang_after": scripts.hang_after,
    "endless_output": scripts.endless_output,
    "endless_line": scripts.endless_line,
    "big_event": scripts.big_event,
}


def scripted(entry: Mapping[str, Any], gate: Callable[[str], Gate]) -> Reply | HttpError | Answer:
    """The script that ``{"kind": …, …}`` describes; gates are given by name."""
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items() if k != "kind"}
    for name in ("gate", "head_gate"):
        if name in given:
            given[name] = gate(given[name])
    return KINDS[entry.get("kind", "answer")](**given)
