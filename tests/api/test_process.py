"""The API of the whole app, as its operator sets it up."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.support.app import App
from tests.support.server import ProviderServer

CONFIG = """
default_recipe = "one"
[providers.test]
base_url = "{url}"
allow_private = true
discover = false
[models."test/m"]
label = "M"
[recipes.one]
title = "One"
aggregator = "test/m"
"""


def test_behind_a_proxy_a_token_from_the_command_line_opens_it(tmp_path: Path) -> None:
    with ProviderServer.in_thread() as server:
        app = App(tmp_path, CONFIG.format(url=server.base_url), {"MOA_PROXY_HOPS": "1"})
        app.start()
        try:
            told = app.run("token", "create", "--name", "test").stdout.strip()
            client = httpx.Client(base_url=app.url)
            asked = {"model": "moa/one", "messages": [{"role": "user", "content": "Hi?"}]}
            assert client.post("/v1/chat/completions", json=asked).status_code == 401
            client.headers["authorization"] = f"Bearer {told}"
            answered = client.post("/v1/chat/completions", json=asked)
            assert answered.json()["choices"][0]["message"]["content"] == "Hello from m."
            assert {"moa/one", "test/m"} <= {model["id"] for model in client.get("/v1/models").json()["data"]}
            assert client.get("/openapi.json").json()["info"]["title"] == "MoA Chat"
            client.close()
        finally:
            app.stop()
        assert told not in app.log
