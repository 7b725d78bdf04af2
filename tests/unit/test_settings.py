"""Settings: where they come from, what is refused, and that nothing secret is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from moa.config.settings import Settings, load_settings
from moa.core.errors import ConfigError

ROOT = Path(__file__).parents[2]


def refused(environ: dict[str, str], dotenv: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ, dotenv)
    assert "\n" not in caught.value.public
    return caught.value.public


def test_without_anything_the_documented_defaults_hold() -> None:
    settings = load_settings({}, None)
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 7860, Path("data"))
    assert settings.config is None
    assert settings.embedded_model is None
    assert settings.open_browser
    assert not settings.share
    assert (settings.allowed_hosts, settings.proxy_hops) == ((), 0)
    assert settings.database_url == f"sqlite:///{Path('data/moa.db').absolute().as_posix()}"


def test_every_setting_is_read() -> None:
    settings = load_settings(
        {
            "MOA_HOST": "0.0.0.0",
            "MOA_PORT": " 0 ",
            "MOA_DATA": "/srv/moa",
            "MOA_CONFIG": "/etc/moa.toml",
            "MOA_EMBEDDED_MODEL": "/models/a.gguf",
            "MOA_OPEN_BROWSER": "No",
            "MOA_SHARE": "1",
            "MOA_ALLOWED_HOSTS": "Chat.example.org, *.example.net,",
            "MOA_PROXY_HOPS": "2",
        },
        None,
    )
    assert settings.host == "0.0.0.0"
    assert settings.port == 0
    assert settings.config == Path("/etc/moa.toml")
    assert settings.embedded_model == Path("/models/a.gguf")
    assert not settings.open_browser
    assert settings.share
    assert settings.allowed_hosts == ("chat.example.org", "*.example.net")
    assert settings.proxy_hops == 2
    assert settings.database_url == "sqlite:////srv/moa/moa.db"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@db/moa", "postgresql+psycopg://u:p@db/moa"),
        ("postgresql://u:p@db/moa", "postgresql+psycopg://u:p@db/moa"),
        ("postgresql+psycopg://u:p@db/moa", "postgresql+psycopg://u:p@db/moa"),
        ("sqlite:////srv/x.db", "sqlite:////srv/x.db"),
    ],
)
def test_a_database_url_names_the_driver_that_is_installed(given: str, used: str) -> None:
    assert load_settings({"DATABASE_URL": given}, None).database_url == used


def test_the_environment_wins_over_dotenv_even_when_empty(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text('MOA_PORT=9000\nMOA_HOST=0.0.0.0\nA_KEY="a$b${HOME}"\nB_KEY=b\n')
    settings = load_settings({"MOA_PORT": "9001", "B_KEY": ""}, dotenv)
    assert (settings.port, settings.host) == (9001, "0.0.0.0")
    assert settings.environ["A_KEY"] == "a$b${HOME}"
    assert settings.environ["B_KEY"] == ""


def test_an_empty_variable_counts_as_unset_and_a_missing_dotenv_is_fine(tmp_path: Path) -> None:
    assert load_settings({"MOA_PORT": "", "DATABASE_URL": " "}, tmp_path / ".env") == load_settings(
        {"MOA_PORT": "", "DATABASE_URL": " "}, None
    )
    assert load_settings({"MOA_PORT": ""}, None).port == 7860


def test_a_space_says_host_and_port_in_gradios_words_and_ours_come_first() -> None:
    space = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": "7000"}
    settings = load_settings(space, None)
    assert (settings.host, settings.port) == ("0.0.0.0", 7000)
    assert load_settings({**space, "MOA_PORT": "7001"}, None).port == 7001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOA_HOST", "http://localhost"),
        ("MOA_HOST", "local host"),
        ("MOA_PORT", "70000"),
        ("MOA_PORT", "-1"),
        ("MOA_PORT", "7860.0"),
        ("MOA_PORT", "\uff17"),
        ("MOA_DATA", "a\0b"),
        ("MOA_CONFIG", "~nobody-of-that-name/x.toml"),
        ("MOA_OPEN_BROWSER", "maybe"),
        ("MOA_SHARE", "2"),
        ("MOA_ALLOWED_HOSTS", "a.example,http://b.example"),
        ("MOA_PROXY_HOPS", "11"),
        ("GRADIO_SERVER_PORT", "many"),
    ],
)
def test_F34_a_wrong_setting_names_variable_value_and_what_to_do(name: str, value: str) -> None:
    line = refused({name: value})
    assert line.startswith(f"{name}={value!r}: ")
    assert len(line) > len(f"{name}={value!r}: ") + 10


@pytest.mark.parametrize("url", ["mysql://root:hunter2@db/x", "hunter2", "postgresql://", "sqlite:hunter2"])
def test_F34_a_wrong_database_url_is_not_repeated(url: str) -> None:
    line = refused({"DATABASE_URL": url})
    assert line.startswith("DATABASE_URL: use sqlite:///")
    assert "hunter2" not in line


def test_F34_an_unknown_setting_of_ours_is_refused_with_the_likely_one() -> None:
    assert refused({"MOA_PROT": "1"}) == "MOA_PROT: no such setting; did you mean MOA_PORT?"
    assert "known are MOA_HOST" in refused({"MOA_ZZZZZZZZZ": "1"})
    load_settings({"MOA_TESTS_REQUIRE_ALL": "1", "MOANA": "1"}, None)


@pytest.mark.parametrize(
    "content", [b"MOA_PORT=1\nnot a variable sk-hunter2\n", b'A="never ends sk-hunter2\n']
)
def test_F34_a_broken_dotenv_line_is_named_by_number_only(tmp_path: Path, content: bytes) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(content)
    line = refused({}, dotenv)
    assert re.search(r"\.env: line \d: ", line)
    assert "hunter2" not in line


def test_F34_a_dotenv_in_another_encoding_is_refused(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes("A_KEY=Schlüssel".encode("latin-1"))
    assert "UTF-8" in refused({}, dotenv)


def test_the_repr_shows_no_secret() -> None:
    settings = load_settings(
        {"OPENAI_API_KEY": "sk-hunter2", "DATABASE_URL": "postgresql://u:hunter2@db/x"}, None
    )
    assert settings.environ["OPENAI_API_KEY"] == "sk-hunter2"
    assert "hunter2" not in repr(settings)


def test_settings_stay_as_they_were_read() -> None:
    environ = {"OPENAI_API_KEY": "one"}
    settings = load_settings(environ, None)
    environ["OPENAI_API_KEY"] = "two"
    assert settings.environ["OPENAI_API_KEY"] == "one"
    with pytest.raises(TypeError, match="item assignment"):
        settings.environ["OPENAI_API_KEY"] = "three"  # type: ignore[index]
    with pytest.raises(AttributeError):
        settings.port = 1  # type: ignore[misc]


def test_the_example_file_lists_every_setting_with_a_comment_and_its_default(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = re.findall(r"^# .+\n#([A-Z_]+)=", text, re.MULTILINE)
    assert {*listed} >= {
        "MOA_HOST", "MOA_PORT", "MOA_DATA", "MOA_CONFIG", "DATABASE_URL", "MOA_EMBEDDED_MODEL",
        "MOA_OPEN_BROWSER", "MOA_SHARE", "MOA_ALLOWED_HOSTS", "MOA_PROXY_HOPS",
    }  # fmt: skip
    filled = tmp_path / ".env"
    filled.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE), encoding="utf-8")
    settings = load_settings({}, filled)
    assert (settings.host, settings.port, settings.data_dir) == (
        Settings().host,
        Settings().port,
        Path("data"),
    )
