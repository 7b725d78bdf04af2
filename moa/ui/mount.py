"""Puts the page onto the web application, with Gradio's own doors closed that we don't need."""

from __future__ import annotations

import gradio as gr
from fastapi import FastAPI

from moa.ui.components import STATIC
from moa.ui.theme import theme


def mount(web: FastAPI, page: gr.Blocks, *, host: str, port: int) -> None:
    """Serve ``page`` at ``/``. ``web`` must bring its own CORSMiddleware, else Gradio answers any origin."""
    gr.mount_gradio_app(
        web,
        page,
        path="/",
        server_name=host,
        server_port=port,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size="1kb",
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        theme=theme(),
        head=_head(),
    )


def _head() -> str:
    return (
        f'<link rel="stylesheet" href="{STATIC}/css/moa.css"><script type="module" src="{STATIC}/js/page.js"></script>'
    )
