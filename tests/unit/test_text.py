from __future__ import annotations

import tracemalloc
from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.core.text import Repairer, ThinkSplitter, clean, estimate_tokens, first_words

MARK = "\u0301"
pieces_of_trouble = st.sampled_from(
    ["\ud83d", "\ude00", "\ud83d\ude00", "\x00", "\x1b[31m", "\x85", "\u202e", "\u2066", "\ufeff", "\uffff", "\n",
     "\r\n", "\t", "e", MARK, MARK * 5, MARK * 20, "\u20d0", "界", "😀", "plain words ", ""]
)  # fmt: skip
any_text = st.text(st.characters(), max_size=20)  # lone surrogates too
troubled = st.lists(pieces_of_trouble | any_text, max_size=12)


def repaired(pieces: list[str]) -> list[str]:
    repair = Repairer()
    return [*(repair.feed(piece) for piece in pieces), repair.flush()]


def cut_at(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@settings(max_examples=300, deadline=None)
@given(troubled)
def test_F17_pieces_repaired_one_by_one_add_up_to_the_whole_repaired(pieces: list[str]) -> None:
    assert "".join(repaired(pieces)) == clean("".join(pieces))


@settings(max_examples=200, deadline=None)
@given(troubled)
def test_F17_what_is_clean_stays_and_can_be_written_anywhere(pieces: list[str]) -> None:
    text = clean("".join(pieces))
    assert clean(text) == text
    assert orjson.loads(orjson.dumps(text)) == text
    assert text.encode().decode() == text
    assert "\x00" not in text
    for piece in repaired(pieces):
        piece.encode()  # each delta goes over the wire by itself


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("\ud83d\ude00", "😀"),
        ("a\ud83db", "a\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("a\x00b\x07c\x9bd", "abcd"),
        ("tab\tline\nreturn\r", "tab\tline\nreturn\r"),
        ("\ufeffmark", "mark"),
        ("\u202edesrever\u202c", "desrever"),
        ("e" + MARK * 20_000, "e" + MARK * 8),
        ("e" + MARK * 8 + "\n" + MARK * 8, "e" + MARK * 8 + "\n" + MARK * 8),
        ("e" + MARK * 5 + "\x00" + MARK * 5, "e" + MARK * 8),
        ("naïve — 青い 😀", "naïve — 青い 😀"),
    ],
)
def test_F17_each_repair(raw: str, wanted: str) -> None:
    assert clean(raw) == wanted
    assert "".join(repaired(list(raw))) == wanted


def test_F17_a_line_end_after_marks_starts_the_count_again() -> None:
    first, second = "e" + MARK * 8 + "\n", MARK * 3 + "x"
    assert repaired([first, second]) == [first, second, ""]


def test_a_pair_cut_in_two_is_held_until_it_is_whole() -> None:
    assert repaired(["a\ud83d", "\ude00b"]) == ["a", "😀b", ""]
    assert repaired(["a\ud83d"]) == ["a", "\ufffd"]
    assert repaired(["\ud83d\n"]) == ["\ufffd\n", ""]


def split(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    found = [*(splitter.feed(piece) for piece in pieces), splitter.flush()]
    return "".join(r for r, _ in found), "".join(t for _, t in found)


@pytest.mark.parametrize(
    ("raw", "reasoning", "text"),
    [
        ("<think>Hm.</think>Yes.", "Hm.", "Yes."),
        ("\n <think>\nHm.\n\n</think>\n\nYes.\n", "Hm.", "Yes.\n"),
        ("<think></think>Yes.", "", "Yes."),
        ("<think>\n\n</think>\n\nYes.", "", "Yes."),
        ("<think>never closed", "never closed", ""),
        ("<think>a < b </ c </thin d", "a < b </ c </thin d", ""),
        ("No thought. <think>quoted</think>", "", "No thought. <think>quoted</think>"),
        ("<thinking>is another tag", "", "<thinking>is another tag"),
        ("<thi", "", "<thi"),
        ("  \n", "", "  \n"),
        ("", "", ""),
        ("<think>a</think>b</think>c", "a", "b</think>c"),
        ("<think>\n\na\n\n\n\nb\n\n\n\n</think>c", "a\n\n\n\nb\n\n", "c"),
    ],
)
def test_thoughts_before_the_answer_are_told_apart(raw: str, reasoning: str, text: str) -> None:
    assert split([raw]) == (reasoning, text)
    assert split(list(raw)) == (reasoning, text)


thoughtful = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "</", "think>", "\n", "\n\n", " ", "word", "a > b"]), max_size=12
).map("".join)


@settings(max_examples=300, deadline=None)
@given(thoughtful, st.lists(st.integers(0, 60), max_size=8))
def test_any_cut_gives_the_same_thoughts_and_text(raw: str, cuts: list[int]) -> None:
    assert split(cut_at(raw, cuts)) == split([raw])


@settings(max_examples=100, deadline=None)
@given(thoughtful)
def test_text_without_a_leading_thought_is_untouched(raw: str) -> None:
    raw = "So: " + raw
    assert split(list(raw)) == ("", raw)


def test_F16_blanks_without_end_are_not_kept() -> None:
    """Neither before a tag that may come nor anywhere else does the splitter hold what it was given."""
    splitter, blanks = ThinkSplitter(), " \n" * 500
    tracemalloc.start()
    returned = sum(len(splitter.feed(blanks)[1]) for _ in range(2_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert returned == 2_000 * len(blanks)
    assert held < 100_000
    far = " " * 300 + "<think>late</think>"
    assert split([far]) == split(list(far)) == ("", far)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("four", 1), ("fives", 2), ("x" * 400, 100), ("naïveté!", 2), ("привет", 3), ("שלום", 2),
     ("नमस्ते", 6), ("สวัสดี", 6), ("你好", 2), ("😀", 1), ("hi 你好", 3)],
)  # fmt: skip
def test_tokens_are_estimated_by_script(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@settings(max_examples=100, deadline=None)
@given(any_text, any_text)
def test_an_estimate_grows_with_the_text(one: str, other: str) -> None:
    assert max(estimate_tokens(one), estimate_tokens(other)) <= estimate_tokens(one + other) <= len(one + other)
    assert estimate_tokens(one + other) <= estimate_tokens(one) + estimate_tokens(other)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("  Two\n lines\tand\x00 more ", "Two lines and more"),
        ("", ""),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("x" * 100, "x" * 60 + "…"),
        ("short " + "x" * 100, "short " + "x" * 54 + "…"),
        ("天空为什么是蓝色的" * 10, ("天空为什么是蓝色的" * 10)[:60] + "…"),
        ("a" * 40 + ", " + "b" * 40, "a" * 40 + "…"),
        ("\ud83d" + "😀", "\ufffd😀"),
    ],
)
def test_a_title_is_the_first_words(text: str, title: str) -> None:
    assert first_words(text) == title


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=200), st.integers(1, 80))
def test_a_title_is_one_short_line(text: str, limit: int) -> None:
    title = first_words(text, limit)
    assert len(title) <= limit + 1
    assert title == " ".join(title.split())
    title.encode()
