"""Texts of models and visitors put into a Markdown document, from which none can break out.

A text stands behind ``>`` on every line, so that its headings, lists and code stay inside and can be read as they were
meant. A text with what could act outside its place (HTML, images, link definitions, unusual links, code fences that
Markdown's readers might see differently) stands in a fence that is longer than any in it, where nothing acts.
"""

from __future__ import annotations

import re

_LINE_END = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_TICKS = re.compile("`{3,}")
_FENCE = re.compile(r"(`{3,})[^`]*|(~{3,}).*")
_LIKE_A_FENCE = re.compile(r"[\s>*+\-\d.)]*(```|~~~)")
# HTML and autolinks, images, definitions of links and footnotes, and links to anything but the web and mail.
_ACTIVE = re.compile(r"<|!\[|\]:|\]\((?!https?://|mailto:)")
_SPECIAL = re.compile(r"([\\`*_\[\]#~$!])")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#.-]{1,20}")


def quoted(text: str) -> str:
    """The text as a blockquote where it stays inside of one, else in a fence."""
    lines = _lines(text)
    if any(_ACTIVE.search(line) for line in lines):
        certain = _code_apart(lines)
        if certain is None:
            return fenced(text, "markdown")
        lines = certain
    return "\n".join(f"> {line}" if line.strip() else ">" for line in lines)


def fenced(text: str, language: str = "") -> str:
    """The text in a code fence that is longer than any run of backticks in it."""
    body = "\n".join(_lines(text))
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(body)), default=2))
    word = language if _LANGUAGE.fullmatch(language) else ""
    return f"{ticks}{word}\n{body}\n{ticks}"


def inline(text: str) -> str:
    """The text as part of a line or of a table's cell, without any meaning as Markdown or HTML."""
    line = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "&#124;")


def _lines(text: str) -> list[str]:
    return _LINE_END.sub("\n", text).strip("\n").split("\n")


def _code_apart(lines: list[str]) -> list[str] | None:
    """The lines, if what could act stands in fenced code for certain, else None.

    Only fences at a line's very beginning are certain: no list or indent lets readers differ about them. Each gets a
    blank line before it, which some readers ask for.
    """
    kept: list[str] = []
    fence = ""
    for line in lines:
        if fence:
            closing = _closes(line, fence)
            if closing is None:
                return None
            fence = "" if closing else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening[1] or opening[2]
            kept += [""] if kept and kept[-1].strip() else []
        elif _LIKE_A_FENCE.match(line) or _ACTIVE.search(line):
            return None
        kept.append(line)
    return None if fence else kept


def _closes(line: str, fence: str) -> bool | None:
    """Whether a line ends a fence; None where a tab, whose width differs behind ``>``, leaves that open."""
    bare = line.strip(" \t")
    if len(bare) < len(fence) or bare.strip(fence[0]):
        return False
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    return None if "\t" in indent else len(indent) < 4
