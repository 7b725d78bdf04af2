"""nginx with the repository's configuration, on a free port, in a folder of the test's own.

Where there is none, tests are skipped with the command that installs one, and fail when ``MOA_TESTS_REQUIRE_ALL=1``.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
MISSING = "no nginx found; install one: apt install nginx-light"
_PLACES = ("/usr/sbin/nginx", "/usr/local/sbin/nginx")
_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def find_nginx() -> str:
    """The path of an nginx, else a skip."""
    found = next((place for place in (shutil.which("nginx"), *_PLACES) if place and Path(place).is_file()), None)
    if found is None:
        (pytest.fail if os.environ.get("MOA_TESTS_REQUIRE_ALL") == "1" else pytest.skip)(MISSING)
    return found


class Nginx:
    """In front of apps at these addresses. Only addresses and folders differ from the configuration as it stands."""

    def __init__(self, folder: Path, apps: Sequence[str]) -> None:
        text = CONFIGURATION.read_text(encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            here = f"127.0.0.1:{free.getsockname()[1]}"
        changes = {"listen 80;": f"listen {here};"}
        changes |= {f"app{number}:7860": urlsplit(app).netloc for number, app in enumerate(apps, 1)}
        changes["http {"] = "http {" + "".join(f" {kind}_temp_path {folder}/{kind};" for kind in _KINDS)
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        self.url = f"http://{here}"
        user = "user root;" if os.geteuid() == 0 else ""  # else its workers may not enter the folder
        self._command = [
            find_nginx(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.txt"),
            "-g", f"pid {folder}/pid; {user}",
        ]  # fmt: skip

    def start(self) -> None:
        """Return once it listens."""
        subprocess.run(self._command, check=True, timeout=30)

    def stop(self) -> None:
        """End it."""
        subprocess.run([*self._command, "-s", "stop"], check=True, timeout=30)
