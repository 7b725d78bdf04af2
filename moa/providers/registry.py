"""Which models there are and where each leads: the catalogue, the keys that were found, and what providers list."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from moa.core.catalogue import Catalogue, ProviderSpec, policy_for
from moa.core.domain import FailureKind, Message, Model, Role, Sampling
from moa.core.errors import CallError, FinalCall, RetryableCall
from moa.core.redact import Redactor
from moa.engine.ports import CallRequest, Endpoint, Provider
from moa.providers.openai_compatible import OpenAICompatibleProvider

FRESH_S = 600.0
RETRY_LIST_S = 30.0
LOCAL_CONNECT_S = 1.0
"""A server on this machine answers at once or is not there."""


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """What a page and ``check`` say of a provider. ``needs`` names the missing variable, never a value.

    ``ready``: calls can be made; a local one has answered. ``models``: declared and discovered. ``problem`` is
    safe to show.
    """

    name: str
    label: str
    ready: bool
    needs: str | None
    problem: str | None
    models: int
    local: bool


@dataclass(slots=True)
class _Entry:
    """One provider's state. ``listed``: its list has come at least once, so that ``found`` is all it serves."""

    spec: ProviderSpec
    provider: Provider | None = None
    needs: str | None = None
    problem: str | None = None
    found: dict[str, Model] = field(default_factory=dict)
    listed: bool = False
    stale_at: float = 0.0
    refreshing: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        return self.provider is not None and (self.listed or not self.spec.local)


