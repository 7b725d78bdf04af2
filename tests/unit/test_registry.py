from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from moa.core.catalogue import Catalogue, ProviderSpec
from moa.core.domain import FailureKind, Message, Model, Role
from moa.core.errors import CallError, FinalCall, RetryableCall
from moa.core.policy import Deadlines, Policy
from moa.engine.ports import CallRequest, Piece
from moa.providers.registry import FRESH_S, RETRY_LIST_S, Registry
from tests.support.server import Answer, Gate, HttpError, ProviderServer, Reply, html_page, json_body

KEY = "sk-test-0123456789abcdef"
ENVIRON = {"GOOD_KEY": KEY}


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Embedded:
    """An embedded provider that runs nothing."""

    name = "embedded"
    closed = False

    @asynccontextmanager
    async def stream(self, request: CallRequest) -> AsyncIterator[AsyncIterator[Piece]]:
        yield self._pieces()

    async def _pieces(self) -> AsyncIterator[Piece]:
        yield Piece("Hi", finish="stop")

    async def list_models(self) -> tuple[Model, ...]:
        return (model("embedded", "tiny"),)

    async def aclose(self) -> None:
        self.closed = True


def model(provider: str, name: str, **more: Any) -> Model:
    return Model(f"{provider}/{name}", provider, name, name, **more)


def spec(name: str, **more: Any) -> ProviderSpec:
    return ProviderSpec(name, name.title(), **{"api_key_env": f"{name.upper()}_KEY", **more})


def catalogue(*providers: ProviderSpec, models: tuple[Model, ...] = ()) -> Catalogue:
    return Catalogue({p.name: p for p in providers}, {m.id: m for m in models}, {}, "none")


@asynccontextmanager
async def opened(
    *providers: ProviderSpec, models: tuple[Model, ...] = (), environ: Mapping[str, str] = ENVIRON, **more: Any
) -> AsyncIterator[Registry]:
    registry = Registry(catalogue(*providers, models=models), environ, **more)
    try:
        yield registry
    finally:
        await registry.aclose()


def failure(registry: Registry, model_id: str) -> FinalCall:
    with pytest.raises(FinalCall) as caught:
        registry.endpoint(model_id)
    return caught.value


async def test_a_declared_model_leads_to_its_provider_and_policy() -> None:
    policy = Policy(deadlines=Deadlines(first_token_s=7.0))
    declared = replace(model("good", "big"), id="alias")
    async with opened(spec("good", base_url="http://127.0.0.1:9/v1", policy=policy), models=(declared,)) as registry:
        endpoint = registry.endpoint("alias")
        assert endpoint.model is declared
        assert endpoint.provider.name == "good"
        assert endpoint.policy == policy


async def test_a_model_that_thinks_gets_longer_deadlines() -> None:
    thinker = model("good", "o3", reasoning=True)
    async with opened(spec("good", base_url="http://127.0.0.1:9/v1"), models=(thinker,)) as registry:
        deadlines = registry.endpoint("good/o3").policy.deadlines
        assert (deadlines.first_token_s, deadlines.total_s, deadlines.idle_s) == (120, 600, 30)


async def test_F19_a_missing_key_is_named_and_nothing_is_called() -> None:
    async with ProviderServer() as server, opened(spec("other", base_url=server.base_url)) as registry:
        error = failure(registry, "other/m")
        assert error.kind is FailureKind.NO_KEY
        assert "needs OTHER_KEY" in error.public
        await registry.refresh()
        (status,) = registry.statuses()
        assert (status.ready, status.needs, status.problem, status.models) == (False, "OTHER_KEY", None, 0)
        assert server.requests == []


async def test_F19_a_key_that_was_garbled_is_a_problem_and_is_not_shown() -> None:
    environ = {"GOOD_KEY": f"{KEY}\nsecond-line"}
    async with opened(spec("good", base_url="http://127.0.0.1:9/v1"), environ=environ) as registry:
        (status,) = registry.statuses()
        assert not status.ready
        assert status.problem is not None
        assert "GOOD_KEY" in status.problem
        assert KEY not in f"{status} {failure(registry, 'good/m')!r}"


