"""Puts the page onto the web application, with Gradio's own doors closed that we don't need."""

from __future__ import annotations

from importlib.util import find_spec

import gradio as gr
from fastapi import FastAPI

from moa.core.errors import ConfigError
from moa.ui.components import STATIC
from moa.ui.theme import theme

_INSTALL = ".venv/bin/python -m pip install -c requirements-dev.txt mcp"


def mount(web: FastAPI, page: gr.Blocks, *, host: str, port: int, mcp: bool = False) -> None:
    """Serve ``page`` at ``/``, and with ``mcp`` its public events as tools.

    ``web`` must bring its own CORSMiddleware, else Gradio answers any origin. Raises ConfigError when there can be no
    tools.
    """
    if mcp and find_spec("mcp") is None:
        raise ConfigError(f"MOA_MCP=1 needs a package that is missing: {_INSTALL}")
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
        mcp_server=mcp,
        pwa=False,
        theme=theme(),
        head=_head(),
    )
    if mcp and page.mcp_error:
        raise ConfigError(f"MOA_MCP=1: {page.mcp_error}")


def _head() -> str:
    return (
        f'<link rel="stylesheet" href="{STATIC}/css/moa.css"><script type="module" src="{STATIC}/js/page.js"></script>'
    )
