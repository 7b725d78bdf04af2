"""What the HTTP side needs of the rest; wired in ``app.py``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from moa.chat.values import Actor, TurnView

LoadTurn = Callable[[Actor, str], Awaitable[TurnView]]
Render = Callable[[TurnView], Mapping[str, Any]]
Health = Callable[[], Awaitable[Mapping[str, str]]]


class Identify(Protocol):
    """Tells browsers apart; ``moa.ui.identity.Identity`` does."""

    def actor(self, cookies: Mapping[str, str]) -> Actor | None: ...

    def fresh_cookie(self, *, https: bool) -> str: ...
