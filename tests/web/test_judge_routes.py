"""Judges over HTTP: who may be asked, what they said in the page's letters, and what is refused in which words."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from moa.api.judge import judge_routes
from moa.api.web import WebOptions, build_web
from moa.chat.opinions import Judgement
from moa.chat.values import Actor
from moa.core.domain import FailureKind, Usage
from moa.core.errors import Busy, CallError, InputRefused, MoaError, NotFound
from moa.core.verdicts import Verdict
from tests.web.links import Named, visitor

STATIC = Path(__file__).parents[2] / "static"
ANNA = {"cookie": "who=anna", "origin": "http://127.0.0.1:7860"}
PLACE = "/moa/turns/turn1/judge"
SAID = Judgement(
    "turn1", "mock/large", ("run1", "run2"),
    (Verdict((0, 1), 1, "Answer B is <b>clear</b>."), Verdict((1, 0), 1, "Answer A is clear.")),
    Usage(900, 80), 1_234, 4_200, 0, dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
)  # fmt: skip
TOLD = {
    "judge": "mock/large",
    "label": "MOCK/LARGE",
    "verdict": "B",
    "agreed": True,
    "biased": None,
    "readings": [
        {"order": ["A", "B"], "choice": "B", "reason": "Answer B is <b>clear</b>."},
        {"order": ["B", "A"], "choice": "B", "reason": "Answer B is clear."},
    ],
    "seconds": 4.2,
    "cost": "$0.0012",
    "cut": 0,
    "stale": False,
}


@dataclass
class FakeJudges:
    """One turn, of "anna"; ``fault`` is raised instead of a judgement."""

    said: Judgement = SAID
    stale: bool = False
    fault: MoaError | None = None
    asked: list[str] = field(default_factory=list)

    async def judge(self, actor: Actor, turn_id: str, model_id: str) -> Judgement:
        self._check(actor, turn_id)
        self.asked.append(model_id)
        if self.fault is not None:
            raise self.fault
        return self.said

    async def judgements(self, actor: Actor, turn_id: str) -> Sequence[tuple[Judgement, bool]]:
        self._check(actor, turn_id)
        return ((self.said, self.stale),)

    def _check(self, actor: Actor, turn_id: str) -> None:
        if actor != Actor("anna") or turn_id != "turn1":
            raise NotFound("question")


@dataclass(frozen=True)
class Model:
    id: str
    label: str
    needs: str | None = None


@pytest.fixture
def judges() -> FakeJudges:
    return FakeJudges()


@pytest.fixture
async def client(judges: FakeJudges) -> AsyncIterator[httpx.AsyncClient]:
    who = Named()
    models = [Model("mock/large", "Large"), Model("other/one", "One", "OTHER_API_KEY")]
    routes = judge_routes(judges, who, lambda: models, str.upper)
    web = build_web(WebOptions(STATIC, ("127.0.0.1", "localhost")), identify=who, routers=[routes])
    async with visitor(web) as opened:
        yield opened


async def test_what_was_said_and_who_may_be_asked(client: httpx.AsyncClient, judges: FakeJudges) -> None:
    judges.stale = True
    answer = await client.get(PLACE, headers=ANNA)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == {
        "judgements": [{**TOLD, "stale": True}],
        "models": [{"id": "mock/large", "label": "Large"}],
    }


async def test_a_model_is_asked_and_its_judgement_comes_back(client: httpx.AsyncClient, judges: FakeJudges) -> None:
    answer = await client.post(PLACE, headers=ANNA, json={"model": "mock/large"})
    assert (answer.status_code, answer.json()) == (200, TOLD)
    assert judges.asked == ["mock/large"]


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (("tie", "tie"), ("tie", True, None)),
        ((0, 1), ("tie", False, "first")),
        ((1, 0), ("tie", False, "last")),
        ((None, 1), (None, False, None)),
    ],
)
async def test_verdicts_are_taken_together(
    client: httpx.AsyncClient, judges: FakeJudges, choices: tuple[int, int], told: tuple[str | None, bool, str | None]
) -> None:
    verdicts = tuple(replace(verdict, choice=choice) for verdict, choice in zip(SAID.verdicts, choices, strict=True))
    judges.said = replace(SAID, verdicts=verdicts, cost_microusd=None, cut_chars=70)
    found = (await client.post(PLACE, headers=ANNA, json={"model": "mock/large"})).json()
    assert (found["verdict"], found["agreed"], found["biased"]) == told
    assert (found["cost"], found["cut"]) == (None, 70)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"model": 7}', '{"model": ""}', f'{{"model": "{"x" * 201}"}}'])
async def test_B10_what_names_no_judge_is_refused(client: httpx.AsyncClient, judges: FakeJudges, body: str) -> None:
    headers = {**ANNA, "content-type": "application/json"}
    assert (await client.post(PLACE, headers=headers, content=body)).status_code == 400
    assert judges.asked == []


async def test_B09_a_foreign_missing_or_malformed_id_is_one_404(client: httpx.AsyncClient, judges: FakeJudges) -> None:
    ben, nobody = {**ANNA, "cookie": "who=ben"}, {"origin": ANNA["origin"]}
    places = [(PLACE, ben), (PLACE, nobody), ("/moa/turns/turn2/judge", ANNA), ("/moa/turns/turn%201/judge", ANNA)]
    answers = [await client.get(path, headers=who) for path, who in places]
    answers += [await client.post(path, headers=who, json={"model": "m"}) for path, who in places]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert judges.asked == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (InputRefused("Vote first."), 400),
        (Busy("Wait.", retry_after_s=5), 429),
        (CallError(FailureKind.BAD_KEY, public="The judge gave no verdict.", detail="sk-secret"), 503),
    ],
)
async def test_what_stands_in_the_way_is_told_in_words(
    client: httpx.AsyncClient, judges: FakeJudges, fault: MoaError, status: int
) -> None:
    judges.fault = fault
    answer = await client.post(PLACE, headers=ANNA, json={"model": "mock/large"})
    assert (answer.status_code, answer.json()) == (status, {"error": fault.public})
