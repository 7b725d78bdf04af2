"""What ``/openapi.json`` says is so, for requests that nobody thought of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import HI, MODELS, Api

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
GOOD = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["moa", "moa/duo", *MODELS]),
        "messages": st.just(HI),
        "moa": st.sampled_from([None, {"proposers": ["test/a", "test/b"], "layers": 3}]),
        "stream": st.booleans(),
        "background": st.booleans(),
    },
)
ROUTES = [
    ("GET", "/v1/models"), ("GET", "/v1/models/{model_id}"), ("POST", "/v1/chat/completions"),
    ("GET", "/v1/runs/{run_id}"), ("POST", "/v1/runs/{run_id}/cancel"),
]  # fmt: skip


def tried(root: str, method: str, path: str, examples: int) -> None:
    """Requests made up from the description, many of them with fields that are good."""
    operation = schemathesis.openapi.from_url(f"{root}/openapi.json")[path][method]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), good=GOOD)
    def call(case: Any, good: dict[str, Any]) -> None:
        if isinstance(case.body, dict):
            case.body |= good
        case.validate_response(case.call(base_url=root), checks=CHECKS)

    call()


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_request_is_an_error_of_ours(api: Api, method: str, path: str) -> None:
    root = api.url.removesuffix("/v1")
    await asyncio.to_thread(tried, root, method, path, 100 if "chat" in path else 20)


async def test_all_routes_are_tried(api: Api) -> None:
    told = (await api.get("/../openapi.json")).json()["paths"]
    assert {(method.upper(), path) for path, methods in told.items() for method in methods} == set(ROUTES)
