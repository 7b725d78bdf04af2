"""The web app with the results page over votes of "anna"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.responses import HTMLResponse

from moa.api.results import results_routes
from moa.api.web import WebOptions, build_web
from moa.chat.values import Actor
from moa.evals.comparison import Comparison
from moa.evals.judges import Judged
from tests.web.links import STATIC, Named

ANNA = {"cookie": "who=anna"}


@dataclass
class Ballots:
    """Anna's comparisons, and what judges told her; nobody else has any."""

    of_anna: Sequence[Comparison] = ()
    judged_for_anna: Sequence[Judged] = ()
    fault: Exception | None = None
    asked: list[str] = field(default_factory=list)

    async def load_judged(self, actor: Actor) -> Sequence[Judged]:
        if self.fault is not None:
            raise self.fault
        return self.judged_for_anna if actor == Actor("anna") else ()

    async def load(self, actor: Actor) -> Sequence[Comparison]:
        self.asked.append(actor.user_id)
        if self.fault is not None:
            raise self.fault
        return self.of_anna if actor == Actor("anna") else ()


def application(ballots: Ballots, **more: Any) -> FastAPI:
    """The web app with the routes of results, and a stand-in where the page is mounted."""
    who = Named()
    routes = results_routes(ballots.load, who, STATIC / "results.html", load_judged=ballots.load_judged, **more)
    web = build_web(WebOptions(STATIC, ("127.0.0.1", "localhost")), identify=who, routers=[routes])

    @web.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>The chat</title><link rel=icon href='data:,'>")

    return web
