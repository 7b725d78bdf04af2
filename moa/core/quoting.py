"""Texts of models as data within a prompt: one line each, between fence lines that no model could know."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}  # JSON allows these three as they are


def quoted(text: str, fence: str) -> str:
    """A JSON string on one line: no delimiter, role tag or heading inside it can stand at a line's start."""
    while fence in text:  # taking one out may join the halves of another
        text = text.replace(fence, "")
    return orjson.dumps(text).decode().translate(_LINE_ENDS)


def trimmed(given: Iterable[str], limit: int) -> tuple[list[str], int]:
    """The texts, each with at most ``limit`` characters, and how many characters were cut off in all."""
    texts = [text.strip() for text in given]
    kept = [text if len(text) <= limit else text[:limit].rstrip() + " …" for text in texts]
    return kept, sum(max(0, len(text) - limit) for text in texts)
