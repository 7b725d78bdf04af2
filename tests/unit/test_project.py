"""The files around the code say what is so."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from moa.config.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
PINNED = ("requirements.txt", "requirements-dev.txt", "requirements-model.txt")
PIN = re.compile(r"([a-z0-9-]+)==([0-9][\w.]*)(?: ; .+)?")
# Written in parts, or this file would be its own finding.
REGISTRIES = re.compile(r"\b(?:pypi|pythonhosted|deb\.debian)\." + r"org\b|\bnpm" + r"js\.(?:org|com)\b")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in read(name).splitlines():
        if not line.startswith("#"):
            match = PIN.fullmatch(line)
            assert match, f"{name}: {line!r} pins nothing"
            found.setdefault(match[1], []).append(match[2])
    return found


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def direct_dependencies() -> list[str]:
    held = project()
    return [
        *held["project"]["dependencies"],
        *(needed for extra in held["project"]["optional-dependencies"].values() for needed in extra),
        *held["dependency-groups"]["dev"],
    ]


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=;~ ]", requirement)[0].lower().replace("_", "-")


def front_matter() -> dict[str, str]:
    top = read("README.md").split("---\n")[1]
    return {key: value.strip('"') for key, value in re.findall(r"^(\w+): (.+)$", top, re.MULTILINE)}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".github/workflows/ci.yml", ".ci/run"])
def test_make_commands_that_are_named_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = re.findall(r"(?:^|`|run: |[A-Z]=\S+ )make((?: [a-z]+)+)", read(page), re.MULTILINE)
    words = {word for line in named for word in line.split()}
    assert words, "no make command found"
    assert words <= targets


def test_each_documented_command_of_make_has_a_line_of_help() -> None:
    named = set(re.findall(r"^make ([a-z]+)", read("CONTRIBUTING.md"), re.MULTILINE))
    assert named <= set(re.findall(r"^([a-z-]+):[^#\n]*## ", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_files_that_a_page_points_to_exist(page: str) -> None:
    text = re.sub(r"<!--.*?-->", "", read(page), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    named = re.findall(r"`((?:app\.py|moa/|storage\b|static\b|tests/|scripts/|\.ci/)[\w./-]*)`", text)
    assert [name for name in [*links, *named] if not (ROOT / name).exists()] == []


def test_each_direct_dependency_says_what_it_is_for() -> None:
    lines = read("pyproject.toml").splitlines()
    for requirement in direct_dependencies():
        at = next(i for i, line in enumerate(lines) if f'"{requirement}"' in line)
        assert re.search(r"# .{10}", lines[at]) or lines[at - 1].strip().startswith("# "), requirement


def test_each_direct_dependency_is_pinned() -> None:
    app, tests = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name_of(r) for r in project()["project"]["dependencies"]} <= app.keys()
    assert {name_of(r) for r in direct_dependencies()} <= tests.keys()


def test_the_tests_run_with_the_pins_of_the_app() -> None:
    app, tests = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name: tests.get(name) for name in app} == app


def test_pins_are_nothing_but_pins() -> None:
    for name in PINNED:
        assert pins(name)


def test_the_wheel_of_the_model_stays_out_of_what_is_installed_with_dependencies() -> None:
    model = pins("requirements-model.txt")
    assert not model.keys() & (pins("requirements.txt").keys() | pins("requirements-dev.txt").keys())


def test_a_space_installs_what_is_pinned() -> None:
    matter = front_matter()
    assert [matter["sdk_version"]] == pins("requirements.txt")["gradio"]
    assert (ROOT / matter["app_file"]).is_file()
    assert len(matter["short_description"]) <= 60  # more is refused when pushed
    # The extra gradio[mcp], which a Space adds to the same pip command, allows no pydantic above this one.
    assert "2.12.5" in pins("requirements.txt")["pydantic"]


def test_a_space_fetches_the_model_that_the_catalogue_names() -> None:
    models = tomllib.loads(read("moa/defaults.toml"))["models"]
    model = models["embedded/smollm2-135m-instruct"]
    assert f"\n  - {model['hub_repo']} {model['hub_file']}\n" in read("README.md")


def test_no_registry_is_named() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a font or picture
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in REGISTRIES.finditer(text)]
    assert found == []


def test_settings_of_the_example_are_known(tmp_path: Path) -> None:
    names = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", read(".env.example"), re.MULTILINE)
    assert {"MOA_HOST", "MOA_PORT", "MOA_DATA", "MOA_CONFIG", "DATABASE_URL"} <= set(names)
    example = tmp_path / ".env"
    example.write_text("".join(f"{name}=\n" for name in names), encoding="utf-8")
    load_settings({}, example)  # raises for a name that begins with MOA_ and means nothing


def test_settings_of_the_readme_stand_in_the_example() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", read("README.md"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert named
    assert named <= set(re.findall(r"^#?([A-Z_]+)=", read(".env.example"), re.MULTILINE))


def test_the_changelog_has_a_place_for_what_is_next() -> None:
    assert "\n## Unreleased\n" in read("CHANGELOG.md")


def test_the_licence_is_the_one_that_is_declared() -> None:
    assert "Apache License\n" in read("LICENSE")
    assert "Version 2.0, January 2004" in read("LICENSE")
    assert project()["project"]["license"] == "Apache-2.0"
    assert front_matter()["license"] == "apache-2.0"


@pytest.mark.parametrize("module", ["app.py", "assembly.py"])
def test_what_puts_the_rooms_together_leaves_each_library_to_its_room(module: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse(read(module))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    assert not imported & {"gradio", "openai", "sqlalchemy", "alembic"}
