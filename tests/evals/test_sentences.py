from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from moa.evals.sentences import sentences
from tests.evals.texts import HOSTILE, texts


def cut(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        (" \n\t", []),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It is 3.14, not 3.15. See a.b.c for more.", ["It is 3.14, not 3.15.", "See a.b.c for more."]),
        ("Dr. No met J. Bond, e.g. in the U.S. twice.", ["Dr. No met J. Bond, e.g. in the U.S. twice."]),
        ('"Why?" he asked. "So." Then… nothing.', ['"Why?" he asked.', '"So."', "Then… nothing."]),
        ("Wait... What?! (Yes.) *Go.*", ["Wait...", "What?!", "(Yes.)", "*Go.*"]),
        ("over\ntwo lines. And\n\nno stop", ["over\ntwo lines.", "And", "no stop"]),
        ("天は青い\u3002なぜ\uff1f「そう\u3002」と", ["天は青い\u3002", "なぜ\uff1f", "「そう\u3002」", "と"]),
        ("是\u3002不是\uff01好?走!", ["是\u3002", "不是\uff01", "好?", "走!"]),
        ("آسمان آبی است؟ بله.", ["آسمان آبی است؟", "بله."]),
        ("आकाश नीला है। क्यों?", ["आकाश नीला है।", "क्यों?"]),
        ("# 1. Title. More\ntext", ["# 1. Title. More", "text"]),
        ("Title\n=====\ntext\n---\nmore", ["Title", "=====", "text", "---", "more"]),
        ("Do:\n1. One. Two.\n2. Rest\n   now\n- end", ["Do:", "1. One.", "Two.", "2. Rest\n   now", "- end"]),
        ("| a. b | c |\n|---|---|\n| 1 | 2. 3 |\nAfter.", ["| a. b | c |", "|---|---|", "| 1 | 2. 3 |", "After."]),
        ("See:\n```py\na. b\n\n# c\n```\nDone.", ["See:", "```py\na. b\n\n# c\n```", "Done."]),
        ("~~~~\n~~~\nx. y\n~~~~\n", ["~~~~\n~~~\nx. y\n~~~~"]),
        ("Open.\n```\nnever. closed", ["Open.", "```\nnever. closed"]),
        ("One.\r\n\r\nTwo.\r\n", ["One.", "Two."]),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_a_reader_would(text: str, wanted: list[str]) -> None:
    assert cut(text) == wanted


def check(text: str) -> None:
    spans = sentences(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    between = "".join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))
    assert not between.strip()
    for piece in cut(text):
        assert piece == piece.strip()
        assert piece


@settings(deadline=None)
@given(texts)
def test_sentences_are_apart_and_leave_nothing_but_blanks(text: str) -> None:
    check(text)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_is_too_hostile_to_cut(name: str) -> None:
    check(HOSTILE[name])
