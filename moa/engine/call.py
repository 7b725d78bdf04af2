"""One slot's call: limiter, one retry loop, deadlines, text hygiene, and an honest end."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import stamina

from moa.core.domain import Agent, Failure, FailureKind, Finish, Proposal, Slot, Usage
from moa.core.errors import CallError, FinalCall, RateLimited, RetryableCall, public_text
from moa.core.text import Repairer, ThinkSplitter, estimate_tokens
from moa.engine.breaker import Breaker
from moa.engine.deadlines import Watchdog
from moa.engine.limits import Limiter, RetryBudget
from moa.engine.ports import CallRequest, Clock, Endpoint, Piece
from moa.engine.pricing import cost_microusd
from moa.engine.windows import estimate_prompt

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """Where a call tells what happens: new text, new reasoning, and a restart (attempt, why, wait in seconds)."""

    text: Callable[[str], None]
    reasoning: Callable[[str], None]
    restart: Callable[[int, FailureKind, float], None]


@dataclass(frozen=True, slots=True)
class Guards:
    """What stands before a provider and its model; shared by all runs."""

    limiter: Limiter
    retries: RetryBudget
    breaker: Breaker


class SlotCall:
    """Fills one slot. ``run`` returns its proposal or raises CallError; ``failure`` tells what had arrived."""

    def __init__(
        self, slot: Slot, agent: Agent, endpoint: Endpoint, request: CallRequest,
        *, guards: Guards, line: Line, clock: Clock, rng: random.Random, output_chars: int,
    ) -> None:  # fmt: skip
        self._slot, self._agent, self._endpoint, self._request = slot, agent, endpoint, request
        self._guards, self._line, self._clock, self._rng = guards, line, clock, rng
        self._output_chars = output_chars
        self._begun = clock.now()
        self._ends = self._begun + endpoint.policy.deadlines.total_s
        self._attempt = 0
        self._last: CallError | None = None
        self._begin_text()

    async def run(self) -> Proposal:
        """Call, and call again while that may help. Raises the last CallError when it does not."""
        try:
            return await self._once()
        except RetryableCall as error:
            if not self._may_retry(error):
                raise
        return await self._again()

    async def _again(self) -> Proposal:
        # Only the few calls that need the loop enter it: it costs as much as a dozen chunks, and refers to itself, so
        # that whatever a call holds would stay in memory until a garbage collection.
        # Our clock does the waiting: the page shows it, Stop cuts it, and tests need not wait.
        async for attempt in stamina.retry_context(
            on=self._may_retry,
            attempts=self._endpoint.policy.retries.attempts - 1,
            timeout=None,
            wait_initial=0,
            wait_max=0,
            wait_jitter=0,
        ):
            with attempt:
                if self._last is not None:
                    await self._pause(self._last)
                return await self._once()
        raise FinalCall(FailureKind.INTERNAL)

    def failure(self, error: CallError) -> Failure:
        """The slot's end without a proposal; what had arrived is kept with it."""
        return Failure(
            self._slot, self._agent, error.kind, error.public, retryable=error.kind not in _HOPELESS,
            attempts=self._attempt, duration_ms=self._elapsed_ms(), partial="".join(self._text),
            reasoning="".join(self._reasoning),
        )  # fmt: skip

    def stopped(self, kind: FailureKind) -> Failure:
        """The slot's end because it was cancelled."""
        return self.failure(CallError(kind, public=public_text(kind)))

    def _begin_text(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._chars = self._reasoning_chars = 0
        self._first_ms: int | None = None
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._repair, self._repair_reasoning, self._think = Repairer(), Repairer(), ThinkSplitter()

    def _may_retry(self, error: Exception) -> bool:
        if not isinstance(error, RetryableCall):
            return False
        self._last = error
        asked = error.retry_after_s if isinstance(error, RateLimited) else None
        if (asked or 0.0) >= self._time_left():
            return False
        # The last attempt's error ends the loop by itself; asking the budget for it would waste a retry.
        last = self._attempt >= self._endpoint.policy.retries.attempts
        return not last and self._guards.retries.may_retry(self._clock.now())

    async def _pause(self, error: CallError) -> None:
        policy = self._endpoint.policy.retries
        asked = error.retry_after_s if isinstance(error, RateLimited) else None
        ceiling = min(policy.max_wait_s, policy.first_wait_s * 2 ** (self._attempt - 1))
        wait_s = asked if asked is not None else self._rng.uniform(0, ceiling)
        self._line.restart(self._attempt + 1, error.kind, wait_s)
        self._begin_text()
        if wait_s > 0:
            await self._clock.sleep(wait_s)

    async def _once(self) -> Proposal:
        self._attempt += 1
        async with self._guards.limiter.place():
            if self._attempt == 1:  # time in the queue is not the model's
                self._ends = self._clock.now() + self._endpoint.policy.deadlines.total_s
            self._guards.breaker.admit(self._clock.now())
            self._guards.retries.called(self._clock.now())
            try:
                await self._stream()
                done = self._judge()
            except CallError as error:
                model, attempt = self._endpoint.model.id, self._attempt
                _log.warning("%s in slot %s, attempt %d: %s", model, self._slot, attempt, error.kind)
                _log.debug("%s said: %s", model, error.detail)  # may quote a prompt: never by default
                self._guards.breaker.failed(self._clock.now(), error)
                raise
            except BaseException:
                self._guards.breaker.abandoned()
                raise
        self._guards.breaker.succeeded(self._clock.now())
        return done

    async def _stream(self) -> None:
        # Attempts share the call's time: a slow one and its repetition together end where one call must.
        deadlines = replace(self._endpoint.policy.deadlines, total_s=self._time_left())
        try:
            with Watchdog(self._clock, deadlines) as watchdog:
                async with self._endpoint.provider.stream(self._request) as pieces:
                    async for piece in pieces:
                        if piece.text or piece.reasoning:
                            watchdog.content()
                        if self._take(piece):
                            return
        except RetryableCall:
            if self._finish is None:
                raise
            # The provider had said that the text is whole: what its connection did after that changes nothing.
        self._flush()

    def _take(self, piece: Piece) -> bool:
        """Take one piece in; True when the text has reached its cap."""
        text, reasoning, finish, usage = piece
        if usage is not None:
            self._usage = usage
        if finish:  # some servers send "" with each piece
            self._finish = finish
        if reasoning:
            self._think_aloud(self._repair_reasoning.feed(reasoning))
        if text:
            text = self._repair.feed(text)
            if not self._think.over:
                thought, text = self._think.feed(text)
                self._think_aloud(thought)
            self._say(text)
        if self._chars >= self._output_chars:
            self._finish = Finish.LENGTH
            return True
        return False

    def _flush(self) -> None:
        reasoning, text = self._think.feed(self._repair.flush())
        more_reasoning, more_text = self._think.flush()
        self._think_aloud(self._repair_reasoning.flush() + reasoning + more_reasoning)
        self._say(text + more_text)

    def _say(self, text: str) -> None:
        if not self._text:
            text = text.lstrip()
        text = text[: self._output_chars - self._chars]
        if text:
            if self._first_ms is None:
                self._first_ms = self._elapsed_ms()
            self._chars += len(text)
            self._text.append(text)
            self._line.text(text)

    def _think_aloud(self, text: str) -> None:
        # Reasoning over the cap is dropped; only its answer's own cap ends a call.
        text = text[: self._output_chars - self._reasoning_chars]
        if text:
            if self._first_ms is None:
                self._first_ms = self._elapsed_ms()
            self._reasoning_chars += len(text)
            self._reasoning.append(text)
            self._line.reasoning(text)

    def _judge(self) -> Proposal:
        """Whether what came is an answer. A stream that just ends is not one."""
        text = "".join(self._text)
        if self._finish == "content_filter":
            raise FinalCall(FailureKind.FILTERED)
        if self._finish is None or self._finish in _BROKE_OFF:
            raise RetryableCall(FailureKind.TRUNCATED if self._text else FailureKind.EMPTY)
        if not text.strip():
            raise RetryableCall(FailureKind.EMPTY)
        usage = self._usage or self._estimate(text)
        return Proposal(
            self._slot, self._agent, text, Finish.LENGTH if self._finish == "length" else Finish.STOP, usage,
            attempts=self._attempt, first_token_ms=self._first_ms, duration_ms=self._elapsed_ms(),
            cost_microusd=cost_microusd(self._endpoint, usage), reasoning="".join(self._reasoning),
        )  # fmt: skip

    def _estimate(self, text: str) -> Usage:
        output = estimate_tokens(text) + estimate_tokens("".join(self._reasoning))
        return Usage(estimate_prompt(self._request.messages), output, estimated=True)

    def _elapsed_ms(self) -> int:
        return round((self._clock.now() - self._begun) * 1000)

    def _time_left(self) -> float:
        return self._ends - self._clock.now()


_BROKE_OFF = frozenset({"abort", "error", "insufficient_system_resource"})  # as vLLM, OpenRouter and DeepSeek say it
_HOPELESS = frozenset({FailureKind.NO_KEY, FailureKind.BUDGET})