class Registry:
    """Implements ``moa.engine.ports.Directory``. Keys are read once, here; each is given to its own provider only.

    Nothing is fetched before ``refresh``. ``embedded`` answers for the catalogue's embedded provider; the registry
    closes it with the others.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        environ: Mapping[str, str],
        *,
        embedded: Provider | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue, self._declared = catalogue, catalogue.models
        self._now = now
        keys = {name: _key(spec, environ) for name, spec in catalogue.providers.items()}
        self.redact = Redactor(key for key in keys.values() if key)
        """Masks every key that was found; for logs."""
        self._entries = {
            name: self._entry(spec, keys[name], embedded) for name, spec in catalogue.providers.items()
        }

    def endpoint(self, model_id: str) -> Endpoint:
        """See the port. Declared models come first, then listed ones, then any name at a provider without a list."""
        model = self._declared.get(model_id) or self._listed(model_id) or self._unlisted(model_id)
        entry = self._entries.get(model.provider) if model else None
        if model is None or entry is None:
            raise FinalCall(FailureKind.UNKNOWN_MODEL, detail=f"no such model: {self.redact.excerpt(model_id)}")
        if entry.needs is not None:
            raise FinalCall(FailureKind.NO_KEY, public=f"{entry.spec.label} needs {entry.needs}.")
        if entry.provider is None:
            raise FinalCall(FailureKind.NOT_READY, public=entry.problem)
        return Endpoint(model, entry.provider, policy_for(self._catalogue, model))

    def models(self) -> tuple[Model, ...]:
        """Declared models, then discovered ones, of all providers, ready or not."""
        found = (model for entry in self._entries.values() for model in entry.found.values())
        return (*self._declared.values(), *(model for model in found if model.id not in self._declared))

    def statuses(self) -> tuple[ProviderStatus, ...]:
        """One for each provider, in the catalogue's order."""
        counts = dict.fromkeys(self._entries, 0)
        for model in self.models():
            counts[model.provider] = counts.get(model.provider, 0) + 1
        return tuple(
            ProviderStatus(name, e.spec.label, e.ready, e.needs, e.problem, counts[name], e.spec.local)
            for name, e in self._entries.items()
        )

    async def refresh(self, provider: str | None = None, *, force: bool = False) -> None:
        """Ask one provider, or all that are usable, for their lists; local ones are found by this.

        A list is kept for 10 minutes unless ``force``; who asks while one is being fetched waits for that one. A
        failure leaves the old list, shows in ``statuses`` and is tried again after 30 s. Raises nothing.
        """
        entries = [e for name, e in self._entries.items() if provider in (None, name)]
        tasks = [task for entry in entries if (task := self._refreshing(entry, force)) is not None]
        if tasks:
            await asyncio.wait(tasks)

    async def ping(self, model_id: str) -> None:
        """Ask for one token, once. Raises CallError when nothing of an answer comes."""
        endpoint = self.endpoint(model_id)
        request = CallRequest(endpoint.model, (Message(Role.USER, "Hi"),), Sampling(max_tokens=1))
        try:
            async with (
                asyncio.timeout(endpoint.policy.deadlines.first_token_s),
                endpoint.provider.stream(request) as pieces,
            ):
                async for _ in pieces:
                    return
        except TimeoutError:
            raise RetryableCall(FailureKind.FIRST_TOKEN_TIMEOUT) from None
        raise RetryableCall(FailureKind.EMPTY)

    async def aclose(self) -> None:
        """Stop fetching and close every provider."""
        tasks = [e.refreshing for e in self._entries.values() if e.refreshing is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(e.provider.aclose() for e in self._entries.values() if e.provider is not None))

    def _entry(self, spec: ProviderSpec, key: str, embedded: Provider | None) -> _Entry:
        if spec.kind == "embedded":
            problem = None if embedded else "The embedded model is not installed."
            return _Entry(spec, embedded, problem=problem)
        if not key and spec.api_key_env and not spec.optional_key:
            return _Entry(spec, needs=spec.api_key_env)
        if not (key.isascii() and key.isprintable()):
            return _Entry(spec, problem=f"{spec.api_key_env} holds characters that no key has. Copy it again.")
        if not spec.base_url:
            return _Entry(spec, problem="It has no base_url.")
        deadlines = spec.policy.deadlines
        if spec.local:
            deadlines = dataclasses.replace(deadlines, connect_s=min(deadlines.connect_s, LOCAL_CONNECT_S))
        client = OpenAICompatibleProvider(
            spec.name,
            base_url=spec.base_url,
            key=key or None,
            deadlines=deadlines,
            extra_body=spec.extra_body,
            redact=self.redact,
        )
        return _Entry(spec, client)

    def _listed(self, model_id: str) -> Model | None:
        for entry in self._entries.values():
            if model_id in entry.found:
                return entry.found[model_id]
        return None

    def _unlisted(self, model_id: str) -> Model | None:
        name, slash, wire_name = model_id.partition("/")
        entry = self._entries.get(name)
        if not slash or not wire_name or entry is None or entry.listed or entry.spec.kind == "embedded":
            return None
        return Model(id=model_id, provider=name, wire_name=wire_name, label=wire_name)

    def _refreshing(self, entry: _Entry, force: bool) -> asyncio.Task[None] | None:
        if entry.provider is None or not entry.spec.discover:
            return None
        if entry.refreshing is None and (force or self._now() >= entry.stale_at):
            entry.refreshing = asyncio.create_task(self._fetch(entry, entry.provider))
        return entry.refreshing

    async def _fetch(self, entry: _Entry, provider: Provider) -> None:
        try:
            models = await provider.list_models()
        except CallError as error:
            gone = entry.spec.local and error.kind is FailureKind.UNREACHABLE
            entry.listed = entry.listed and not gone
            entry.problem = "Not running." if gone else error.public
            entry.stale_at = self._now() + RETRY_LIST_S
        else:
            entry.found = {model.id: model for model in models}
            entry.listed, entry.problem = True, None
            entry.stale_at = self._now() + FRESH_S
        finally:
            entry.refreshing = None


def _key(spec: ProviderSpec, environ: Mapping[str, str]) -> str:
    return environ.get(spec.api_key_env, "").strip() if spec.api_key_env else ""
