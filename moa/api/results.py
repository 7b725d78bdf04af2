"""The results of a visitor's votes: a page that holds no data, what it asks for, and its tables as files."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, JSONResponse

from moa.api.ports import Identify
from moa.api.replies import PRIVATE, plain_router, reply
from moa.chat.values import Actor
from moa.core.errors import NotFound
from moa.evals.comparison import Comparison
from moa.evals.judges import JUDGE_TABLES, Judged, JudgesReport, judge_tables, judges_report
from moa.evals.report import Report, report
from moa.evals.tables import csv_of, tables

LoadComparisons = Callable[[Actor], Awaitable[Sequence[Comparison]]]
LoadJudged = Callable[[Actor], Awaitable[Sequence[Judged]]]

_READ = ["GET", "HEAD"]
# Scripts and styles are our own files alone, and nothing may make elements of a text.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors {framed_by}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def results_routes(
    load: LoadComparisons, identify: Identify, page: Path, *, load_judged: LoadJudged, framed_by: str = "'none'"
) -> APIRouter:
    """``GET /results``, ``/moa/results.json`` and ``/moa/results/{table}.csv``; with ``?blind=1`` of blind votes alone.

    ``page`` is the HTML file; ``framed_by`` says who may frame it, as where the chat is framed a link leads to it
    within the frame. Who has no cookie yet has no votes, which is an empty report and no error. What judges said stands
    apart, as ``judges``, and in tables of its own; with ``?blind=1`` it is compared with blind votes alone.
    """
    router, reports, shell = plain_router(), _Reports(load, identify), page.read_text("utf-8")
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY.format(framed_by=framed_by)}

    @router.api_route("/results", methods=_READ)
    async def results() -> HTMLResponse:
        return HTMLResponse(shell, headers=headers)

    @router.api_route("/moa/results.json", methods=_READ)
    async def as_json(request: Request) -> JSONResponse:
        found = await reports.of(request)
        judges = await _judges(load_judged, identify, request)
        made = {name: asdict(table) for name, table in tables(found).items()}
        return reply({**found.json(), "tables": made, "judges": judges.json()})

    @router.api_route("/moa/results/{table}.csv", methods=_READ)
    async def as_csv(table: str, request: Request) -> Response:
        if table in JUDGE_TABLES:
            made = judge_tables(await _judges(load_judged, identify, request)).get(table)
        else:
            made = tables(await reports.of(request)).get(table)
        if made is None:
            raise NotFound("table")
        body = csv_of(made).encode("utf-8", "replace")
        # the name is one of ours, since it names a table
        named = {**PRIVATE, "Content-Disposition": f'attachment; filename="moa-results-{table}.csv"'}
        return Response(body, media_type="text/csv; charset=utf-8", headers=named)

    return router


async def _judges(load: LoadJudged, identify: Identify, request: Request) -> JudgesReport:
    actor = identify.actor(request.cookies)
    found = await load(actor) if actor is not None else ()
    if _blind(request):
        found = [one if one.blind else replace(one, vote=None) for one in found]
    return await asyncio.to_thread(judges_report, found)


def _blind(request: Request) -> bool:
    return request.query_params.get("blind") == "1"


class _Reports:
    """Works reports out in a thread, one at a time, and keeps the last few: a page and its files ask for the same."""

    KEPT = 16

    def __init__(self, load: LoadComparisons, identify: Identify) -> None:
        self._load, self._identify = load, identify
        self._made: OrderedDict[tuple[str, bool], tuple[tuple[Comparison, ...], Report]] = OrderedDict()
        self._one = asyncio.Lock()

    async def of(self, request: Request) -> Report:
        actor = self._identify.actor(request.cookies)
        if actor is None:
            return report(())
        blind = _blind(request)
        comparisons = tuple(one for one in await self._load(actor) if one.blind or not blind)
        key = actor.user_id, blind
        async with self._one:
            known = self._made.pop(key, None)
            if known is None or known[0] != comparisons:
                known = comparisons, await asyncio.to_thread(report, comparisons)
            self._made[key] = known
            if len(self._made) > self.KEPT:
                self._made.popitem(last=False)
            return known[1]
