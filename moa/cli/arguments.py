"""What can be said to ``python -m moa``. Imports nothing heavy, so that help and mistakes are answered at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from moa.core.errors import InputRefused

ANSWERED, FAILED, NOTHING_ASKED, INCOMPLETE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141
"""Exit codes; the last two are those of a shell for a program ended by SIGINT and SIGPIPE."""

_ABOUT = "Several models propose, another one writes the answer: in the terminal."
_ENDS = """\
What is piped in is put after the question. Progress goes to standard error, the answer alone to standard output.

exit codes: 0 answered, 1 no answer, 2 nothing was asked (usage, settings, database), 3 with --strict: answered, but
something is missing, 130 interrupted by Ctrl-C, 141 standard output was closed
"""
_MOST_BYTES = 4_000_000  # far above what a question may have: that is the service's to say


@dataclass(frozen=True, slots=True)
class Arguments:
    """The command line, read. ``words`` are the question's; what changes no mixture is None or empty."""

    words: tuple[str, ...] = ()
    recipe: str | None = None
    proposers: tuple[str, ...] = ()
    aggregator: str | None = None
    layers: int | None = None
    go_on: bool = False
    as_json: bool = False
    quiet: bool = False
    strict: bool = False
    recipes: bool = False
    models: bool = False

    @property
    def mixture(self) -> dict[str, object]:
        """What is to be changed of the recipe."""
        said = {"proposers": list(self.proposers), "aggregator": self.aggregator, "layers": self.layers}
        return {name: value for name, value in said.items() if value}


def parse(arguments: Sequence[str] | None) -> Arguments:
    """Read the command line (None: the program's own). Raises SystemExit: 0 after help, 2 with a line on a mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m moa", description=_ABOUT, epilog=_ENDS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("words", nargs="*", metavar="QUESTION", help="what to ask; - reads it from standard input")
    add("-r", "--recipe", metavar="ID", help="the recipe to answer with (without it: the default one)")
    add("--proposer", metavar="MODEL", action="append", default=[], dest="proposers",
        help="a model that proposes, instead of the recipe's; may be given again")  # fmt: skip
    add("--aggregator", metavar="MODEL", help="the model that writes the answer")
    add("--layers", metavar="N", type=int, help="layers, counted with the aggregator's")
    add("-c", "--continue", action="store_true", dest="go_on",
        help="go on with the newest conversation, and its recipe unless another is named")  # fmt: skip
    add("--json", action="store_true", dest="as_json", help="print the whole run as one JSON document")
    add("-q", "--quiet", action="store_true", help="show no progress")
    add("--strict", action="store_true", help="end with 3 when anything is missing from the answer")
    add("--recipes", action="store_true", help="list the recipes and end")
    add("--models", action="store_true", help="list the models that can be named and end")
    said = vars(parser.parse_args(arguments))
    return Arguments(**{**said, "words": tuple(said["words"]), "proposers": tuple(said["proposers"])})


def question(words: Sequence[str], piped: BinaryIO | None) -> str:
    """The question: the words, then what was piped in. ``piped`` is None when that is a terminal.

    Raises InputRefused when there is neither.
    """
    asked = " ".join(words)
    if asked == "-" and piped is None:
        raise InputRefused('There is nothing to read: pipe the question in, or write it in place of "-".')
    read = piped.read(_MOST_BYTES).decode("utf-8", "replace").strip() if piped is not None else ""
    told = [] if asked == "-" else [asked.strip()]
    text = "\n\n".join(part for part in (*told, read) if part)
    if not text:
        raise InputRefused('Write a question, e.g. python -m moa "Why is the sky blue?"')
    return text
