"""The settings panel's fields as one argument: Gradio passes six raw values, a handler takes one checked mixture."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

from moa.ui import mixture

R = TypeVar("R")
NAMES = ("base", "mixer", "aggregator", "layers", "temperature", "system")


def with_mixture(handler: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
    """Let a handler take ``mixture: Mixture`` where Gradio passes the fields, in the order of ``mixture.parse``.

    Gradio counts and fills a handler's parameters by its signature, so the wrapper shows one with all the fields.
    InputRefused is raised before the handler is entered.
    """
    signature = inspect.signature(handler)
    parameters = list(signature.parameters.values())
    at = [parameter.name for parameter in parameters].index("mixture")
    behind = at + len(NAMES)

    @wraps(handler)
    async def with_fields(*args: Any) -> R:
        return await handler(*args[:at], mixture.parse(*args[at:behind]), *args[behind:])

    fields = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=object) for name in NAMES]
    shown = signature.replace(parameters=[*parameters[:at], *fields, *parameters[at + 1 :]])
    with_fields.__signature__ = shown  # type: ignore[attr-defined]  # read by inspect.signature
    return with_fields
