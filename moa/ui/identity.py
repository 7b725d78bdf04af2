"""Who asks. On this machine alone everyone is its one owner; elsewhere a browser is known by an unguessable cookie."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from moa.chat.values import LOCAL, Actor

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, base64url
_NAME = "moa_visitor"
_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Identity:
    """How browsers are told apart.

    ``single_owner`` on loopback without sharing: every browser on the machine sees the same conversations, and no
    cookie is set. Otherwise the user's id is the SHA-256 of a random cookie, so that a copy of the database lets
    nobody in. ``embedded`` on a page that stands in another site's frame (a Hugging Face Space).
    """

    single_owner: bool
    embedded: bool = False

    def actor(self, cookies: Mapping[str, str]) -> Actor | None:
        """Who these cookies belong to; None when the browser has none yet."""
        if self.single_owner:
            return LOCAL
        token = cookies.get(f"__Host-{_NAME}") or cookies.get(_NAME)
        if token is None or not _TOKEN.fullmatch(token):
            return None
        return Actor(hashlib.sha256(token.encode()).hexdigest())

    def fresh_cookie(self, *, https: bool) -> str:
        """A ``Set-Cookie`` value for a browser that has none (RFC 6265bis; ``__Host-`` needs https)."""
        name = f"__Host-{_NAME}" if https else _NAME
        flags = f"Path=/; Max-Age={_YEAR_S}; HttpOnly"
        if not https:
            return f"{name}={secrets.token_urlsafe(32)}; {flags}; SameSite=Lax"
        site = "SameSite=None; Partitioned" if self.embedded else "SameSite=Lax"
        return f"{name}={secrets.token_urlsafe(32)}; {flags}; Secure; {site}"
