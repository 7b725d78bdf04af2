"""Our routes for judges: who may be asked, what they said of a comparison, and asking one more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from moa.api.ports import Identify, Judges, LabelOf, Pickable
from moa.api.replies import asker, checked_id, json_object, plain_router, reply
from moa.chat.opinions import Judgement
from moa.core.errors import InputRefused
from moa.core.money import money
from moa.core.verdicts import Choice
from moa.evals.judging import LETTERS, reason_in_sides, ruling

_MODEL_CHARS = 200


def judge_routes(
    judging: Judges, identify: Identify, choices: Callable[[], Sequence[Pickable]], label_of: LabelOf
) -> APIRouter:
    """``GET /moa/turns/{id}/judge``: ``{"judgements": […], "models": [{"id", "label"}]}``, what was said and who may be
    asked. ``POST`` with ``{"model": id}`` asks, and answers with what was said once it has been. Missing, malformed and
    foreign ids are one 404.
    """
    router, place = plain_router(), "/moa/turns/{turn_id}/judge"

    def told(judgement: Judgement, *, stale: bool) -> dict[str, Any]:
        return judgement_json(judgement, label_of(judgement.judge), stale=stale)

    @router.get(place)
    async def judgements(turn_id: str, request: Request) -> JSONResponse:
        actor = asker(identify, request, "question")
        found = await judging.judgements(actor, checked_id(turn_id, "question"))
        models = [{"id": model.id, "label": model.label} for model in choices() if model.needs is None]
        return reply({"judgements": [told(said, stale=stale) for said, stale in found], "models": models})

    @router.post(place)
    async def judge(turn_id: str, request: Request) -> JSONResponse:
        actor = asker(identify, request, "question")
        model = (await json_object(request)).get("model")
        if not isinstance(model, str) or not 0 < len(model) <= _MODEL_CHARS:
            raise InputRefused("Choose a judge first.")
        said = await judging.judge(actor, checked_id(turn_id, "question"), model)
        return reply(told(said, stale=False))

    return router


def judgement_json(judgement: Judgement, label: str, *, stale: bool) -> dict[str, Any]:
    """A judgement as the page shows it. Answers go by their letters there, A on the left, in whatever order the judge
    read them; reasons are plain text. ``stale``: an answer has been written anew since."""
    together = ruling(judgement.verdicts)
    return {
        "judge": judgement.judge,
        "label": label,
        "verdict": _letter(together.choice),
        "agreed": together.agreed,
        "biased": together.biased,
        "readings": [
            {
                "order": [LETTERS[side] for side in verdict.order],
                "choice": _letter(verdict.choice),
                "reason": reason_in_sides(verdict),
            }
            for verdict in judgement.verdicts
        ],
        "seconds": judgement.duration_ms / 1000,
        "cost": money(judgement.cost_microusd),
        "cut": judgement.cut_chars,
        "stale": stale,
    }


def _letter(choice: Choice | None) -> str | None:
    return LETTERS[choice] if isinstance(choice, int) else choice
