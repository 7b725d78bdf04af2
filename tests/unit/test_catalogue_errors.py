"""F34: every mistake in a catalogue file is told in one line that names file, table and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moa.config.catalogue import DEFAULTS, load_catalogue
from moa.core.errors import ConfigError
from tests.support.catalogues import OWN, SMOL, load, refused


@pytest.mark.parametrize(
    ("remove", "told"),
    [
        (
            'base_url = "https://p.example/v1"',
            '[providers.p] base_url: is missing; add base_url = "https://…/v1"',
        ),
        ("input = 1.0,", '[models."p/m".price] input: is missing; add it'),
        ("output = 2.0", '[models."p/m".price] output: is missing; add it'),
        ('title = "R"', "[recipes.r] title: is missing; add it"),
        ('aggregator = "p/m"', "[recipes.r] aggregator: is missing; add it"),
        ('model = "p/m"', "[recipes.r] proposers, entry 2, model: is missing; add it"),
    ],
)
def test_F34_a_missing_key(tmp_path: Path, remove: str, told: str) -> None:
    assert load(tmp_path, OWN).recipes["r"].call_count == 3
    text = OWN.replace(remove, "").replace("{ input = 1.0,  }", "{ input = 1.0 }")
    assert refused(tmp_path, text).removesuffix(" (1 more)") == told


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("", "default_recipee = 1"),
        ("[caps]", "question_char = 1"),
        ("[providers.p]", "base_ur = 1"),
        ("[providers.p.limits]", "concurency = 1"),
        ("[providers.p.timeouts]", "first_token = 1"),
        ("[providers.p.retries]", "attempt = 1"),
        ("[providers.p.breaker]", "failure = 1"),
        ('[models."p/m"]', "contxt_tokens = 1"),
        ("[recipes.r]", "agregator = 1"),
        ("[recipes.r.budget]", "dollar = 1"),
        ("[[recipes.s.layer]]", "quorums = 1"),
    ],
)
def test_F34_an_unknown_key_at_each_level_is_told_with_the_likely_one(
    tmp_path: Path, table: str, key: str
) -> None:
    line = refused(tmp_path, f"{table}\n{key}\n")
    header = table.replace("[[", "[").replace(".layer]]", "]")
    assert line.startswith(header)
    assert f"{key.split()[0]}: no such key; did you mean " in line


def test_F34_a_key_pasted_into_the_file_is_not_repeated(tmp_path: Path) -> None:
    for text in (
        'api_key = "sk-hunter2"',
        'api_key_env = "sk-hunter2"',
        'base_url = "https://u:sk-hunter2@p.example"',
    ):
        kept = "\n".join(line for line in OWN.splitlines() if not line.startswith(text.split()[0] + " "))
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, kept.replace("[providers.p]", f"[providers.p]\n{text}"))
        assert "[providers.p] " in caught.value.public
        assert "api_key_env" in caught.value.public
        assert "hunter2" not in caught.value.public + caught.value.detail


@pytest.mark.parametrize(
    ("table", "line", "problem"),
    [
        ("[providers.p]", 'enabled = "yes"', "enabled: must be true or false"),
        ("[providers.p]", 'kind = "openapi"', "kind: must be one of 'openai' or 'embedded'"),
        ("[providers.p]", "label = 3", "label: must be a text in quotes"),
        ("[providers.p]", 'label = "two\\nlines"', "label: has characters"),
        (
            "[providers.q]",
            'base_url = "https://q.example"\napi_key_env = "MOA_KEY"',
            "api_key_env: names beginning with MOA_",
        ),
        ("[providers.p]", "extra_body = { stream = false }", "stream: is set by the app"),
        ("[providers.p]", "limits = 3", "limits: must be a table"),
        ("[providers.p.limits]", 'concurrency = "3"', "concurrency: must be a whole number without quotes"),
        ("[providers.p.limits]", "concurrency = 0", "concurrency: must be at least 1"),
        ("[providers.p.limits]", "concurrency = true", "concurrency: must be a whole number"),
        ("[providers.p.limits]", "concurrency = 1.5", "concurrency: must be a whole number"),
        ("[providers.p.timeouts]", "total_s = inf", "total_s: must be"),
        ("[providers.p.timeouts]", "total_s = nan", "total_s: must be"),
        ("[providers.p.timeouts]", "total_s = 0", "total_s: must be more than 0"),
        ("[providers.Bad]", 'base_url = "https://x"', "must be named with a-z"),
        ("[models.nothing]", "reasoning = true", 'must be named "PROVIDER/NAME"'),
        ('[models."opnai/x"]', "reasoning = true", 'there is no provider "opnai"; did you mean "openai"?'),
        ('[models."p/x"]', 'sha256 = "0"', "sha256: must be 64 hexadecimal digits"),
        ('[models."p/x"]', 'file = "a.gguf"', 'file: is for providers of kind = "embedded" alone'),
        ('[models."p/x"]', 'good_at = ["cooking"]', "good_at, entry 1: must be one of"),
        ('[models."embedded/x"]', "reasoning = true", "file: is missing"),
        ('[models."embedded/x"]', 'wheel = "w"', "wheel_file: is missing beside wheel"),
        ('[models."embedded/x"]', 'hub_repo = "a/b"', "hub_file: is missing beside hub_repo"),
        (
            '[models."embedded/x"]',
            'wheel_file = "../../etc/passwd"',
            "wheel_file: must be a file inside the wheel",
        ),
        ("[recipes.r]", "layers = 7", "layers: must be at most 6"),
        ("[recipes.r]", "layers = 1", "layers: 1 is the aggregator alone"),
        ("[recipes.r]", "temperature = 2.1", "temperature: must be at most 2"),
        ("[recipes.r]", "quorum = 3", "quorum: is 3, with 2 proposers"),
        ("[recipes.r]", 'prompt_style = "plain"', "prompt_style: must be one of"),
        ("[recipes.r]", "fallbacks = [3]", "fallbacks, entry 1: must be a table"),
        ("[recipes.r]", 'fallbacks = ["gpt-4o"]', "model: must be PROVIDER/NAME"),
        (
            "[recipes.r]",
            'fallbacks = ["togther/x"]',
            'there is no provider "togther"; did you mean "together"?',
        ),
        ("[recipes.r]", 'fallbacks = ["embedded/smolm2"]', f'did you mean "{SMOL}"?'),
        ("[recipes.r]", 'fallbacks = ["anthropic/nothing"]', 'there is no model "anthropic/nothing"; '),
        ("[recipes.r]", 'fallbacks = [{ model = "p/m", count = 2 }]', "count: has no use here"),
        ("[recipes.r]", f'system = "{"x" * 8001}"', "system: must have at most 8000 characters"),
        ("[recipes.r]", 'layer = [{ proposers = ["p/m"] }]', "layer: can't stand beside proposers"),
        ("[recipes.custom]", 'title = "x"\naggregator = "p/m"', "this name is kept for mixtures"),
        ("[recipes.s]", 'title = "x"\naggregator = "p/m"\nlayers = 2', "proposers: is missing"),
        (
            "[recipes.s]",
            """title = "x"
            aggregator = "p/m"
            proposers = [{ model = "p/m", count = 7 }, { model = "p/a", count = 6 }]""",
            "proposers: are 13 with their counts; a layer takes at most 12",
        ),
    ],
)
def test_F34_a_wrong_value(tmp_path: Path, table: str, line: str, problem: str) -> None:
    headers = re.findall(r"^\[.*\]$", OWN, re.MULTILINE)
    text = OWN.replace(table, f"{table}\n{line}") if table in headers else f"{OWN}\n{table}\n{line}\n"
    told = refused(tmp_path, text)
    assert problem in told
    assert told.startswith(table.replace(".limits]", "").replace(".timeouts]", "").rstrip("]"))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("default_recipe = local\n", "line 1, column 18: "),
        ("[providers.p\n", "line 1, column 13: "),
        ("a = 1\na = 2\n", "line 2, column 6: "),
        ('x = "never ends', ""),
        ("a = " + "[" * 5000, ""),
    ],
)
def test_F34_broken_toml_names_line_and_column(tmp_path: Path, text: str, where: str) -> None:
    assert refused(tmp_path, text).startswith(where)


@pytest.mark.parametrize(
    "top", ["providers = 3", "recipes = []", 'caps = "x"', "default_recipe = 3", "models = true"]
)
def test_F34_a_table_that_is_none(tmp_path: Path, top: str) -> None:
    assert "must be a" in refused(tmp_path, top)


def test_F34_files_that_cannot_be_read(tmp_path: Path) -> None:
    for name, content in (("latin.toml", "# Schlüssel".encode("latin-1")), ("big.toml", b"#" * 1_000_002)):
        (tmp_path / name).write_bytes(content)
    for name in ("latin.toml", "big.toml", "missing.toml", "."):
        with pytest.raises(ConfigError) as caught:
            load_catalogue(tmp_path / name)
        assert caught.value.public.startswith(f"{tmp_path / name}: ")


def test_F34_all_problems_are_in_the_detail_each_on_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "[caps]\nturns = 0\nquestion_chars = 0\n")
    assert caught.value.public.endswith(" (1 more)")
    assert len(caught.value.detail.splitlines()) == 2


@pytest.mark.parametrize("key", ["default_recipe", "[providers.openai]", "[recipes.moa]"])
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_F34_garbled_shipped_text_never_escapes_as_anything_else(
    tmp_path: Path, key: str, data: st.DataObject
) -> None:
    """Any text laid into the shipped file either loads or is refused by the one error."""
    at = data.draw(st.integers(0, 400))
    start = DEFAULTS.read_text(encoding="utf-8").index(key)
    text = DEFAULTS.read_text(encoding="utf-8")
    garbled = (
        text[: start + at]
        + data.draw(st.text(max_size=8))
        + text[start + at + data.draw(st.integers(0, 40)) :]
    )
    own = tmp_path / "own.toml"
    own.write_text(garbled, encoding="utf-8", errors="replace")
    told = _problem(own)
    assert told is None or ("\n" not in told and told.startswith((f"{own}: ", "moa/defaults.toml: ")))


def _problem(own: Path) -> str | None:
    try:
        load_catalogue(own)
    except ConfigError as error:
        return error.public
    return None
