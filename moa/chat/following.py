"""Watching a run from a process that doesn't carry it out: by what is stored of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from moa.chat.values import TurnView
from moa.core.errors import StoreError
from moa.engine.ports import Clock

_log = logging.getLogger(__name__)
# With the checkpoints' own half second, a view here is under a second behind.
FOLLOW_S = 0.4


class Followed:
    """Views of runs that are not under way in this process: over (one view), or running in another one.

    That process stores growing texts twice a second and they are looked at a little more often, so a view here is
    less than a second behind. While the store refuses, the last view is given again.
    """

    def __init__(self, load: Callable[[], Awaitable[TurnView]], clock: Clock) -> None:
        self._load, self._clock = load, clock
        self._shown: TurnView | None = None

    def __aiter__(self) -> Followed:
        return self

    async def __anext__(self) -> TurnView:
        if self._shown is None:
            self._shown = await self._load()
            return self._shown
        if not self._shown.running:
            raise StopAsyncIteration
        await self._clock.sleep(FOLLOW_S)
        try:
            self._shown = await self._load()
        except StoreError as error:
            _log.warning("run %s can't be followed right now: %s", self._shown.run_id, error)
        return self._shown
