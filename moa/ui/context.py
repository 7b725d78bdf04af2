"""What every handler shares: the service, who asks, the models, the recipes."""

from __future__ import annotations

import html
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from moa.chat.values import Actor
from moa.core.domain import Recipe
from moa.core.errors import InputRefused, MoaError
from moa.ui import texts
from moa.ui.identity import Identity
from moa.ui.mixture import Mixture
from moa.ui.ports import Chat, Models
from moa.ui.viewers import Viewers

P = ParamSpec("P")
R = TypeVar("R")
_log = logging.getLogger("moa.ui")
_TOAST_S = 12


@dataclass(frozen=True, slots=True)
class Context:
    """Given to the handlers once. ``make_recipe`` changes a recipe as the settings say, or raises InputRefused."""

    chat: Chat
    identity: Identity
    models: Models
    recipes: Mapping[str, Recipe]
    default_recipe: str
    make_recipe: Callable[[Recipe, Mixture], Recipe]
    hint: str | None = None
    viewers: Viewers = field(default_factory=Viewers)

    def actor(self, request: gr.Request) -> Actor:
        """Who sent this event. Raises InputRefused when the browser has no identity yet."""
        sent = request.request  # Gradio's wrapper would turn the cookies into attributes
        actor = self.identity.actor(sent.cookies if sent else {})
        if actor is None:
            raise InputRefused(texts.RELOAD)
        return actor

    def recipe(self, mixture: Mixture) -> Recipe:
        """The recipe that the settings panel describes. Raises InputRefused."""
        base = self.recipes.get(mixture.base)
        if base is None:
            raise InputRefused(f"{texts.RECIPE}: choose one from the list.")
        return self.make_recipe(base, mixture)


def plainly(handler: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """A handler whose errors reach the page in plain words: ours as they are, anything else as one sentence."""

    @wraps(handler)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - boundary to the browser: no traceback may pass, whatever it was
            raise plain_error(error) from None

    return guarded


def skipping(handler: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R | Any]]:
    """A handler that changes nothing where ours are refused: for what the page asks by itself."""

    @wraps(handler)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Any:
        try:
            return await handler(*args, **kwargs)
        except MoaError:
            return gr.skip()

    return guarded


def warn(text: str) -> None:
    """A toast. Gradio would draw markup in it, and names may be anybody's."""
    gr.Warning(html.escape(text, quote=False))


def plain_error(error: Exception) -> gr.Error:
    """The toast for an error. What is not ours is logged and not shown."""
    if isinstance(error, MoaError):
        text = html.escape(error.public, quote=False)  # Gradio would draw markup in it
        return gr.Error(text, duration=_TOAST_S, title=texts.NOT_DONE, print_exception=False)
    _log.error("a handler failed", exc_info=error)
    return gr.Error(texts.WENT_WRONG, duration=_TOAST_S, title=texts.NOT_DONE, print_exception=False)
