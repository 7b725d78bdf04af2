"""Gradio's look. Fonts are the system's: nothing is fetched from another host."""

from __future__ import annotations

import gradio as gr

_SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """The shell's theme; the transcript brings its own tokens in ``static/css``."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        font=_SANS,
        font_mono=_MONO,
        radius_size="lg",
    )
