"""How the app starts and ends, as a process."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.app import App

NOTHING_INSIDE = """
default_recipe = "one"
[providers.test]
base_url = "http://127.0.0.1:9/v1"
allow_private = true
discover = false
[models."test/m"]
label = "M"
[recipes.one]
title = "One"
aggregator = "test/m"
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path, NOTHING_INSIDE)
    yield made
    made.stop()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_F25_a_signal_ends_it_well(app: App, how: signal.Signals) -> None:
    app.start()
    health = httpx.get(f"{app.url}/healthz").json()
    assert health == {"status": "ok", "store": "ok", "model": "unused"}
    assert app.stop(how) == 0
    assert app.log == ""


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"MOA_PORT": "eighty"}, "MOA_PORT"),
        ({"MOA_PROT": "80"}, "MOA_PORT"),
        ({"MOA_CONFIG": "missing.toml"}, "missing.toml"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"MOA_HOST": "192.0.2.1"}, "MOA_PORT"),
    ],
)
def test_F34_a_wrong_setting_is_one_line_and_2(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    ended = App(tmp_path, environ=environ).run()
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert named in ended.stderr


def test_F34_a_wrong_file_is_one_line_and_2(tmp_path: Path) -> None:
    ended = App(tmp_path, "[recipes.one]\naggregater = 'x/y'\n").run()
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "aggregater" in ended.stderr


def test_F29_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "moa.db").write_text("my diary, by no means a database")
    ended = App(tmp_path, NOTHING_INSIDE).run()
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert (tmp_path / "data" / "moa.db").read_text() == "my diary, by no means a database"


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = App(tmp_path, NOTHING_INSIDE, {"MOA_PORT": str(taken.getsockname()[1])}).run()
    assert ended.returncode == 2
    assert ended.stderr.startswith("Can't listen on 127.0.0.1 port")
    assert len(ended.stderr.splitlines()) == 1


def test_help_names_the_commands(tmp_path: Path) -> None:
    ended = App(tmp_path).run("--help")
    assert ended.returncode == 0
    assert "serve" in ended.stdout


def test_without_a_way_out_no_link_is_made_and_the_app_goes_on(tmp_path: Path) -> None:
    nowhere = {"MOA_SHARE": "1", "https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    app = App(tmp_path, NOTHING_INSIDE, nowhere)
    app.start()
    assert httpx.get(f"{app.url}/healthz").status_code == 200
    assert app.wait_for_log("No public link could be made")
    assert app.stop() == 0
