"""The HTTP API: models, chat completions and their runs, as OpenAI's clients know them."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from moa.api import chat_request
from moa.api.answered import End, Running, WholeResponse
from moa.api.callers import Callers
from moa.api.chat_request import Asked
from moa.api.completions import PREFIX, CompletionJson, RunJson, run_json
from moa.api.openapi import describe
from moa.api.ports import Answers, LabelOf, Offered, RecipeFor
from moa.api.problems import Problem, RefusalJson, of_error
from moa.api.replies import checked_id, reply
from moa.api.streaming import Stream, StreamResponse
from moa.chat.answering import Begun
from moa.chat.values import Actor
from moa.core.domain import Recipe
from moa.core.errors import MoaError
from moa.engine.ports import Clock

RECIPES = "moa"
"""Who owns recipes, and what stands before their ids."""
COMPLETIONS = "/v1/chat/completions"
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": RefusalJson, "description": told}
    for status, told in ((400, "Can't be taken"), (401, "No good token"), (404, "Not here"), (429, "Later"))
}
_EVENT = {"type": "object", "properties": {"data": {"type": "string"}}, "required": ["data"]}
_OTHERWISE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": _EVENT}}, "description": "The answer"},
    202: {"model": RunJson, "description": "Begun in the background"},
}
_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": RefusalJson, "description": told}
    for status, told in ((409, "Stopped"), (502, "The providers failed"), (503, "Not now"), (504, "Too slow"))
}


class ModelJson(BaseModel):
    """A model, or a recipe as one. ``needs`` names the variable of a key that the operator has not set."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    needs: str | None = None


class ModelsJson(BaseModel):
    """All of them, recipes first."""

    object: Literal["list"] = "list"
    data: list[ModelJson]


@dataclass(frozen=True, slots=True)
class Offering:
    """What can be asked: recipes by id, the models of now with their names, and the recipe that a request names."""

    recipes: Mapping[str, Recipe]
    models: Callable[[], Sequence[Offered]]
    label_of: LabelOf
    recipe_for: RecipeFor


def completion_routes(
    answers: Answers, callers: Callers, offering: Offering, clock: Clock, now: Callable[[], float] = time.time
) -> APIRouter:
    """The routes below ``/v1``; ``now`` is the time in seconds since 1970.

    ==== ======================= ======================================================================
    GET  /v1/models              every recipe as ``moa/ID``, every model by its id; ``/v1/models/ID`` one
    POST /v1/chat/completions    an answer, whole or as a stream
    GET  /v1/runs/{id}           a run as it stands, by its own id or its completion's
    POST /v1/runs/{id}/cancel    stops it
    GET  /openapi.json           these routes, described
    ==== ======================= ======================================================================
    """
    router = APIRouter(route_class=_Route, responses=_REFUSALS)
    completing = _Completing(answers, offering, clock, now)

    @router.post(
        COMPLETIONS,
        response_model=CompletionJson,
        responses=_OTHERWISE | _FAILURES,
        openapi_extra=chat_request.OPENAPI_BODY,
    )
    async def complete(request: Request) -> Response:
        """Answer a conversation, whole or, with "stream", as server-sent events."""
        actor = await callers.actor(request)
        return await completing.answer(actor, chat_request.read(await request.body()))

    _model_routes(router, callers, offering, int(now()))
    _run_routes(router, answers, callers, offering.label_of)
    describe(router)
    _other_routes(router)
    return router


