"""Who tries links that don't work: after some of them a client has to wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moa.core.errors import Busy, NotFound

MOST = 30
WINDOW_S = 60.0
CLIENTS = 10_000
_WAIT = "Too many links that don't work were tried from here. Wait a minute, then try again."


class Guesses:
    """Counts each client's failures for ``window_s`` from the first one. At ``most`` it waits ``window_s`` more.

    Remembers ``clients`` of them; beyond that it forgets those that it has not heard of for longest. ``now`` is in
    seconds.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        *,
        most: int = MOST,
        window_s: float = WINDOW_S,
        clients: int = CLIENTS,
    ) -> None:
        self._now, self._most, self._window_s, self._clients = now, most, window_s, clients
        self._failed: dict[str, tuple[int, float]] = {}  # how often, and until when that counts

    @contextmanager
    def counted(self, client: str) -> Iterator[None]:
        """A try, which has failed when it raises NotFound: a client that has to wait gets Busy in its place.

        What works is never held back: many readers may come from one address.
        """
        try:
            yield
        except NotFound:
            if wait_s := self.wait_s(client):
                raise Busy(_WAIT, retry_after_s=wait_s) from None
            self._note(client)
            raise

    def wait_s(self, client: str) -> float:
        """How long the client has to wait; 0 when it need not."""
        count, until = self._known(client)
        return until - self._now() if count >= self._most else 0.0

    def _known(self, client: str) -> tuple[int, float]:
        count, until = self._failed.get(client, (0, 0.0))
        return (count, until) if until > self._now() else (0, self._now() + self._window_s)

    def _note(self, client: str) -> None:
        count, until = self._known(client)
        if count + 1 >= self._most:
            until = self._now() + self._window_s
        self._failed.pop(client, None)
        if len(self._failed) >= self._clients:
            del self._failed[next(iter(self._failed))]
        self._failed[client] = count + 1, until