@pytest.mark.parametrize("model_id", ["", "nothing", "nowhere/m", "good/", "/m", "embedded/unknown"])
async def test_F20_an_id_that_leads_nowhere_is_unknown(model_id: str) -> None:
    embedded = spec("embedded", kind="embedded", api_key_env=None)
    async with opened(spec("good", base_url="http://127.0.0.1:9/v1"), embedded, embedded=Embedded()) as registry:
        assert failure(registry, model_id).kind is FailureKind.UNKNOWN_MODEL


async def test_each_key_goes_to_its_own_provider_only() -> None:
    environ = {"GOOD_KEY": f"  {KEY}\n", "OTHER_KEY": "sk-other-123456789"}
    async with ProviderServer() as one, ProviderServer() as two:
        providers = spec("good", base_url=one.base_url), spec("other", base_url=two.base_url)
        async with opened(*providers, environ=environ) as registry:
            await registry.refresh()
            assert one.requests[0].used_key(KEY)
            assert two.requests[0].used_key("sk-other-123456789")
            assert registry.redact(f"{KEY} sk-other-123456789") == "[secret] [secret]"


async def test_listed_models_come_after_declared_ones_and_end_guessing() -> None:
    declared = model("good", "b", context_tokens=5)
    async with ProviderServer() as server:
        server.models = ["a", "b", "text-embedding-3"]
        async with opened(spec("good", base_url=server.base_url), models=(declared,)) as registry:
            assert registry.endpoint("good/anything").model.wire_name == "anything"
            await registry.refresh()
            assert [m.id for m in registry.models()] == ["good/b", "good/a"]
            assert registry.endpoint("good/a").model.wire_name == "a"
            assert registry.endpoint("good/b").model.context_tokens == 5
            assert failure(registry, "good/anything").kind is FailureKind.UNKNOWN_MODEL
            assert registry.statuses()[0].models == 2


async def test_a_provider_without_a_list_takes_any_name() -> None:
    async with ProviderServer() as server, opened(spec("good", base_url=server.base_url, discover=False)) as registry:
        await registry.refresh(force=True)
        assert server.requests == []
        assert registry.endpoint("good/org/name:tag").model.wire_name == "org/name:tag"


async def test_a_list_is_kept_for_ten_minutes_unless_forced() -> None:
    now = Hands()
    async with ProviderServer() as server, opened(spec("good", base_url=server.base_url), now=now) as registry:
        await registry.refresh()
        now.at += FRESH_S - 1
        await registry.refresh()
        assert len(server.requests) == 1
        now.at += 1
        await registry.refresh("good")
        assert len(server.requests) == 2
        await registry.refresh(force=True)
        assert len(server.requests) == 3
        await registry.refresh("no-such-provider", force=True)
        assert len(server.requests) == 3


async def test_at_most_one_list_is_fetched_at_once() -> None:
    gate = Gate()
    async with ProviderServer() as server, opened(spec("good", base_url=server.base_url)) as registry:
        server.script_models(replace(json_body({"data": [{"id": "a"}]}), gate=gate))
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(registry.refresh(force=True))
            await gate.arrived()
            gate.open()
        assert len(server.requests) == 1
        assert [m.id for m in registry.models()] == ["good/a"]


async def test_who_waits_for_a_list_may_leave_without_stopping_it() -> None:
    gate = Gate()
    async with ProviderServer() as server, opened(spec("good", base_url=server.base_url)) as registry:
        server.script_models(replace(json_body([{"id": "a"}]), gate=gate))
        first = asyncio.create_task(registry.refresh())
        second = asyncio.create_task(registry.refresh())
        await gate.arrived()
        first.cancel()
        gate.open()
        await second
        assert len(registry.models()) == 1


@pytest.mark.parametrize(
    "broken", [HttpError(500), HttpError(401, KEY), html_page(), Reply([b"{"], content_type="application/json")]
)
async def test_a_list_that_fails_leaves_the_old_one_and_is_asked_for_again_soon(broken: Reply | HttpError) -> None:
    now = Hands()
    good = json_body({"data": [{"id": "a"}]})
    async with ProviderServer() as server, opened(spec("good", base_url=server.base_url), now=now) as registry:
        server.script_models(good, broken, good)
        await registry.refresh()
        await registry.refresh(force=True)
        (status,) = registry.statuses()
        assert (status.ready, status.models) == (True, 1)
        assert status.problem
        assert KEY not in status.problem
        now.at += RETRY_LIST_S
        await registry.refresh()
        assert registry.statuses()[0].problem is None


