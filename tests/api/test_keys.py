"""Off this machine every request needs a token; a token is its owner's and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest

from moa.chat.values import LOCAL, Actor
from tests.api.conftest import HI, Api, complete, running

ANNA, BEN = Actor("anna"), Actor("ben")
ASKED: dict[str, Any] = {"model": "test/a", "messages": HI}


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_without_a_token_nothing_is_told(hosted: Api) -> None:
    made, revoked = await hosted.store.create_token(ANNA, "old")
    await hosted.store.revoke_token(ANNA, made.id)
    wrong = "moa_" + "x" * 43
    for headers in ({}, bearing(wrong), bearing(revoked), bearing("sk-other"), {"authorization": f"Basic {wrong}"}):
        for answered in (
            await hosted.post(ASKED, **headers),
            await hosted.get("/models", **headers),
            await hosted.get("/models/test/a", **headers),
            await hosted.get("/runs/" + "a" * 22, **headers),
        ):
            assert (answered.status_code, answered.headers["www-authenticate"]) == (401, "Bearer")
            assert answered.json()["error"]["code"] == "invalid_api_key"
    assert hosted.server.requests == []
    assert await hosted.store.list_ids(ANNA) == []


async def test_a_token_lets_its_owner_in(hosted: Api) -> None:
    made, token = await hosted.store.create_token(ANNA, "laptop")
    async with hosted.client(token) as client:
        answer = await complete(client, **ASKED)
    run_id = answer.moa["run"]
    assert (await hosted.ended(run_id, ANNA)).view.result is not None
    _, others = await hosted.store.create_token(BEN, "laptop")
    assert (await hosted.get(f"/runs/{run_id}", **bearing(token))).status_code == 200
    assert (await hosted.get(f"/runs/{run_id}", **bearing(others))).status_code == 404
    (listed,) = await hosted.store.list_tokens(ANNA)
    assert (listed.id, listed.name, listed.revoked) == (made.id, "laptop", False)
    assert listed.last_used_at is not None


async def test_the_clients_own_error_is_raised(hosted: Api) -> None:
    async with hosted.client("sk-wrong") as client:
        with pytest.raises(openai.AuthenticationError, match="wrong or was revoked"):
            await client.models.list()


async def test_on_this_machine_any_key_will_do_but_one_of_ours_that_is_wrong(api: Api) -> None:
    made, token = await api.store.create_token(ANNA, "laptop")
    assert (await api.get("/models")).status_code == 200
    assert (await api.get("/models", **bearing("sk-anything"))).status_code == 200
    run_id = (await api.post(ASKED, **bearing(token))).json()["moa"]["run"]
    assert (await api.ended(run_id, ANNA)).id
    assert (await api.get(f"/runs/{run_id}")).status_code == 404
    await api.store.revoke_token(ANNA, made.id)
    assert (await api.get("/models", **bearing(token))).status_code == 401


@pytest.mark.parametrize("hops", [0, 1])
async def test_what_came_through_a_proxy_is_not_of_this_machine(tmp_path: Path, hops: int) -> None:
    async with running(tmp_path, hops=hops) as api:
        assert (await api.get("/models")).status_code == 200
        assert (await api.get("/models", **{"x-forwarded-for": "127.0.0.1"})).status_code == 401
        _, token = await api.store.create_token(LOCAL, "elsewhere")
        passed = {"x-forwarded-for": "192.0.2.7", **bearing(token)}
        assert (await api.get("/models", **passed)).status_code == 200


async def test_the_description_needs_no_token_and_names_only_these_routes(hosted: Api) -> None:
    told = (await hosted.get("/../openapi.json")).json()
    assert set(told["paths"]) == {
        "/v1/models", "/v1/models/{model_id}", "/v1/chat/completions", "/v1/runs/{run_id}", "/v1/runs/{run_id}/cancel",
    }  # fmt: skip
