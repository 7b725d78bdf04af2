"""Providers that cannot be reached, keep silent or drip: each deadline holds to the millisecond, on a clock of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
import time_machine

from moa.core.domain import FailureKind, Model, Slot, Status
from moa.core.events import AgentFailed, AgentRetrying
from moa.core.policy import Deadlines, Policy, Retries
from moa.engine.clock import SystemClock
from moa.engine.engine import Engine
from moa.engine.ports import Endpoint
from moa.providers.openai_compatible import OpenAICompatibleProvider
from tests.fault.laws import FAILED_TEXT, failure_of, proposal_of
from tests.fault.playing import AGAIN, play, played, reasons
from tests.support.clock import ManualClock
from tests.support.mixtures import KEY, ONCE, SEED, LoopbackDirectory, Stage, recipe, stage
from tests.support.server import Answer, Gate, HttpError, ProviderServer, hang, hang_after

pytestmark = pytest.mark.usefixtures("nothing_left")
FIRST, SECOND, AGGREGATOR = Slot(1, 1), Slot(1, 2), Slot(2, 1)
JUST = 0.001
WORDS = f"{FAILED_TEXT} two three four"


class Elsewhere:
    """A directory that leads some ids to another provider."""

    def __init__(self, at: Stage, others: Mapping[str, OpenAICompatibleProvider], policy: Policy) -> None:
        self._at, self._others, self._policy = at, others, policy

    def endpoint(self, model_id: str) -> Endpoint:
        if model_id in self._others:
            return Endpoint(Model(model_id, "other", model_id, model_id), self._others[model_id], self._policy)
        return self._at.directory.endpoint(model_id)


async def test_F07_what_cannot_be_reached_fails_as_unreachable_and_no_other_slot_does() -> None:
    assert Deadlines().connect_s == 5.0
    async with ProviderServer() as gone:
        closed_port = gone.base_url
    async with stage() as at:
        addresses = {
            "refused": closed_port,
            "nameless": "http://no-such-host.invalid/v1",
            "tls": at.server.base_url.replace("http:", "https:"),
        }
        others = {name: OpenAICompatibleProvider("other", base_url=url, key=KEY) for name, url in addresses.items()}
        engine = Engine(Elsewhere(at, others, AGAIN), clock=at.clock, seed=SEED)
        at.engine = engine
        _, result = await played(at, recipe("refused", "nameless", "tls", "good"))
        for provider in others.values():
            await provider.aclose()
    assert [(f.slot.position, f.kind, f.attempts) for f in result.failures] == [
        (n, FailureKind.UNREACHABLE, 3) for n in (1, 2, 3)
    ]
    assert (result.status, proposal_of(result, Slot(1, 4)).text) == (Status.DEGRADED, "Hello from good.")
    shown = repr([(f.public, m.why) for f, m in zip(result.failures, result.degraded_because, strict=True)])
    assert "127.0.0.1" not in shown
    assert "invalid" not in shown


async def test_F08_silence_before_the_head_ends_at_the_first_token_deadline() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("a", hang(gate))
        async with play(at, recipe("a", "b")) as playing:
            await gate.arrived()
            await playing.finished(SECOND)
            at.clock.advance(30 - JUST)
            await playing.turned()
            assert at.server.active == 1
            at.clock.advance(JUST)
            await at.server.idle()  # the connection is closed
            result = await playing.rest()
        failure = failure_of(result, FIRST)
        assert (failure.kind, failure.duration_ms) == (FailureKind.FIRST_TOKEN_TIMEOUT, 30_000)
        assert (result.status, reasons(result)) == (Status.DEGRADED, [("1.1", "timed out")])
        assert (at.engine.resting("a"), at.engine.resting("b")) == (False, False)


async def test_F08_a_reasoning_model_has_more_time_and_its_thoughts_are_content() -> None:
    async with stage() as at:
        gate = Gate()
        patient = Deadlines(first_token_s=120, total_s=600)
        at.directory.policies["thinker"] = Policy(patient, retries=Retries(attempts=1))
        at.server.script("thinker", Answer("Done.", reasoning="Hm.", head_gate=gate, gate=gate))
        async with play(at, recipe(aggregator="thinker")) as playing:
            await gate.arrived()
            at.clock.advance(120 - JUST)
            gate.let()
            await gate.arrived(2)
            await playing.until(lambda e: type(e).__name__ == "ReasoningDelta")
            at.clock.advance(30 - JUST)
            gate.open()
            result = await playing.rest()
        assert (result.status, result.answer) == (Status.COMPLETE, "Done.")


async def test_F08_a_first_token_timeout_is_called_again() -> None:
    async with stage(AGAIN) as at:
        gate = Gate()
        at.server.script("agg", hang(gate), Answer("Second try."))
        async with play(at, recipe()) as playing:
            await gate.arrived()
            at.clock.advance(30)
            result = await playing.rest()
        assert (result.answer, proposal_of(result, FIRST).attempts) == ("Second try.", 2)
        assert proposal_of(result, FIRST).first_token_ms == 30_000


async def test_F09_silence_is_counted_from_the_last_content() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("a", Answer(WORDS, gate=gate, hold=(1, 2)))
        async with play(at, recipe("a", "b")) as playing:
            await playing.said(FIRST, f"{FAILED_TEXT} ")
            await playing.finished(SECOND)
            at.clock.advance(30 - JUST)
            gate.let()
            await playing.said(FIRST, "two ")
            at.clock.advance(30 - JUST)
            await playing.turned()
            assert at.server.active == 1
            at.clock.advance(JUST)
            await at.server.idle()
            result = await playing.rest()
        failure = failure_of(result, FIRST)
        assert (failure.kind, failure.duration_ms) == (FailureKind.IDLE_TIMEOUT, 60_000 - 1)
        assert failure.partial == f"{FAILED_TEXT} two "
        assert (result.status, reasons(result)) == (Status.DEGRADED, [("1.1", "timed out")])


async def test_F09_the_second_attempt_starts_over() -> None:
    async with stage(AGAIN) as at:
        at.server.script("agg", hang_after(2, Gate(), WORDS), Answer("Whole."))
        async with play(at, recipe()) as playing:
            await playing.said(FIRST, "two ")
            at.clock.advance(30)
            retrying = await playing.until(lambda e: isinstance(e, AgentRetrying))
            result = await playing.rest()
        assert isinstance(retrying, AgentRetrying)
        assert (retrying.kind, result.answer) == (FailureKind.IDLE_TIMEOUT, "Whole.")


async def test_F10_a_drip_ends_at_the_deadline_of_the_whole_call() -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("a", Answer(f"{FAILED_TEXT} " + "drip " * 30, gate=gate))
        async with play(at, recipe("a", "b", layer={"deadline_s": 500})) as playing:
            await playing.finished(SECOND)
            await gate.arrived()
            for drips in range(17):
                at.clock.advance(10)
                gate.let()
                await playing.said(FIRST, f"{FAILED_TEXT} " + "drip " * drips)
            at.clock.advance(10)
            await at.server.idle()
            result = await playing.rest()
        failure = failure_of(result, FIRST)
        assert (failure.kind, failure.duration_ms) == (FailureKind.CALL_TIMEOUT, 180_000)
        assert failure.partial.split() == [FAILED_TEXT, *["drip"] * 16]
        assert failure.attempts == 1


async def test_F10_repeated_attempts_share_the_deadline_of_the_call() -> None:
    async with stage(Policy(Deadlines(first_token_s=170), retries=Retries(first_wait_s=0))) as at:
        gate = Gate()
        at.server.script("agg", Answer(WORDS, gate=gate, break_after=3), hang(gate))
        async with play(at, recipe()) as playing:
            await gate.arrived()
            for word in (f"{FAILED_TEXT} ", "two ", "three "):
                at.clock.advance(29)
                gate.let()
                await playing.said(FIRST, word)
            await gate.arrived(4)  # the first attempt broke off after 87 s, the second hangs
            at.clock.advance(93)
            result = await playing.rest()
        failure = failure_of(result, FIRST)
        assert (failure.kind, failure.attempts, failure.duration_ms) == (FailureKind.CALL_TIMEOUT, 2, 180_000)
        assert result.status is Status.FAILED


@pytest.mark.parametrize(("words", "kind"), [(0, FailureKind.FIRST_TOKEN_TIMEOUT), (1, FailureKind.IDLE_TIMEOUT)])
async def test_F10_keep_alive_comments_are_not_content(words: int, kind: FailureKind) -> None:
    async with stage() as at:
        gate = Gate()
        at.server.script("a", Answer(WORDS, gate=gate, hold=(words, words + 1), comments=20))
        async with play(at, recipe("a", "b")) as playing:
            await playing.finished(SECOND)
            if words:
                await playing.said(FIRST, f"{FAILED_TEXT} ")
            await gate.arrived()  # the comments before it have been sent
            await playing.turned()
            at.clock.advance(30)
            await at.server.idle()
            result = await playing.rest()
        failure = failure_of(result, FIRST)
        assert (failure.kind, failure.duration_ms) == (kind, 30_000)


async def test_F30_the_wall_clock_moves_no_deadline() -> None:
    start = dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.UTC)  # a second before European summer time begins
    async with stage(Policy()) as at:
        gate = Gate()
        at.server.script("a", hang(gate))
        at.server.script("b", HttpError(429, headers={"Retry-After": "5"}), Answer("After five seconds."))
        with time_machine.travel(start, tick=False) as wall:  # frozen
            async with play(at, recipe("a", "b")) as playing:
                await gate.arrived()
                for hours in (1, -2, 1):
                    wall.shift(dt.timedelta(hours=hours))
                    await playing.turned()
                await at.clock.sleeping()
                at.clock.advance(5)
                await playing.finished(SECOND)
                wall.shift(dt.timedelta(hours=-1))
                at.clock.advance(25)
                failed = await playing.until(lambda e: isinstance(e, AgentRetrying) and e.slot == FIRST)
                assert failed.at_ms == 30_000
                playing.run.stop()
                result = await playing.rest()
        assert proposal_of(result, SECOND).duration_ms == 5000


async def test_F30_the_clock_in_real_use_does_not_follow_the_wall_clock() -> None:
    clock = SystemClock()
    with time_machine.travel(dt.datetime(2026, 10, 25, 0, 59, tzinfo=dt.UTC), tick=False) as wall:
        before = clock.now()
        for hours in (1, -2, 1):
            wall.shift(dt.timedelta(hours=hours))
            assert 0 <= clock.now() - before < 1800
        async with stage() as at:
            at.engine.clock = clock
            events, result = await played(at, recipe("a", "b", layers=3))
        assert (result.status, events[-1].at_ms < 1_800_000) == (Status.COMPLETE, True)


class BlockedClock(ManualClock):
    """Its time can pass without anything firing in time, as when the event loop is blocked."""

    def block(self, seconds: float) -> None:
        """All timers of the next ``seconds`` fire afterwards, late."""
        late = []
        end = self.now() + seconds
        while (due := self._next_due()) is not None and due <= end:
            late.append(self._timers.pop(0)[2])
            self._timers.sort()
        self._now = end
        for timer in late:
            if timer.callback is not None:
                timer.callback()


@pytest.mark.parametrize("arrives", [True, False])
async def test_F31_a_blocked_loop_is_not_taken_for_a_silent_provider(arrives: bool) -> None:
    with ProviderServer.in_thread() as server:
        provider, clock = OpenAICompatibleProvider("test", base_url=server.base_url, key=KEY), BlockedClock()
        directory = LoopbackDirectory(provider, ONCE)
        at = Stage(server, directory, clock, Engine(directory, clock=clock, seed=SEED))
        gate = Gate()
        server.script("agg", hang_after(1, gate, "one two three"))
        async with play(at, recipe()) as playing:
            await playing.said(FIRST, "one ")
            await gate.arrived()
            if arrives:
                gate.open()
                while server.active:  # this is the fault: the loop does nothing else until the rest has arrived
                    pass
            clock.block(45)
            await playing.turned()
            clock.advance(0.25)  # what had arrived has had its chance
            result = await playing.rest()
        await provider.aclose()
    if arrives:
        assert (result.status, result.answer) == (Status.COMPLETE, "one two three")
        assert proposal_of(result, FIRST).attempts == 1
    else:
        assert failure_of(result, FIRST).kind is FailureKind.IDLE_TIMEOUT
    assert clock.pending == 0


async def test_F31_a_late_timer_of_a_layer_still_ends_it() -> None:
    async with stage() as at:
        at.clock = at.engine.clock = clock = BlockedClock()
        gate = Gate()
        at.server.script("a", hang(gate))
        at.directory.policy = Policy(Deadlines(first_token_s=300, total_s=600), retries=Retries(attempts=1))
        async with play(at, recipe("a", "b")) as playing:
            await gate.arrived()
            await playing.finished(SECOND)
            clock.block(200)
            failed = await playing.until(lambda e: isinstance(e, AgentFailed))
            result = await playing.rest()
        assert isinstance(failed, AgentFailed)
        assert (failed.failure.kind, result.status) == (FailureKind.LATE, Status.DEGRADED)
        assert clock.pending == 0
