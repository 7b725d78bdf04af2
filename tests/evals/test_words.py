from __future__ import annotations

import pytest
from hypothesis import given, settings

from moa.evals.words import tokens, words
from tests.evals.texts import texts


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Don't stop: 3.14 or 1,000, x_1!", ["don't", "stop", "3.14", "or", "1,000", "x", "1"]),
        ("STRASSE Straße Ἀρχή привет", ["strasse", "strasse", "ἀρχή", "привет"]),
        ("我爱北京。好", ["我爱", "爱北", "北京", "好"]),
        ("東京タワーAB塔", ["東京", "京タ", "タワ", "ワー", "ab", "塔"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("cafe\u0301 שָׁלוֹם", ["cafe\u0301", "שָׁלוֹם"]),
        ("**!** 😀 …", []),
    ],
)
def test_words_by_script(text: str, wanted: list[str]) -> None:
    assert [word.text for word in words(text)] == wanted


def test_tokens_are_words_single_characters_and_signs() -> None:
    assert tokens("It's 我爱 **3.5** 😀!") == ["it's", "我", "爱", "*", "*", "3.5", "*", "*", "😀", "!"]


@settings(deadline=None)
@given(texts)
def test_a_word_stands_where_it_says_and_tokens_leave_nothing_out(text: str) -> None:
    for word in words(text):
        assert text[word.start :].casefold().startswith(word.text)
    assert "".join(tokens(text)) == "".join(text.casefold().split())
