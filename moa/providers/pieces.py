"""Chat completion chunks, as parsed JSON of any shape, into one ``Piece``. Pure; never raises."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeGuard

from moa.core.domain import Usage
from moa.engine.ports import Piece

_ABSURD_TOKENS = 10**8


class Merged(NamedTuple):
    """What a read's chunks add up to, and the error object that ended them, if one came."""

    piece: Piece | None
    error: Any = None


def merge(chunks: list[Any]) -> Merged:
    """All chunks of one read in one piece; ``None`` when they hold no content (role chunks, keep-alives)."""
    texts: list[str] = []
    thoughts: list[str] = []
    finish: str | None = None
    usage: Usage | None = None
    error: Any = None
    for chunk in chunks:
        if text := plain_text(chunk):
            texts.append(text)
            continue
        if not isinstance(chunk, dict):
            continue
        if error := chunk.get("error"):
            break
        choice = _first_choice(chunk.get("choices"))
        if choice is not None:
            _take_delta(choice.get("delta"), texts, thoughts)
            finish = _finish(choice) or finish
        if chunk.get("usage") is not None:
            usage = usage_of(chunk["usage"]) or usage
    text, reasoning = "".join(texts), "".join(thoughts)
    if not (text or reasoning or finish or usage):
        return Merged(None, error)
    return Merged(Piece(text, reasoning, finish, usage), error)


def plain_text(chunk: Any) -> str:
    """The text of a chunk that brings text and nothing else, as nearly all do; else empty, for ``merge`` to judge."""
    try:
        choice = chunk["choices"][0]
        delta = choice["delta"]
        text = delta["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    if type(text) is not str or choice.get("finish_reason") or chunk.get("usage") or chunk.get("error"):
        return ""
    return "" if delta.get("reasoning_content") or delta.get("reasoning") else text


def usage_of(value: Any) -> Usage | None:
    """The provider's token counts, or None unless both are sane whole numbers (and not both 0)."""
    if not isinstance(value, dict):
        return None
    given, written = value.get("prompt_tokens"), value.get("completion_tokens")
    if not (_is_count(given) and _is_count(written)) or given == written == 0:
        return None
    return Usage(given, written)


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < _ABSURD_TOKENS


def _first_choice(choices: Any) -> dict[str, Any] | None:
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return None


def _finish(choice: dict[str, Any]) -> str | None:
    finish = choice.get("finish_reason")
    return finish if isinstance(finish, str) else None


def _take_delta(delta: Any, texts: list[str], thoughts: list[str]) -> None:
    if not isinstance(delta, dict):
        return
    content = delta.get("content") or delta.get("refusal")
    if isinstance(content, str):
        texts.append(content)
    elif isinstance(content, list):
        _take_parts(content, texts, thoughts)
    thought = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(thought, str):
        thoughts.append(thought)


def _take_parts(parts: list[Any], texts: list[str], thoughts: list[str]) -> None:
    """Mistral's reasoning models send content as typed parts; a thinking part holds text parts of its own."""
    for part in parts:
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif isinstance(part.get("thinking"), list):
            _take_parts(part["thinking"], thoughts, thoughts)
