"""Parameters that a model rejects: read from its error text, taken out of the request, and remembered.

Providers say it in their own words; the patterns below are from real answers of OpenAI, Azure, Mistral, Google,
Groq, xAI, Anthropic, vLLM, llama.cpp and SGLang, which the tests hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]

_RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_DROPPABLE = ("stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p", "seed", "stop")
_UNSUPPORTED = re.compile(
    r"not support|unsupported|does ?n[o']t support|unrecognized|unknown (?:parameter|name|field|argument)|deprecated"
    r"|extra_forbidden|extra inputs|not permitted|not allowed|unexpected (?:keyword|argument|field)|not available"
    r"|cannot both|cannot be used|only the default|no longer",
    re.IGNORECASE,
)
_OUT_OF_RANGE = re.compile(
    r"less than or equal|greater than or equal|too large|too high|between|range|must be|at most|maximum|exceed|<=|>=",
    re.IGNORECASE
)
_FORBIDDEN = re.compile(r"extra_forbidden|extra inputs", re.IGNORECASE)  # whoever refuses one name knows the other
_HINT = re.compile(r"did you mean [^?]{0,60}\?")
_NO_SYSTEM = re.compile(
    r"system[ -](?:role|message|prompt|instruction)s? (?:is |are )?not (?:supported|enabled|allowed)"
    r"|(?:developer|system) instruction is not enabled"
    r"|role'? does not support '?system|does ?n[o']t support (?:the )?(?:'system'|system)"
    r"|roles must alternate|unsupported role:? '?\"?system",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quirk:
    """One change to a request: ``system`` folded into the user's text, or ``name`` dropped or renamed.

    ``lasting``: a fact about the model. Otherwise only this value was out of its range.
    """

    name: str
    renamed: str | None = None
    lasting: bool = True

    def apply(self, body: Body) -> Body:
        """A copy of the request without what is rejected."""
        if self.name == "system":
            return {**body, "messages": _folded(body["messages"])}
        kept = {name: value for name, value in body.items() if name != self.name}
        if self.renamed and self.name in body:
            kept[self.renamed] = body[self.name]
        return kept


def find(body: Mapping[str, Any], error: str) -> Quirk | None:
    """What of this request the error text names as rejected, or None."""
    error = _HINT.sub("", error)
    if _NO_SYSTEM.search(error) and _has_system(body):
        return Quirk("system")
    unsupported = _UNSUPPORTED.search(error) is not None
    if not unsupported and not _OUT_OF_RANGE.search(error):
        return None
    named = sorted((at, name) for name in _DROPPABLE if name in body and (at := _position(error, name)) >= 0)
    if not named:
        return None
    names = [name for _, name in named]
    name = "top_p" if {"temperature", "top_p"} <= set(names) else names[0]  # of these two, temperature matters more
    other = _RENAMED.get(name)
    if unsupported and other and (_position(error, other) >= 0 or _FORBIDDEN.search(error)):
        return Quirk(name, renamed=other)
    return Quirk(name, lasting=unsupported)


def _position(error: str, name: str) -> int:
    """Where a parameter is named, or -1. ``stop`` and ``seed`` are words too: those must look like a name."""
    before = r"(?:[\"'`]|: |parameter |argument )" if name in ("stop", "seed") else r"(?<!\w)"
    found = re.search(rf"{before}{name}(?!\w)", error)
    return found.start() if found else -1


def _has_system(body: Mapping[str, Any]) -> bool:
    return any(message.get("role") == "system" for message in body.get("messages", ()))


def _folded(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """System texts go before the first user message, separated by a blank line."""
    system = [m["content"] for m in messages if m["role"] == "system"]
    rest = [m for m in messages if m["role"] != "system"]
    first = next((i for i, m in enumerate(rest) if m["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": "\n\n".join(system)}, *rest]
    joined = "\n\n".join([*system, rest[first]["content"]])
    return [*rest[:first], {**rest[first], "content": joined}, *rest[first + 1 :]]
