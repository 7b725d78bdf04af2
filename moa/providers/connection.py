"""One provider by itself, for programs that bring neither catalogue nor settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from moa.core.domain import Model
from moa.core.policy import Policy
from moa.engine.ports import Endpoint
from moa.providers.openai_compatible import OpenAICompatibleProvider

_OPENAI = "https://api.openai.com/v1"
_POLICY = Policy()


class Connection:
    """Implements ``moa.engine.ports.Directory``: every model id is a model's name at the one provider.

    async with moa.connect() as models:
        engine = moa.Engine(models)
    """

    def __init__(self, base_url: str, key: str | None, policy: Policy) -> None:
        # Prices are published for OpenAI itself; what the same name costs elsewhere is not known.
        self._name = "openai" if base_url == _OPENAI else "connection"
        self._provider = OpenAICompatibleProvider(self._name, base_url=base_url, key=key, deadlines=policy.deadlines)
        self._policy = policy

    def endpoint(self, model_id: str) -> Endpoint:
        """See the port. A name that the provider lacks is found out by the call."""
        model = Model(model_id, self._name, wire_name=model_id, label=model_id)
        return Endpoint(model, self._provider, self._policy)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._provider.aclose()


def connect(
    base_url: str | None = None,
    key: str | None = None,
    *,
    policy: Policy = _POLICY,
    environ: Mapping[str, str] = os.environ,
) -> Connection:
    """A provider that speaks OpenAI's protocol, to be closed by ``async with``.

    Without an address both are read from ``environ`` as OpenAI's own client reads them: ``OPENAI_BASE_URL`` (without
    it, OpenAI) and ``OPENAI_API_KEY``. With one no key is sent but the one given. ``policy`` holds deadlines, retries
    and limits.
    """
    if base_url is None:
        base_url = environ.get("OPENAI_BASE_URL") or _OPENAI
        key = key or environ.get("OPENAI_API_KEY") or None
    return Connection(base_url, key, policy)
