from __future__ import annotations

import pytest

from moa.core.redact import MASK, Redactor


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefgh12345678",
        "sk-ant-api03-ABC_def-123",
        "hf_abcdefghijklmnop",
        "gsk_0123456789abcdef",
        "AIzaSyA-1234567890abcdef",
        "tgp_v1_abcdefgh",
        "xai-0123456789",
        "sk-abcd********wxyz",
    ],
)
def test_B21_what_looks_like_a_key_is_masked(secret: str) -> None:
    text = Redactor()(f"Incorrect API key provided: {secret}. See the docs.")
    assert secret not in text
    assert text == f"Incorrect API key provided: {MASK}. See the docs." or text.startswith(
        f"Incorrect API key provided: {MASK}"
    )


@pytest.mark.parametrize("header", ["Authorization: Bearer abc.def-123456", "authorization: basic dXNlcjpwYXNz"])
def test_B21_authorization_values_are_masked(header: str) -> None:
    assert Redactor()(header).split()[-1] == MASK


def test_B21_configured_values_are_masked_whatever_they_look_like() -> None:
    redact = Redactor(["plain(value)", "plain", "abc", ""])
    assert redact("x plain(value) y plain z abc") == f"x {MASK} y {MASK} z abc"


def test_B22_an_excerpt_is_one_short_line_and_redacted_before_it_is_cut() -> None:
    redact = Redactor(["the-secret-value"])
    assert redact.excerpt("a\r\n\x1b[31mb\u2028c") == "a [31mb c"
    cut = redact.excerpt("x" * 295 + "the-secret-value")
    assert "the-s" not in cut
    assert len(cut) <= 301


def test_ordinary_words_stay() -> None:
    text = "task-based risk, a bearer of news; basic facts about sk-learn."
    assert Redactor()(text) == text
