"""A public link through Gradio's tunnel, for showing the app to someone else."""

from __future__ import annotations

import secrets

from gradio import networking


def share_link(host: str, port: int) -> str | None:
    """A public address that leads to this port, or None when there is no way to Gradio's servers.

    Blocks for up to half a minute: call it in a thread. Downloads the tunnel program at its first use.
    """
    try:
        return networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)
    except Exception:  # noqa: BLE001 - the link is an extra; whatever keeps it from being made, the app goes on
        return None
