"""A run answered whole, once it has ended; and what becomes of one whose asker has gone away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from moa.api.completions import completion_json
from moa.api.ports import LabelOf
from moa.api.problems import of_result
from moa.api.replies import PRIVATE
from moa.core.domain import RunResult
from moa.core.events import Event, RunEnded
from moa.core.view import RunView


@dataclass(frozen=True, slots=True)
class Running:
    """A run that is being answered. ``model`` is what was asked for, in the asker's words; ``created`` in seconds since
    1970. ``abandon`` is called when the asker has gone away before the end."""

    run_id: str
    model: str
    created: int
    view: Callable[[], RunView]
    abandon: Callable[[], Awaitable[None]]


class End:
    """A run's end. ``take`` is its listener."""

    def __init__(self) -> None:
        self._result: asyncio.Future[RunResult] = asyncio.get_running_loop().create_future()

    def take(self, event: Event) -> None:
        """One event of the run."""
        if isinstance(event, RunEnded) and not self._result.done():
            self._result.set_result(event.result)

    async def before(self, gone: asyncio.Future[None]) -> RunResult | None:
        """The result; None when the asker goes away first."""
        either: list[asyncio.Future[Any]] = [self._result, gone]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return self._result.result() if self._result.done() else None


class WholeResponse(Response):
    """The answer, once the run has ended; an error in its place when there is none."""

    def __init__(self, end: End, run: Running, label_of: LabelOf) -> None:
        super().__init__()
        self._end, self._run, self._label_of = end, run, label_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        gone, result = asyncio.ensure_future(going(receive)), None
        try:
            result = await self._end.before(gone)
        finally:
            gone.cancel()
            if result is None:
                await self._run.abandon()
        if result is not None:
            await self._made(result)(scope, receive, send)

    def _made(self, result: RunResult) -> Response:
        problem, run = of_result(result), self._run
        if problem is not None:
            return problem.response()
        body = completion_json(
            run.run_id, run.view(), result, self._label_of, created=run.created, model=run.model
        )  # fmt: skip
        return JSONResponse(body.model_dump(), headers=PRIVATE)


async def going(receive: Receive) -> None:
    """Returns when the client has gone away. Its request must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
