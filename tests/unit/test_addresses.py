"""B20: which base URLs an operator may give a provider."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from moa.config.addresses import base_url_problem
from tests.support.catalogues import refused


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://169.254.169.254/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://metadata.google.internal/",
        "https://METADATA.google.internal./",
        "http://100.100.100.200/",
        "https://168.63.129.16/",
        "https://[fe80::1]/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0251.0376.0251.0376/",
        "https://169.254.43518/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://224.0.0.1/",
        "file:///etc/passwd",
        "ftp://x.example/",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "//x.example/v1",
        "x.example/v1",
        "",
        "https://",
        "https:///v1",
        "https://u:p@x.example/v1",
        "https://key@x.example/v1",
        "https://x.example/v1?key=abc",
        "https://x.example/v1#top",
        "https://x.example:99999/",
        "https://x.example:port/",
        "https://[::1/",
        "https://x.example\\@evil.example/",
        "https://x.example/ v1",
        "https://x.example/\n",
        "https://exämple.org/",
        "http://api.example.org/v1",
        "http://8.8.8.8/v1",
    ],
)
def test_B20_a_base_url_that_is_never_called(tmp_path: Path, url: str) -> None:
    for allow in (False, True):
        assert base_url_problem(url, allow_private=allow)
    text = f"[providers.p]\nallow_private = true\nbase_url = {tomlkit.item(url).as_string()}\n"
    assert refused(tmp_path, text).startswith("[providers.p] base_url: ")


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.5:8000/v1", "https://192.168.1.9/v1", "http://172.16.0.1/v1", "http://100.64.0.7/v1",
     "http://[fd12::1]/v1", "http://ollama:11434/v1", "http://nas.local/v1", "https://llm.internal/v1"],
)  # fmt: skip
def test_B20_private_networks_only_when_the_operator_says_so(url: str) -> None:
    assert "allow_private = true" in (base_url_problem(url, allow_private=False) or "")
    assert base_url_problem(url, allow_private=True) is None


@pytest.mark.parametrize(
    "url",
    ["https://api.example.org/v1", "https://api.example.org:8443/v1/", "https://8.8.8.8/v1", "http://localhost:1234/v1",
     "http://127.0.0.1:1/v1", "http://127.8.9.1/v1", "http://[::1]:8000/v1", "https://localhost/v1"],
)  # fmt: skip
def test_B20_https_and_loopback_are_fine(url: str) -> None:
    assert base_url_problem(url, allow_private=False) is None


@given(st.text(max_size=60))
def test_B20_no_text_breaks_the_check(text: str) -> None:
    for url in (text, f"https://{text}", f"http://{text}/v1"):
        problem = base_url_problem(url, allow_private=True)
        assert problem is None or len(problem) < 120
