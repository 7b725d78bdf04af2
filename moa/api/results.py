"""The results of a visitor's votes: a page that holds no data, what it asks for, and its tables as files."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, JSONResponse

from moa.api.ports import Identify
from moa.api.replies import PRIVATE, plain_router, reply
from moa.chat.values import Actor
from moa.core.errors import NotFound
from moa.evals.comparison import Comparison
from moa.evals.report import Report, report
from moa.evals.tables import csv_of, tables

LoadComparisons = Callable[[Actor], Awaitable[Sequence[Comparison]]]

_READ = ["GET", "HEAD"]
# Scripts and styles are our own files alone, and nothing may make elements of a text.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_PAGE = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY}


def results_routes(load: LoadComparisons, identify: Identify, page: Path) -> APIRouter:
    """``GET /results``, ``/moa/results.json`` and ``/moa/results/{table}.csv``.

    ``page`` is the HTML file. Who has no cookie yet has no votes, which is an empty report and no error.
    """
    router, reports, shell = plain_router(), _Reports(load, identify), page.read_text("utf-8")

    @router.api_route("/results", methods=_READ)
    async def results() -> HTMLResponse:
        return HTMLResponse(shell, headers=_PAGE)

    @router.api_route("/moa/results.json", methods=_READ)
    async def as_json(request: Request) -> JSONResponse:
        found = await reports.of(request)
        return reply({**found.json(), "tables": {name: asdict(table) for name, table in tables(found).items()}})

    @router.api_route("/moa/results/{table}.csv", methods=_READ)
    async def as_csv(table: str, request: Request) -> Response:
        made = tables(await reports.of(request)).get(table)
        if made is None:
            raise NotFound("table")
        body = csv_of(made).encode("utf-8", "replace")
        # the name is one of ours, since it names a table
        named = {**PRIVATE, "Content-Disposition": f'attachment; filename="moa-results-{table}.csv"'}
        return Response(body, media_type="text/csv; charset=utf-8", headers=named)

    return router


class _Reports:
    """Works reports out in a thread, one at a time, and keeps the last few: a page and its files ask for the same."""

    KEPT = 16

    def __init__(self, load: LoadComparisons, identify: Identify) -> None:
        self._load, self._identify = load, identify
        self._made: OrderedDict[str, tuple[tuple[Comparison, ...], Report]] = OrderedDict()
        self._one = asyncio.Lock()

    async def of(self, request: Request) -> Report:
        actor = self._identify.actor(request.cookies)
        if actor is None:
            return report(())
        comparisons = tuple(await self._load(actor))
        async with self._one:
            known = self._made.pop(actor.user_id, None)
            if known is None or known[0] != comparisons:
                known = comparisons, await asyncio.to_thread(report, comparisons)
            self._made[actor.user_id] = known
            if len(self._made) > self.KEPT:
                self._made.popitem(last=False)
            return known[1]
