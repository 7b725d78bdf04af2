"""Settings from the environment and ``.env``: read once at start, checked, then frozen.

Names that begin with ``MOA_`` belong to the app, and an unknown one is an error rather than a setting that
silently does nothing. ``MOA_TEST…`` is left to the test suite. An empty variable counts as unset. Nothing is
interpolated: a ``$`` in ``.env`` is a dollar sign.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from dotenv.parser import parse_stream

from moa.core.errors import ConfigError

T = TypeVar("T")

_NAMES = (
    "MOA_HOST", "MOA_PORT", "MOA_DATA", "MOA_CONFIG", "MOA_EMBEDDED_MODEL", "MOA_OPEN_BROWSER", "MOA_SHARE",
    "MOA_ALLOWED_HOSTS", "MOA_PROXY_HOPS", "MOA_TITLES", "MOA_MCP",
)  # fmt: skip
_SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_DATABASES = {"sqlite": "sqlite", "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg",
              "postgresql+psycopg": "postgresql+psycopg"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator set. ``environ`` is the environment with ``.env`` beneath it; keys are found there.

    ``environ`` and the database's URL hold secrets, so neither is part of the repr.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    data_dir: Path = Path("data")
    config: Path | None = None
    embedded_model: Path | None = None
    open_browser: bool = True
    share: bool = False
    allowed_hosts: tuple[str, ...] = ()
    proxy_hops: int = 0
    titles: bool = True
    mcp: bool = False
    database: str | None = field(default=None, repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def database_url(self) -> str:
        """SQLAlchemy's URL of the database: ``DATABASE_URL``, else ``moa.db`` in the data directory."""
        return self.database or f"sqlite:///{(self.data_dir / 'moa.db').absolute().as_posix()}"


def load_settings(environ: Mapping[str, str], dotenv: Path | None) -> Settings:
    """Read the settings; the environment wins over ``dotenv``, which need not exist. Creates nothing.

    Raises ConfigError with one line: variable, value, what to do. Values that may hold a secret are left out.
    """
    merged = {**_read_dotenv(dotenv), **environ}
    _refuse_unknown(merged)
    read = _Reader(merged)
    return Settings(
        host=read("MOA_HOST", _host, read("GRADIO_SERVER_NAME", _host, "127.0.0.1")),
        port=read("MOA_PORT", _port, read("GRADIO_SERVER_PORT", _port, 7860)),
        data_dir=read("MOA_DATA", _path, Path("data")),
        config=read("MOA_CONFIG", _path, None),
        embedded_model=read("MOA_EMBEDDED_MODEL", _path, None),
        open_browser=read("MOA_OPEN_BROWSER", _switch, True),
        share=read("MOA_SHARE", _switch, False),
        allowed_hosts=read("MOA_ALLOWED_HOSTS", _hosts, ()),
        proxy_hops=read("MOA_PROXY_HOPS", _hops, 0),
        titles=read("MOA_TITLES", _switch, True),
        mcp=read("MOA_MCP", _switch, False),
        database=read("DATABASE_URL", _database, None, secret=True),
        environ=MappingProxyType(merged),
    )


class _Reader:
    """Reads one variable at a time and turns a ValueError of its parser into the one line."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __call__(self, name: str, parse: Callable[[str], T], default: T, *, secret: bool = False) -> T:
        text = self._environ.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as wrong:
            shown = "" if secret else f"={text[:80]!r}"
            raise ConfigError(f"{name}{shown}: {wrong}") from None


def _read_dotenv(path: Path | None) -> dict[str, str]:
    """The variables of ``.env``. A broken line is named by its number and not repeated: it may hold a key."""
    if path is None or not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); check its permissions") from None
    for binding in bindings:
        if binding.error:
            raise ConfigError(f"{path}: line {binding.original.line}: is not NAME=value; mend or delete it")
    return {b.key: b.value for b in bindings if b.key and b.value is not None}


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if name.startswith("MOA_") and not name.startswith("MOA_TEST") and name not in _NAMES:
            near = difflib.get_close_matches(name, _NAMES, n=1)
            advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(_NAMES)}"
            raise ConfigError(f"{name}: no such setting; {advice}")


def _host(text: str) -> str:
    if not (_HOST.fullmatch(text) or _is_address(text)):
        raise ValueError("is no host name or IP address; use 127.0.0.1 for this machine alone")
    return text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _port(text: str) -> int:
    return _whole(text, 65_535, "a port number from 1 to 65535 (0 takes any free one)")


def _hops(text: str) -> int:
    return _whole(text, 10, "the number of proxies in front of the app, 0 to 10")


def _whole(text: str, most: int, wanted: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > most:
        raise ValueError(f"use {wanted}")
    return int(text)


def _path(text: str) -> Path:
    if "\0" in text:
        raise ValueError("is not a path; remove the NUL character")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # "~name" of a user that this machine doesn't have
        raise ValueError("names a home directory that does not exist; write the whole path") from None


def _switch(text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError("use 1 for yes or 0 for no") from None


def _hosts(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    for name in names:
        if name != "*" and not _HOST.fullmatch(name.removeprefix("*.")) and not _is_address(name):
            raise ValueError("use host names with commas between them, e.g. chat.example.org,*.example.net")
    return names


def _database(text: str) -> str:
    scheme, colon, rest = text.partition("://")
    if not colon or scheme not in _DATABASES or not rest:
        raise ValueError("use sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
    return f"{_DATABASES[scheme]}://{rest}"
