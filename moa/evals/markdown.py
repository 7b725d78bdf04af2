"""As much of Markdown as counting and cutting texts needs: patterns for where its blocks begin. Not a parser.

Each pattern goes through a text in time linear in its length, whatever the text.
"""

from __future__ import annotations

import re

# A fence ends with at least as many of its signs as it began with, alone on a line, or with the text.
FENCED = re.compile(
    r"^[ \t]*(`{3,}(?=[^`\n]*$)|~{3,})[^\n]*(?:\n.*?)??(?:^[ \t]*\1[`~]*[ \t\r]*$|\Z)", re.MULTILINE | re.DOTALL
)
HEADER = re.compile(r"^ {0,3}#{1,6}(?=\s|$)", re.MULTILINE)
LIST_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])(?=\s|$)", re.MULTILINE)
TABLE_ROW = re.compile(r"^[ \t]*\|", re.MULTILINE)
RULE = re.compile(r"^[ \t]*([-*_=])(?:[ \t]*\1){2,}[ \t\r]*$", re.MULTILINE)
BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")
