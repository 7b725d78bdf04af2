"""Our own static files, at a path that hides none of Gradio's."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PATH = "/moa-static"


class Assets(StaticFiles):
    """Files of one directory, links out of it not followed. Browsers ask again each time, and mostly hear "not
    changed"; third-party files under ``vendor`` are named by version and kept for a day. Pages are no assets: they
    have routes, which bring their headers."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, follow_symlink=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file or 404."""
        if path.lower().endswith(".html"):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        vendored = path.replace("\\", "/").startswith("vendor/")
        response.headers["Cache-Control"] = "public, max-age=86400" if vendored else "no-cache"
        return response
