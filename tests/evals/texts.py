"""Texts for tests, friendly and hostile."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = [
    "The sky is blue.", "Why? Because!", "Dr. Smith said so, e.g. in 3.14 ways.", "- item one\n", "1. first. Second.\n",
    "| a | b |\n", "|---|---|\n", "# Title\n", "```py\nx = 1. \n\ny\n```\n", "~~~", "```", "---\n", "* * *\n",
    "> quoted.\n", "\n\n", "\n", " ", "\t", "\r\n", "\x00", "\u3000", "...", "?!", ")", "\u2026", "**bold.** ", "word",
    "天は青い\u3002なぜ\uff1f", "他说: \u201c是的!\u201d然后走了\u3002", "하늘은 파랗다. 왜?",
    "आकाश नीला है\u0964 क्यों?", "ฟ้าเป็นสีฟ้า",
    "x" * 50, "\u202eright\u202c", "👩\u200d👩\u200d👧😀", "\ud83d", "e\u0301\u0301",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=6), max_size=14).map("".join)

LONG = 32_000
HOSTILE = {
    "one word": "a" * LONG,
    "dots": "." * LONG + "x",
    "marks and brackets": "!)" * (LONG // 2) + "x",
    "bidi": "\u202e\u2066" * (LONG // 2),
    "emoji": "👩\u200d👩\u200d👧" * (LONG // 5),
    "open fences": "```\n~~~\n" * (LONG // 8),
    "backticks": "`" * LONG,
    "short sentences": "No. " * (LONG // 4),
    "table rows": "|\n" * (LONG // 2),
    "nearly a rule": "- " * (LONG // 2) + "x",
    "numbers": "1." * (LONG // 2),
    "list items": "1. a\n" * (LONG // 5),
    "combining marks": "e" + "\u0301" * LONG,
    "lone surrogates": "\ud83d" * LONG,
    "bold": "**" * (LONG // 2),
    "blank": " \n" * (LONG // 2),
    "han": "".join(chr(0x4E00 + i * 7919 % 20_000) for i in range(LONG)),
    "words": " ".join(f"{i * 7919 % 9973:x}" for i in range(LONG // 5)),
}
