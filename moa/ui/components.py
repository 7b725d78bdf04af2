"""Our own components: ``gr.HTML`` with a static template, a JSON value, and an ES module of ``static/js``.

The template holds no value: a model's text reaches the document only through the module, which renders it inert.
An event's name must stand quoted in the script, or Gradio does not offer it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

STATIC = "/moa-static"


def component(
    module: str, value: Mapping[str, Any], *, elem_id: str, events: tuple[str, ...] = (), **props: Any
) -> gr.HTML:
    """A component drawn by ``mount(element, props, watch, trigger)`` of a module; see ``moa.ui.contract``."""
    names = ", ".join(f"'{name}'" for name in events)
    return gr.HTML(
        value=value,
        html_template="<div class='moa-root'></div>",
        js_on_load=(
            # with the origin: Chromium keeps evaluated code, and would resolve a path against the page it first ran on
            f"/* tells {names} */ import(location.origin + '{STATIC}/js/{module}.js')"
            ".then((module) => module.mount(element, props, watch, trigger));"
        ),
        elem_id=elem_id,
        apply_default_css=False,
        container=False,
        padding=False,
        **props,
    )
