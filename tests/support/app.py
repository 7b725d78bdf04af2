"""The whole app in a process of its own, on a free port, with data and settings of the test's own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ENDS_WITHIN_S = 40
_SAYS_WITHIN_S = 30


class App:
    """``python app.py``. ``folder`` holds its data; ``own`` is the text of its MOA_CONFIG.

    The process sees no provider keys of the machine it runs on, and no ``.env``: it works in ``folder``.
    """

    def __init__(self, folder: Path, own: str = "", environ: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._environ = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        self._environ |= {
            "MOA_DATA": str(folder / "data"), "MOA_PORT": "0", "MOA_OPEN_BROWSER": "0", "PYTHONUNBUFFERED": "1",
            "HF_HUB_OFFLINE": "1", "MOA_TITLES": "0", **(environ or {}),
        }  # fmt: skip
        if own:
            config = folder / "moa.toml"
            config.write_text(own, encoding="utf-8")
            self._environ["MOA_CONFIG"] = str(config)
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    @property
    def log(self) -> str:
        """What it wrote to standard error so far."""
        return (self._folder / "stderr.txt").read_text(encoding="utf-8")

    @property
    def pid(self) -> int | None:
        """The number of the process, while it runs."""
        return self._process.pid if self._process else None

    def wait_for_log(self, words: str) -> bool:
        """Whether it wrote these words to standard error; waits for that until it ends or half a minute is over."""
        ends_at = time.monotonic() + _SAYS_WITHIN_S
        while words not in self.log and time.monotonic() < ends_at:
            try:
                self._process.wait(timeout=0.05) if self._process else None
            except subprocess.TimeoutExpired:
                continue
        return words in self.log

    def start(self, command: tuple[str, ...] = ()) -> None:
        """Start, and return when it has told its address."""
        with (self._folder / "stderr.txt").open("a", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py"), *command], cwd=self._folder, env=self._environ,
                stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"the app did not start: {line}{self.log}"
        self.url = found.group(0)

    def tell(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(how)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and give its exit code; a second call does nothing."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            process.communicate(timeout=_ENDS_WITHIN_S)
        finally:
            process.kill()
        return process.returncode

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, for commands and for settings that keep it from starting."""
        return subprocess.run(
            [sys.executable, str(ROOT / "app.py"), *arguments], cwd=self._folder, env=self._environ,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
