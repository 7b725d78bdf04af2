"""Providers that do what a script says, on a clock that jumps: for laws over schedules nobody thought of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hypothesis import strategies as st

from moa.core.domain import Agent, Budget, FailureKind, Layer, Model, Part, PromptStyle, Recipe, Usage
from moa.core.errors import FinalCall, RateLimited, RetryableCall
from moa.core.policy import Breaker, Deadlines, Limits, Policy, Retries
from moa.engine.ports import CallRequest, Endpoint, Piece
from tests.fault.laws import FAILED_TEXT
from tests.support.clock import ManualClock

MODELS = ("a", "b", "c", "agg", "f")


@dataclass(frozen=True)
class Script:
    """One call: silence before the head, pieces with silence before each, and how it ends."""

    head_s: float = 0.0
    pieces: tuple[tuple[float, Piece], ...] = ()
    ending: str = "stop"


@dataclass
class ScriptedProvider:
    """Plays a model's scripts in turn, the last one for ever. ``open`` counts streams that were not closed."""

    clock: ManualClock
    scripts: Mapping[str, Sequence[Script]]
    name: str = "scripted"
    open: int = 0
    calls: list[CallRequest] = field(default_factory=list)

    @asynccontextmanager
    async def stream(self, request: CallRequest) -> AsyncIterator[AsyncIterator[Piece]]:
        scripts = self.scripts[request.model.id]
        script = scripts[min(sum(r.model == request.model for r in self.calls), len(scripts) - 1)]
        self.calls.append(request)
        self.open += 1
        try:
            await self._pass(script.head_s)
            if script.ending in ("refused", "key"):
                _raise(script.ending)
            yield self._play(script)
        finally:
            self.open -= 1

    async def _play(self, script: Script) -> AsyncIterator[Piece]:
        for wait_s, piece in script.pieces:
            await self._pass(wait_s)
            fails = script.ending != "stop"
            yield piece._replace(text=f"{FAILED_TEXT} {piece.text}") if fails and piece.text else piece
        if script.ending == "stop":
            yield Piece("Done.", finish="stop", usage=Usage(7, 3))
        elif script.ending == "filtered":
            yield Piece(finish="content_filter")
        elif script.ending != "no finish":
            _raise(script.ending)

    async def _pass(self, seconds: float) -> None:
        if seconds:
            await self.clock.sleep(seconds)

    async def list_models(self) -> tuple[Model, ...]:
        return ()

    async def aclose(self) -> None:
        return


def _raise(ending: str) -> None:
    errors: dict[str, Exception] = {
        "dropped": RetryableCall(FailureKind.DROPPED),
        "limited": RateLimited(retry_after_s=2.0),
        "refused": FinalCall(FailureKind.REJECTED),
        "key": FinalCall(FailureKind.BAD_KEY),
        "defect": ValueError("a defect of ours"),
    }
    raise errors[ending]


@dataclass
class ScriptedDirectory:
    """Leads to one provider; ``unknown`` models lead nowhere."""

    provider: ScriptedProvider
    policy: Policy
    unknown: frozenset[str] = frozenset()
    context_tokens: int | None = None

    def endpoint(self, model_id: str) -> Endpoint:
        if model_id in self.unknown:
            raise FinalCall(FailureKind.NO_KEY)
        model = Model(model_id, "scripted", model_id, model_id.upper(), context_tokens=self.context_tokens)
        return Endpoint(model, self.provider, self.policy)


silence = st.sampled_from([0.0, 0.0, 0.0, 0.5, 4.0, 11.0, 60.0])
words = st.sampled_from(["word ", "", " ", "<think>", "</think>", "\ud83d", "\ude00", "\x00", "e\u0301", "青い", "\n"])
unfinished = st.sampled_from([None, None, ""])
pieces = st.tuples(silence, st.builds(Piece, words, st.sampled_from(["", "", "Hm. ", "\ud83d"]), unfinished, st.none()))
scripts = st.builds(
    Script,
    silence,
    st.lists(pieces, max_size=5).map(tuple),
    st.sampled_from(
        ["stop", "stop", "stop", "no finish", "filtered", "dropped", "limited", "refused", "key", "defect"]
    ),
)
schedules = st.fixed_dictionaries({name: st.lists(scripts, min_size=1, max_size=3) for name in MODELS})
policies = st.builds(
    Policy,
    st.just(Deadlines(first_token_s=10, idle_s=10, total_s=30)),
    st.builds(Limits, st.none(), st.integers(1, 4), st.integers(0, 4)),
    st.builds(Retries, st.integers(1, 3)),
    st.builds(Breaker, st.integers(1, 3)),
)
layers = st.builds(
    Layer,
    st.lists(st.sampled_from("abc").map(Agent), min_size=1, max_size=4).map(tuple),
    st.none() | st.integers(1, 3),
    st.sampled_from([0.0, 3.0]),
    st.sampled_from([5.0, 25.0, 500.0]),
)
budgets = st.builds(Budget, st.none() | st.integers(0, 8), st.none(), st.sampled_from([20.0, 900.0]))
recipes = st.builds(
    Recipe,
    st.just("test"),
    st.just("Test"),
    st.lists(layers, max_size=3).map(tuple),
    st.just(Agent("agg", Part.AGGREGATOR)),
    st.lists(st.sampled_from(["f", "a"]).map(lambda name: Agent(name, Part.AGGREGATOR)), max_size=2).map(tuple),
    st.sampled_from(PromptStyle),
    st.none() | st.just("Be kind."),
    budgets,
)
