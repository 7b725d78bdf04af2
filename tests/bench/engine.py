"""The engine as the app uses it: every proposal streamed as events, handed over as they come."""

from __future__ import annotations

import time

from moa.core.domain import Agent, Layer, Message, Model, Part, Price, PromptStyle, Recipe, Role
from moa.core.events import Event, TextDelta
from moa.core.policy import Limits, Policy
from moa.engine.engine import Engine
from moa.engine.ports import Endpoint
from moa.providers.openai_compatible import OpenAICompatibleProvider
from tests.bench.mock import PROPOSERS
from tests.bench.worker import Runner


class _Directory:
    def __init__(self, base_url: str) -> None:
        self._provider = OpenAICompatibleProvider("mock", base_url=base_url, key="bench")
        self._policy = Policy(limits=Limits(concurrency=1000, queue=1000))
        self._endpoints: dict[str, Endpoint] = {}

    def endpoint(self, model_id: str) -> Endpoint:
        if model_id not in self._endpoints:
            model = Model(model_id, "mock", model_id, model_id, price=Price(1_000_000, 2_000_000))
            self._endpoints[model_id] = Endpoint(model, self._provider, self._policy)
        return self._endpoints[model_id]


def make(base_url: str) -> Runner:
    engine = Engine(_Directory(base_url))
    recipes: dict[tuple[int, str], Recipe] = {}

    def recipe(layers: int, prefix: str) -> Recipe:
        proposers = tuple(Agent(f"{prefix}proposer-{i}") for i in range(PROPOSERS))
        aggregator = Agent(f"{prefix}aggregator", Part.AGGREGATOR)
        return Recipe("bench", "Bench", (Layer(proposers),) * (layers - 1), aggregator, prompt_style=PromptStyle.PAPER)

    async def run(layers: int, messages: list[dict[str, str]], prefix: str) -> float:
        begun = time.perf_counter()
        first: list[float] = []

        def watch(event: Event) -> None:
            if not first and type(event) is TextDelta and event.slot.layer == layers:
                first.append(time.perf_counter() - begun)

        conversation = [Message(Role(m["role"]), m["content"]) for m in messages]
        mixture = recipes.setdefault((layers, prefix), recipe(layers, prefix))
        async with engine.run(mixture, conversation, sink=watch) as running:
            result = await running.wait()
        assert result.status == "complete", result
        return first[0]

    return run
