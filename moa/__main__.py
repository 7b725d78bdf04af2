"""``python -m moa "question"``: the mixture in a terminal, without the page.

Puts together what ``app.py`` does for the page, by the same ``assembly``; imported only once the command line has been
read, so that help and mistakes are answered at once.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from io import TextIOWrapper
from typing import TYPE_CHECKING

from moa.cli.arguments import INTERRUPTED, NOTHING_ASKED, PIPE_CLOSED, Arguments, parse, question
from moa.core.errors import InputRefused, MoaError

if TYPE_CHECKING:
    from assembly import Parts
    from moa.chat.values import ConversationView
    from moa.cli.screen import Screen
    from moa.config.settings import Settings
    from moa.core.catalogue import Catalogue
    from moa.core.domain import Recipe


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, and give the exit code; ``--help`` lists them."""
    chosen = parse(arguments)
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # an encoding that lacks a character is no reason to fail
    try:
        code = _list(chosen) if chosen.recipes or chosen.models else _ask(chosen)
        sys.stdout.flush()
    except MoaError as error:
        sys.stderr.write(f"{error.public}\n")
        return NOTHING_ASKED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed when Python ends
        return PIPE_CLOSED
    return code


# -- listing


def _list(chosen: Arguments) -> int:
    from assembly import configured, run_job
    from moa.cli import listing

    settings, catalogue = configured()
    if chosen.recipes:
        sys.stdout.write(listing.recipes(catalogue.recipes, catalogue.default_recipe))
        return 0
    return run_job(_list_models(settings, catalogue))


async def _list_models(settings: Settings, catalogue: Catalogue) -> int:
    from assembly import offered
    from moa.cli import listing

    async with offered(settings, catalogue) as models:
        await models.refresh()
        sys.stdout.write(listing.models(models.choices()))
    return 0


# -- asking


def _ask(chosen: Arguments) -> int:
    piped = None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer
    text = question(chosen.words, piped)
    from assembly import assembled, configured, opened, run_job

    settings, catalogue = configured()
    ready = assembled(settings, catalogue, opened(settings), titled=False)
    return run_job(_answered(ready, chosen, text))


async def _answered(ready: AbstractAsyncContextManager[Parts], chosen: Arguments, text: str) -> int:
    from moa.cli.ask import Question, answer_of, ask, exit_code, newest
    from moa.cli.document import document

    async with ready as parts:
        try:
            after = await newest(parts.chat) if chosen.go_on else None
            recipe = await _recipe(parts, chosen, after)
            screen = _screen(parts, chosen)
            turn = await ask(parts.chat, Question(text, recipe, after), screen)
        finally:
            await parts.chat.drain(0)  # for a run that began just when it was interrupted
    told = json.dumps(document(turn), ensure_ascii=False, indent=2) if chosen.as_json else answer_of(turn)
    screen.end(turn.view, told)
    return exit_code(turn.view.status, strict=chosen.strict)


async def _recipe(parts: Parts, chosen: Arguments, after: ConversationView | None) -> Recipe:
    from moa.config.requested import changed_recipe

    base = _base(parts, chosen.recipe, after)
    if not chosen.mixture:
        return base
    named = [*chosen.proposers, *filter(None, [chosen.aggregator])]
    for provider in {id_.partition("/")[0] for id_ in named if not parts.models.exists(id_)}:
        await parts.registry.refresh(provider)  # it may be one that only its provider's list has
    return changed_recipe(parts.models.exists, base, chosen.mixture)


def _base(parts: Parts, wanted: str | None, after: ConversationView | None) -> Recipe:
    """The recipe that is named, else the conversation's last one, else the default."""
    recipes = parts.catalogue.recipes
    last = after.turns[-1].view.recipe if after is not None and after.turns else None
    id_ = wanted or (last.id if last else parts.catalogue.default_recipe)
    if id_ in recipes:
        return recipes[id_]
    if wanted is not None or last is None:
        raise InputRefused(f"There is no recipe {id_!r}; there are {', '.join(recipes)}.")
    try:
        return parts.allowed(last)
    except InputRefused:
        raise InputRefused("The mixture of the last answer is not offered here any more: choose one by -r.") from None


def _screen(parts: Parts, chosen: Arguments) -> Screen:
    from rich.console import Console

    from moa.cli.screen import Screen

    def note_of(model_id: str) -> str | None:
        status = parts.embedded.statuses().get(model_id)
        return status.text if status is not None and status.state in ("loading", "downloading") else None

    console = Console(stderr=True)
    return Screen(
        sys.stdout,
        console,
        progress=console.is_terminal and not console.is_dumb_terminal and not chosen.quiet,
        streamed=sys.stdout.isatty() and not chosen.as_json,
        label_of=parts.models.label,
        note_of=note_of,
    )


if __name__ == "__main__":
    code = main()
    gc.freeze()  # all is closed: Python's last collection would take up to a second, and free what ends anyway
    sys.exit(code)
