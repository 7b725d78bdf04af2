"""compose.yaml, nginx's configuration, the Dockerfile and the settings mean the same set-up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from moa.api.guard import MAX_IMPORT_BYTES
from moa.config.settings import Settings, load_settings
from moa.core.domain import Budget
from moa.ui.identity import Identity
from tests.unit.test_project import read

ROOT = Path(__file__).resolve().parents[2]
SECRET = "c0ffee"
NGINX = read("deploy/nginx.conf")


def services() -> dict[str, Any]:
    text = re.sub(r"^#.*\n", "", read("compose.yaml"), flags=re.MULTILINE)
    text = re.sub(r"\$\{POSTGRES_PASSWORD:\?[^}]*\}", SECRET, text)
    text = re.sub(r"\$\{HTTP_PORT:-(\d+)\}", r"\1", text)
    assert "$" not in text, "a variable that nobody is told of"
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


def directive(name: str) -> str:
    found = re.search(rf"^\s*{name} ([^;]*);", NGINX, re.MULTILINE)
    assert found, name
    return found[1]


def settings(service: str) -> Settings:
    return load_settings(services()[service]["environment"], None)


def test_nginx_knows_the_apps_by_their_names_and_port() -> None:
    apps = [name for name, service in services().items() if service.get("build")]
    assert re.findall(r"^\s*server (\S+):(\d+) ", NGINX, re.MULTILINE) == [
        (name, str(settings(name).port)) for name in apps
    ]  # fmt: skip
    assert len(apps) == 2
    assert f"EXPOSE {settings(apps[0]).port}" in read("Dockerfile")


def test_nginx_is_given_its_configuration_and_reached_at_its_port() -> None:
    nginx = services()["nginx"]
    assert set(nginx["depends_on"]) == {"app1", "app2"}
    (mount,) = nginx["volumes"]
    source, target, mode = mount.split(":")
    assert ((ROOT / source).is_file(), target, mode) == (True, "/etc/nginx/nginx.conf", "ro")
    (port,) = nginx["ports"]
    assert port.split(":")[1] == directive("listen")


@pytest.mark.parametrize("name", ["app1", "app2"])
def test_the_apps_believe_nginx_and_use_the_database(name: str) -> None:
    found = settings(name)
    database = services()["postgres"]
    user, place = (database["environment"][key] for key in ("POSTGRES_USER", "POSTGRES_DB"))
    assert found.database_url == f"postgresql+psycopg://{user}:{SECRET}@postgres/{place}"
    assert database["environment"]["POSTGRES_PASSWORD"] == SECRET
    assert (found.host, found.proxy_hops, found.open_browser, found.share) == ("0.0.0.0", 1, False, False)
    assert services()[name]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert f"MOA_DATA={found.data_dir}" in read("Dockerfile")
    assert "psycopg" in read("Dockerfile")


def test_what_a_machine_of_ones_own_has_in_env_does_not_reach_into_the_containers() -> None:
    own = set(re.findall(r"^#(MOA_\w+)=", read(".env.example"), re.MULTILINE))
    free = {"MOA_CONFIG", "MOA_EMBEDDED_MODEL", "MOA_ALLOWED_HOSTS", "MOA_TITLES"}
    assert own - free <= set(services()["app1"]["environment"])


def test_nginx_bounds_nothing_that_the_app_takes() -> None:
    unit = {"m": 1024**2, "h": 3600}
    size, hours = directive("client_max_body_size"), directive("proxy_read_timeout")
    assert int(size[:-1]) * unit[size[-1]] >= MAX_IMPORT_BYTES
    assert int(hours[:-1]) * unit[hours[-1]] > 2 * Budget().seconds


@pytest.mark.parametrize("https", [True, False])
def test_nginx_finds_the_visitors_cookie(https: bool) -> None:
    pattern = re.search(r'"~(.*)" \$token', NGINX)
    assert pattern
    name, _, token = Identity(single_owner=False).fresh_cookie(https=https).partition(";")[0].partition("=")
    for header in (f"{name}={token}", f"theme=dark; {name}={token}", f"{name}={token}; theme=dark"):
        found = re.search(pattern[1].replace("?<token>", "?P<token>"), header)
        assert found
        assert found["token"] == token
    assert not re.search(pattern[1].replace("?<token>", "?P<token>"), f"not_{name}={token}")
