"""Cuts a text into words, by the script of each character, so that one rule reads mixed texts too."""

from __future__ import annotations

import re
from typing import NamedTuple

# Scripts whose words are not set apart by blanks, and Hangul, whose words carry their endings.
_ALONE = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Tibetan, Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3040-\u30fa\u30fc-\u31ff"  # radicals, kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"  # Han, Hangul
)
# Combining signs belong to their word, though they are no letters to re.
_SIGNS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0970-\u0dff\u200c\u200d"  # Indic vowel signs and joiners, but not the dandas that end sentences
)
_LETTER = rf"[^\W_{_ALONE}]"
_WORD = rf"{_LETTER}++(?:(?:[{_SIGNS}]|['’](?={_LETTER})|(?<=\d)[.,](?=\d)){_LETTER}*+)*+"
_WORDS = re.compile(rf"[{_ALONE}](?=([{_ALONE}]))|(?<![{_ALONE}])[{_ALONE}]|{_WORD}")
_TOKENS = re.compile(rf"{_WORD}|\S")


class Word(NamedTuple):
    """A word in lower case, and where it begins in its text."""

    text: str
    start: int


def words(text: str) -> list[Word]:
    """The words and numbers of a text, without punctuation, symbols and emoji.

    In a script without blanks each two neighbouring characters are a word, as search engines have it: a single one is
    in every text. A character with no such neighbour is a word by itself.
    """
    return [Word((match[0] + (match[1] or "")).casefold(), match.start()) for match in _WORDS.finditer(text)]


def tokens(text: str) -> list[str]:
    """The words of a text in lower case, and by itself each other sign and each character of a script without blanks:
    the units that BLEU counts."""
    return _TOKENS.findall(text.casefold())
