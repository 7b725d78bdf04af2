"""Text at the door: what a provider or a page sends is repaired once, so that stored and shown text are the same.

A lone surrogate kills an event stream, a NUL breaks a database write, endless combining marks freeze a page.
"""

from __future__ import annotations

import re

_BAD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 and C1 but tab, line feed and carriage return
    "\u202a-\u202e\u2066-\u2069"  # bidi embeddings, overrides and isolates: they hide what is written
    "\ufeff\ufffe\uffff]"
)
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARK_LIMIT = 8
_LEADING_MARKS = re.compile(f"[{_MARKS}]*")
_MANY_MARKS = re.compile(f"([{_MARKS}]{{{_MARK_LIMIT}}})[{_MARKS}]+")
_TRAILING_MARKS = re.compile(rf"[{_MARKS}]*\Z")
_HIGH = re.compile("[\ud800-\udbff]\\Z")


def clean(text: str) -> str:
    """The text without what breaks stores, streams and pages: surrogate pairs are joined, lone ones become
    U+FFFD; control characters, bidi controls and byte order marks are dropped; runs of combining marks end
    at eight."""
    if text.isascii() and not _BAD.search(text):
        return text
    text = _PAIR.sub(lambda m: m[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _MANY_MARKS.sub(r"\1", _BAD.sub("", _LONE.sub("\ufffd", text)))


class Repairer:
    """``clean`` for a text that arrives in pieces: what a piece leaves open is decided with the next.

    The pieces returned by ``feed`` and ``flush`` add up to ``clean`` of the whole.
    """

    def __init__(self) -> None:
        self._held = ""
        self._marks = 0

    def feed(self, piece: str) -> str:
        """The part of the text that is now certain."""
        if not self._held and not self._marks and piece.isascii():
            return piece if piece.isprintable() or not _BAD.search(piece) else _BAD.sub("", piece)
        text = self._held + piece
        self._held = text[-1] if _HIGH.search(text) else ""
        return self._limit_marks(clean(text[: len(text) - len(self._held)]))

    def flush(self) -> str:
        """What was held back at the end of the text."""
        held, self._held = self._held, ""
        return self._limit_marks(clean(held))

    def _limit_marks(self, text: str) -> str:
        if not text:
            return text
        leading = len(_LEADING_MARKS.match(text)[0])  # type: ignore[index]  # matches the empty string
        kept = max(0, min(leading, _MARK_LIMIT - self._marks))
        whole = leading == len(text)
        self._marks = min(self._marks + leading, _MARK_LIMIT) if whole else len(_TRAILING_MARKS.search(text)[0])  # type: ignore[index]
        return text[:kept] + text[leading:]


class ThinkSplitter:
    """Separates a leading ``<think>…</think>`` block, as open reasoning models write it, from the answer.

    Line ends next to the tags are dropped (two at most before the closing one). What ``feed`` and ``flush`` return
    adds up to the same, however the text was cut into pieces. Once ``over``, all that comes is text as it stands, and
    need not be fed.
    """

    _OPEN, _CLOSE = "<think>", "</think>"
    _BLANK_LIMIT = 256  # a model that writes blanks for ever is not waited for with all of them in memory

    def __init__(self) -> None:
        self.over = False
        self._state = "start"
        self._held = ""
        self._skip = False

    def feed(self, piece: str) -> tuple[str, str]:
        """``(reasoning, text)`` that is now certain."""
        certain = self._feed(piece)
        self.over = self._state == "text" and not self._skip
        return certain

    def flush(self) -> tuple[str, str]:
        """What was held back: reasoning when the block never closed, else text."""
        rest = self._take()
        return (rest, "") if self._state == "think" else ("", rest)

    def _feed(self, piece: str) -> tuple[str, str]:
        if self._state == "text":
            return "", self._unskipped(piece)
        self._held += piece
        if self._state == "start" and not self._begin():
            return "", ""
        return self._inside() if self._state == "think" else ("", self._take())

    def _begin(self) -> bool:
        """Decide whether the text opens with the tag; False while that is still uncertain."""
        seen = self._held.lstrip()
        if len(self._held) - len(seen) > self._BLANK_LIMIT:
            self._state = "text"
        elif seen.startswith(self._OPEN):
            self._state, self._held, self._skip = "think", seen[len(self._OPEN) :], True
        elif not self._OPEN.startswith(seen):
            self._state = "text"
        else:
            return False
        return True

    def _inside(self) -> tuple[str, str]:
        self._held = self._unskipped(self._held)
        thought, close, rest = self._held.partition(self._CLOSE)
        if close:
            self._state, self._held, self._skip = "text", "", True
            return thought[: len(thought) - _line_ends(thought)], self._unskipped(rest)
        sure = len(self._held) - _overlap(self._held, self._CLOSE)
        sure -= _line_ends(self._held[:sure])
        thought, self._held = self._held[:sure], self._held[sure:]
        return thought, ""

    def _unskipped(self, text: str) -> str:
        """Without the line ends that follow a tag; once something else has come, they count again."""
        if self._skip:
            text = text.lstrip("\n")
            self._skip = not text
        return text

    def _take(self) -> str:
        held, self._held = self._held, ""
        return held


def _overlap(text: str, tag: str) -> int:
    """Length of the longest end of ``text`` that begins ``tag``."""
    return next((n for n in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:n])), 0)


def _line_ends(text: str) -> int:
    """How many of the two last characters are line ends, counted from the end."""
    return len(text[-2:]) - len(text[-2:].rstrip("\n"))


_FOREIGN = re.compile("[\u0250-\u08ff]")  # Greek, Cyrillic, Hebrew, Arabic and their neighbours
_WIDE = re.compile("[\u0900-\U0010ffff]")  # Indic and East Asian scripts, symbols, emoji


def estimate_tokens(text: str) -> int:
    """A rough count, meant to err high: a token is four characters of Latin script, two of Greek, Cyrillic, Hebrew or
    Arabic, one of any other."""
    if text.isascii():
        return (len(text) + 3) // 4
    foreign, wide = len(_FOREIGN.findall(text)), len(_WIDE.findall(text))
    return (len(text) + foreign - wide + 3) // 4 + wide


def first_words(text: str, limit: int = 60) -> str:
    """The beginning of a text as one line, cut at a word where there are words; for titles."""
    line = " ".join(clean(text).split())
    if len(line) <= limit:
        return line
    cut = line[:limit]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) >= limit // 2 else cut).rstrip(" ,;:") + "…"
