"""Providers that refuse: wait as told, call again where that helps, and never where it can't."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from moa.core.domain import FailureKind, Slot, Status
from moa.core.errors import FinalCall
from moa.core.events import AgentRetrying
from moa.core.policy import Breaker, Limits, Policy, Retries
from moa.engine.engine import Engine
from moa.engine.ports import Endpoint
from moa.providers.openai_compatible import OpenAICompatibleProvider
from tests.fault.laws import failure_of, proposal_of
from tests.fault.playing import AGAIN, play, played, reasons
from tests.support.mixtures import SEED, ask, of_type, recipe, stage
from tests.support.server import Answer, HttpError

pytestmark = pytest.mark.usefixtures("nothing_left")
SOLO = Slot(1, 1)
RETRY = Policy()


def _told(value: str) -> str:
    """``value`` as a header holds it. "at +60" becomes the date a minute from now: from when the test runs."""
    kind, _, seconds = value.partition(" ")
    if kind != "at":
        return value
    return format_datetime(datetime.now(UTC) + timedelta(seconds=float(seconds)), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "least_s", "most_s"),
    [
        ({"Retry-After": "3"}, 3, 3),
        ({"Retry-After": "0.25"}, 0.25, 0.25),
        ({"retry-after-ms": "2500", "Retry-After": "9"}, 2.5, 2.5),
        ({"Retry-After": "at +60"}, 1, 60),
        ({"Retry-After": "179"}, 179, 179),
        ({"Retry-After": "-5"}, 0, 0.5),
        ({"Retry-After": "at -60"}, 0, 0.5),
        ({"Retry-After": "99999999999"}, 0, 0.5),
        ({"Retry-After": "soon"}, 0, 0.5),
        ({}, 0, 0.5),
    ],
    ids=["seconds", "fraction", "ms", "date", "long", "negative", "past", "absurd", "garbage", "none"],
)
async def test_F01_a_429_is_waited_out_as_told(headers: dict[str, str], least_s: float, most_s: float) -> None:
    async with stage(RETRY) as at:
        at.server.script("agg", HttpError(429, headers={k: _told(v) for k, v in headers.items()}), Answer("Yes."))
        async with play(at, recipe()) as playing:
            told = await playing.until(lambda e: isinstance(e, AgentRetrying))
            assert isinstance(told, AgentRetrying)
            assert (told.attempt, told.kind) == (2, FailureKind.RATE_LIMITED)
            assert least_s * 1000 <= told.wait_ms <= most_s * 1000
            await at.clock.sleeping()
            assert len(at.server.requests) == 1
            at.clock.advance(told.wait_ms / 1000 + 0.001)
            result = await playing.rest()
        assert (result.status, result.answer) == (Status.COMPLETE, "Yes.")
        assert proposal_of(result, SOLO).attempts == 2
        assert round(at.clock.slept[0] * 1000) == told.wait_ms


@pytest.mark.parametrize("told", ["181", "3600", "at +3600"], ids=["a second too long", "hour", "date"])
async def test_F01_a_wait_that_does_not_fit_fails_over_at_once(told: str) -> None:
    async with stage(RETRY) as at:
        at.server.script("agg", HttpError(429, headers={"Retry-After": _told(told)}))
        events, result = await played(at, recipe(fallbacks=["spare"]))
        assert (at.clock.slept, of_type(events, AgentRetrying)) == ([], [])
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from spare.")
        assert reasons(result) == [("1.1", "rate limited")]
        assert failure_of(result, SOLO).attempts == 1


async def test_F01_the_pause_of_one_slot_keeps_no_other_waiting() -> None:
    async with stage(Policy(limits=Limits(concurrency=1))) as at:
        at.server.script("a", HttpError(429, headers={"Retry-After": "3"}), Answer("Late but right."))
        async with play(at, recipe("a", "b", "c")) as playing:
            await playing.finished(Slot(1, 2), Slot(1, 3))
            await at.clock.sleeping()
            at.clock.advance(3)
            result = await playing.rest()
        assert (result.status, len(result.proposals)) == (Status.COMPLETE, 4)


async def test_F01_every_attempt_limited_ends_after_three() -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", HttpError(429))
        _, result = await played(at, recipe("a", "b"))
        failure = failure_of(result, SOLO)
        assert (failure.kind, failure.attempts, failure.retryable) == (FailureKind.RATE_LIMITED, 3, True)
        assert len(at.server.requests_for("a")) == 3
        assert result.status is Status.DEGRADED


@pytest.mark.parametrize("status", [500, 502, 503, 529, 408])
async def test_F02_one_server_error_is_called_again_and_stays_out_of_sight(status: int) -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", HttpError(status), Answer("Fine."))
        events, result = await played(at, recipe("a", "b"))
        proposal = proposal_of(result, SOLO)
        assert (result.status, proposal.text, proposal.attempts) == (Status.COMPLETE, "Fine.", 2)
        assert result.degraded_because == ()
        assert [e.kind for e in of_type(events, AgentRetrying)] == [FailureKind.OVERLOADED]


async def test_F02_a_server_error_with_a_time_is_waited_out() -> None:
    async with stage(RETRY) as at:
        at.server.script("agg", HttpError(503, headers={"Retry-After": "7"}), Answer("Fine."))
        async with play(at, recipe()) as playing:
            await at.clock.sleeping()
            at.clock.advance(7)
            result = await playing.rest()
        assert (at.clock.slept, result.answer) == ([7.0], "Fine.")


async def test_F02_retries_are_at_most_a_fifth_of_many_calls() -> None:
    async with stage(Policy(retries=Retries(first_wait_s=0), breaker=Breaker(failures=999, window_calls=999))) as at:
        at.server.default = HttpError(500)
        crowd = recipe(*[f"m{n}" for n in range(40)])
        _, result = await played(at, crowd)
        assert result.status is Status.FAILED
        assert 10 <= len(at.server.requests) - 41 <= 11  # ten a minute are free; a fifth of 51 is one more


@pytest.mark.parametrize("status", [401, 403])
async def test_F19_a_refused_key_is_not_tried_again_and_no_text_shows_it(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "sk-canary-0a1b2c3d4e5f"
    async with stage(AGAIN) as at:
        at.directory.provider = OpenAICompatibleProvider("test", base_url=at.server.base_url, key=canary)
        refusal = f"Incorrect API key provided: {canary}. Mind it!"
        at.server.script("a", HttpError(status, refusal, code="invalid_api_key"))
        with caplog.at_level(logging.DEBUG):
            events, result = await played(at, recipe("a", "b", "c"))
            again, second = await played(at, recipe("a", "b", "c"))
        await at.directory.provider.aclose()
        assert all(request.used_key(canary) for request in at.server.requests)
        assert (result.status, second.status) == (Status.DEGRADED, Status.DEGRADED)
        assert {failure_of(r, SOLO).kind for r in (result, second)} == {FailureKind.BAD_KEY}
        assert failure_of(result, SOLO).attempts == 1
        assert len(at.server.requests_for("a")) == 1  # the second run asks in vain no more
        assert reasons(result) == reasons(second) == [("1.1", "key refused")]
        logged = [record.getMessage() for record in caplog.records]
        told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert any("a in slot 1.1" in line and "bad_key" in line for line in told)
        assert all("Mind it!" not in line for line in told)  # provider text may quote a prompt
        assert all(canary not in text for text in (repr(events), repr(again), *logged, caplog.text))
        assert "Mind it!" not in repr(events)


async def test_F19_a_key_revoked_during_the_run_costs_only_what_comes_after() -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", Answer("Layer one."), HttpError(401))
        _, result = await played(at, recipe("a", "b", layers=3))
        assert proposal_of(result, SOLO).text == "Layer one."
        assert failure_of(result, Slot(2, 1)).kind is FailureKind.BAD_KEY
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from agg.")


async def test_F19_a_missing_key_is_said_without_any_call() -> None:
    async with stage(AGAIN) as at:
        inner = at.directory.endpoint

        class Keyless:
            def endpoint(self, model_id: str) -> Endpoint:
                if model_id == "a":
                    raise FinalCall(FailureKind.NO_KEY)
                return inner(model_id)

        engine = Engine(Keyless(), clock=at.clock, seed=SEED)
        async with engine.run(recipe("a", "b"), ask()) as run:
            result = await run.wait()
        failure = failure_of(result, SOLO)
        assert (failure.kind, failure.attempts, failure.retryable) == (FailureKind.NO_KEY, 0, False)
        assert (result.status, at.server.requests_for("a")) == (Status.DEGRADED, [])


async def test_F20_a_removed_model_rests_until_the_list_is_refreshed() -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", HttpError(404, "The model `a` does not exist", code="model_not_found"), Answer("Back."))
        _, first = await played(at, recipe("a", "b"))
        assert failure_of(first, SOLO).kind is FailureKind.UNKNOWN_MODEL
        assert (at.engine.resting("a"), at.engine.resting("b")) == (True, False)
        at.clock.advance(86_400)
        _, second = await played(at, recipe("a", "b"))
        assert (failure_of(second, SOLO).kind, len(at.server.requests_for("a"))) == (FailureKind.UNKNOWN_MODEL, 1)
        at.engine.models_refreshed()
        assert not at.engine.resting("a")
        _, third = await played(at, recipe("a", "b"))
        assert (third.status, proposal_of(third, SOLO).text) == (Status.COMPLETE, "Back.")


async def test_F20_a_failing_model_rests_and_one_probe_brings_it_back() -> None:
    async with stage() as at:
        at.server.script("a", *[HttpError(500)] * 6, Answer("Back."))
        for _ in range(5):
            assert not at.engine.resting("a")
            await played(at, recipe("a", "b"))
        assert at.engine.resting("a")
        _, refused = await played(at, recipe("a", "b"))
        assert (failure_of(refused, SOLO).kind, len(at.server.requests_for("a"))) == (FailureKind.UNAVAILABLE, 5)
        at.clock.advance(10)
        await played(at, recipe("a", "b"))  # the probe fails: now it rests for twice as long
        at.clock.advance(19)
        assert at.engine.resting("a")
        at.clock.advance(1)
        runs = await asyncio.gather(*[played(at, recipe("a", "b")) for _ in range(4)])
        assert len(at.server.requests_for("a")) == 7  # one probe, not four
        assert sorted(result.status for _, result in runs) == [Status.COMPLETE, *[Status.DEGRADED] * 3]
        assert not at.engine.resting("a")
