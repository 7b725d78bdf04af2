"""Catalogue files for tests: one that is right, and how to load or be refused one."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa.config.catalogue import load_catalogue
from moa.core.catalogue import Catalogue
from moa.core.errors import ConfigError

SMOL = "embedded/smollm2-135m-instruct"

OWN = """
default_recipe = "r"
[providers.p]
base_url = "https://p.example/v1"
api_key_env = "P_API_KEY"
[models."p/m"]
price = { input = 1.0, output = 2.0 }
[recipes.r]
title = "R"
proposers = ["p/m", { model = "p/m" }]
aggregator = "p/m"
"""
"""A small file that is right as it stands."""


def load(folder: Path, text: str, *, embedded_file: str | None = None) -> Catalogue:
    """The shipped catalogue with ``text`` as the operator's own file ``own.toml``."""
    own = folder / "own.toml"
    own.write_text(text, encoding="utf-8")
    return load_catalogue(own, embedded_file=embedded_file)


def refused(folder: Path, text: str) -> str:
    """Why ``text`` is refused: one line, which begins with the file's name (cut off here)."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    line = caught.value.public
    assert "\n" not in line
    assert line.startswith(f"{folder / 'own.toml'}: ")
    assert caught.value.__cause__ is None
    return line.removeprefix(f"{folder / 'own.toml'}: ")