async def test_a_local_server_is_found_by_itself_and_lost_again() -> None:
    now = Hands()
    async with ProviderServer() as server:
        server.models = ["llama3.2:1b"]
        port, url = server.port, server.base_url
    local = spec("ollama", base_url=url, optional_key=True, local=True)
    async with opened(local, now=now) as registry:
        await registry.refresh()
        (status,) = registry.statuses()
        assert (status.ready, status.needs, status.problem, status.local) == (False, None, "Not running.", True)
        async with ProviderServer(port=port) as server:
            server.models = ["llama3.2:1b"]
            now.at += RETRY_LIST_S
            await registry.refresh()
            assert server.requests[0].key_sha256 is None
            assert registry.statuses()[0].ready
            assert registry.endpoint("ollama/llama3.2:1b").model.label == "llama3.2:1b"
        await registry.refresh(force=True)
        assert not registry.statuses()[0].ready


async def test_the_embedded_provider_stands_beside_the_others_and_is_closed_with_them() -> None:
    embedded = Embedded()
    entry = spec("embedded", kind="embedded", api_key_env=None)
    async with opened(entry, models=(model("embedded", "tiny"),), embedded=embedded) as registry:
        endpoint = registry.endpoint("embedded/tiny")
        assert endpoint.provider is embedded
        assert endpoint.policy.deadlines.first_token_s == 120
        await registry.refresh()
        await registry.ping("embedded/tiny")
        assert registry.statuses()[0].ready
    assert embedded.closed


async def test_without_the_embedded_provider_its_models_say_so() -> None:
    entry = spec("embedded", kind="embedded", api_key_env=None)
    async with opened(entry, models=(model("embedded", "tiny"),)) as registry:
        assert failure(registry, "embedded/tiny").kind is FailureKind.NOT_READY
        assert not registry.statuses()[0].ready


async def test_a_ping_asks_for_one_token() -> None:
    async with ProviderServer() as server, opened(spec("good", base_url=server.base_url)) as registry:
        server.script("m", Answer("Hi"), HttpError(401), Reply())
        await registry.ping("good/m")
        assert server.requests[0].json["max_tokens"] == 1
        with pytest.raises(CallError) as refused:
            await registry.ping("good/m")
        assert refused.value.kind is FailureKind.BAD_KEY
        with pytest.raises(RetryableCall) as empty:
            await registry.ping("good/m")
        assert empty.value.kind is FailureKind.EMPTY


async def test_a_ping_gives_up_at_the_first_token_deadline() -> None:
    policy = Policy(deadlines=Deadlines(first_token_s=0.01))
    gate = Gate()
    async with ProviderServer() as server, opened(spec("good", base_url=server.base_url, policy=policy)) as registry:
        server.script("m", Answer(head_gate=gate))
        with pytest.raises(RetryableCall) as caught:
            await registry.ping("good/m")
        assert caught.value.kind is FailureKind.FIRST_TOKEN_TIMEOUT
        await server.closed()


async def test_closing_ends_what_is_being_fetched() -> None:
    gate = Gate()
    async with ProviderServer() as server:
        server.script_models(replace(json_body([]), gate=gate))
        async with opened(spec("good", base_url=server.base_url)) as registry:
            waiting = asyncio.create_task(registry.refresh())
            await gate.arrived()
        await waiting
        await server.closed()


async def test_extra_body_of_provider_and_model_are_laid_over_the_request() -> None:
    wide = model("good", "m", extra_body={"top_k": 2, "seed": 9})
    entry = spec("good", base_url="", extra_body={"top_k": 1, "provider": {"sort": "price"}})
    async with ProviderServer() as server:
        async with opened(replace(entry, base_url=server.base_url), models=(wide,)) as registry:
            endpoint = registry.endpoint("good/m")
            request = CallRequest(endpoint.model, (Message(Role.USER, "Hi"),))
            async with endpoint.provider.stream(request) as pieces:
                assert [piece.finish async for piece in pieces][-1] == "stop"
        body = server.requests[0].json
        assert (body["top_k"], body["seed"], body["provider"]) == (2, 9, {"sort": "price"})


async def test_a_provider_without_an_address_is_a_problem() -> None:
    async with opened(spec("good")) as registry:
        assert registry.statuses()[0].problem == "It has no base_url."