class _Completing:
    """Begins what a request asks for, and answers it in the way it asks for."""

    def __init__(self, answers: Answers, offering: Offering, clock: Clock, now: Callable[[], float]) -> None:
        self._answers, self._offering, self._clock, self._now = answers, offering, clock, now

    async def answer(self, actor: Actor, asked: Asked) -> Response:
        base = self._offering.recipe_for(asked.model, asked.mixture)
        if base is None:
            raise _unknown_model(asked.model)
        begin = partial(
            self._answers.begin, actor, messages=asked.messages, recipe=asked.recipe(base), source="api"
        )  # fmt: skip
        label_of = self._offering.label_of
        if asked.stream:
            stream = Stream(label_of)
            run = self._running(actor, asked, await begin(listener=stream.take))
            return StreamResponse(
                stream, run, label_of, self._clock, include_usage=asked.include_usage, at_once=asked.background
            )  # fmt: skip
        if asked.background:
            begun = await begin()
            return reply(run_json(begun.started.run_id, begun.view, label_of).model_dump(), 202)
        end = End()
        return WholeResponse(end, self._running(actor, asked, await begin(listener=end.take)), label_of)

    def _running(self, actor: Actor, asked: Asked, begun: Begun) -> Running:
        run_id = begun.started.run_id
        abandon = _go_on if asked.background else partial(self._answers.stop, actor, run_id)
        return Running(run_id, asked.model, int(self._now()), lambda: begun.view, abandon)


async def _go_on() -> None:
    """A run in the background doesn't need who asked for it."""


def _unknown_model(name: str) -> Problem:
    words = f"There is no model {name[:80]!r} here; GET /v1/models lists those that there are."
    return Problem(404, words, param="model", code="model_not_found")


def _model_routes(router: APIRouter, callers: Callers, offering: Offering, since: int) -> None:
    def listed() -> list[ModelJson]:
        recipes = [ModelJson(id=f"{RECIPES}/{id_}", created=since, owned_by=RECIPES) for id_ in offering.recipes]
        models = [ModelJson(id=m.id, created=since, owned_by=m.provider, needs=m.needs) for m in offering.models()]
        return recipes + models

    @router.get("/v1/models", response_model=ModelsJson, response_model_exclude_none=True)
    async def models(request: Request) -> ModelsJson:
        """Every recipe and every model."""
        await callers.actor(request)
        return ModelsJson(data=listed())

    @router.get("/v1/models/{model_id:path}", response_model=ModelJson, response_model_exclude_none=True)
    async def model(model_id: str, request: Request) -> ModelJson:
        """One of them."""
        await callers.actor(request)
        found = next((one for one in listed() if one.id == model_id), None)
        if found is None:
            raise _unknown_model(model_id)
        return found


def _run_routes(router: APIRouter, answers: Answers, callers: Callers, label_of: LabelOf) -> None:
    async def shown(actor: Actor, run_id: str) -> RunJson:
        found = await answers.view(actor, run_id)
        return run_json(run_id, found.view, label_of)

    @router.get("/v1/runs/{run_id}", response_model=RunJson)
    async def run(run_id: str, request: Request) -> RunJson:
        """A run as it stands."""
        return await shown(await callers.actor(request), _run_id(run_id))

    @router.post("/v1/runs/{run_id}/cancel", response_model=RunJson)
    async def cancel(run_id: str, request: Request) -> RunJson:
        """Stop a run; one that is over stays as it is."""
        actor, found = await callers.actor(request), _run_id(run_id)
        await answers.stop(actor, found)
        return await shown(actor, found)


def _run_id(value: str) -> str:
    return checked_id(value.removeprefix(PREFIX), "answer")


def _other_routes(router: APIRouter) -> None:
    """All else below ``/v1``, which would be looked for among the page's files."""
    known = [route for route in router.routes if isinstance(route, APIRoute)]

    @router.api_route("/v1/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    async def other(request: Request) -> Response:
        path = request.url.path
        allowed = {method for route in known if route.path_regex.fullmatch(path) for method in route.methods or ()}
        if not allowed:
            raise Problem(404, f"There is no {path[:80]!r} in this API.", code="not_found")
        refused = Problem(
            405, f"This address takes {', '.join(sorted(allowed))}.", code="method_not_allowed"
        ).response()
        refused.headers["Allow"] = ", ".join(sorted(allowed))
        return refused


class _Route(APIRoute):
    """Answers what its handler raises in OpenAI's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                return problem.response()
            except MoaError as error:
                return of_error(error).response()

        return handled
