"""Who asks the HTTP API: on this machine alone its owner, elsewhere whoever brings a token."""

from __future__ import annotations

import re

from fastapi import Request

from moa.api.ports import Keys
from moa.api.problems import Problem
from moa.api.proxies import PASSED_ON
from moa.chat.values import Actor

_OURS = re.compile(r"moa_[A-Za-z0-9_-]{20,}")
_NEEDED = (
    "This API needs a token. Send it as: Authorization: Bearer TOKEN. The operator makes one: app.py token create."
)
_WRONG = "This token is wrong or was revoked."


class Callers:
    """Tells who asks by the ``Authorization`` header.

    ``local`` is who a request without a token comes from, or None where each needs one. What came through a proxy is
    not of this machine, whatever its address. A key that is no token of this app's form counts as none: programs that
    insist on one may send any where none is needed.
    """

    def __init__(self, keys: Keys, local: Actor | None) -> None:
        self._keys, self._local = keys, local

    async def actor(self, request: Request) -> Actor:
        """Raises Problem (401)."""
        scheme, _, told = request.headers.get("authorization", "").partition(" ")
        told = told.strip() if scheme.lower() == "bearer" else ""
        local = None if request.scope.get(PASSED_ON) else self._local
        if local is not None and not _OURS.fullmatch(told):
            return local
        owner = await self._keys.token_owner(told) if told else None
        if owner is None:
            raise Problem(401, _WRONG if told else _NEEDED, code="invalid_api_key")
        return owner
