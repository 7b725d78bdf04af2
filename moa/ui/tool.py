"""The recipes as one tool for other programs' models, through Gradio's own MCP server."""

# Without `from __future__ import annotations`: Gradio makes the tool's schema from the types themselves.

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import gradio as gr
from gradio.events import api
from starlette.requests import Request

from moa.chat.answering import Answering
from moa.chat.values import Actor
from moa.core.domain import FailureKind, Message, Recipe, Role, Status
from moa.core.errors import InputRefused, MoaError, public_text
from moa.core.text import clean
from moa.core.view import RunView
from moa.ui import render, texts

NAME = "ask_mixture"
_log = logging.getLogger("moa.ui")


@dataclass(frozen=True, slots=True)
class Tool:
    """What the tool needs. ``actor`` tells who sent a request, or raises. Runs are kept like those of the HTTP API."""

    answering: Answering
    actor: Callable[[Request], Awaitable[Actor]]
    recipes: Mapping[str, Recipe]
    default: str

    async def ask(self, request: Request, question: str, recipe: str) -> str:
        """The answer, with a last line about what is missing from it. Raises MoaError; cancelled, it stops the run."""
        chosen = self.recipes.get(recipe)
        if chosen is None:
            raise InputRefused(f"There is no recipe {recipe[:40]!r}; there are {', '.join(self.recipes)}.")
        actor, messages = await self.actor(request), [Message(Role.USER, clean(question))]
        begun = await self.answering.begin(actor, messages=messages, recipe=chosen, source="api")
        run_id = begun.started.run_id
        try:
            async for _ in self.answering.watch(actor, run_id):
                continue
        except BaseException:  # whoever asked has gone: nobody pays for what nobody reads
            await self.answering.stop(actor, run_id)
            raise
        return _told(begun.view)


def add_tool(tool: Tool) -> None:
    """Offer it beside the page's own events, which are private; call it within the page's Blocks."""

    async def ask_mixture(request: gr.Request, question: str, recipe: str = tool.default) -> str:
        sent: object = request
        if not isinstance(sent, Request):  # Gradio's wrapper: by the page's queue, where nobody has shown a token
            raise InputRefused("This tool is for MCP clients.")
        try:
            return await tool.ask(sent, question, recipe)
        except MoaError:
            raise
        except Exception as error:  # boundary to other programs: no internals may pass, whatever it was
            _log.exception("the tool failed")
            raise MoaError(public_text(FailureKind.INTERNAL)) from error

    ask_mixture.__doc__ = _described(tool.recipes)
    # Not queued: the queue's way goes through a second HTTP client to this very app, as somebody else.
    api(ask_mixture, api_name=NAME, queue=False, concurrency_limit=None)


def _described(recipes: Mapping[str, Recipe]) -> str:
    offered = ", ".join(f"{recipe.id} ({recipe.title}; calls: {recipe.call_count})" for recipe in recipes.values())
    return (
        "Ask several language models at once; another one writes one answer from all of theirs.\n\n"
        "Args:\n"
        "    question: What to ask, with all that is needed to answer it: nothing is remembered between calls.\n"
        f"    recipe: Which mixture answers: {offered}.\n"
    )


def _told(view: RunView) -> str:
    notice, result = render.notice(view), view.result
    if result is None or result.status not in (Status.COMPLETE, Status.DEGRADED):
        raise MoaError(notice or texts.NO_ANSWER)
    return f"{result.answer}\n\n({notice})" if notice else result.answer
