"""``python -m moa`` as a user starts it, with data and settings of the test's own."""

from __future__ import annotations

import asyncio
import errno
import os
import pty
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.app import ROOT
from tests.support.server import ProviderServer

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def settings(server: ProviderServer) -> str:
    """A MOA_CONFIG: two proposers and an aggregator with a spare one by default, or one model alone."""
    return f"""
        default_recipe = "duo"
        [providers.mock]
        label = "Mock"
        base_url = "{server.base_url}"
        retries = {{ attempts = 1 }}
        [models."mock/a"]
        label = "Model A"
        [models."mock/b"]
        label = "Model B"
        [models."mock/agg"]
        label = "Aggregator"
        [recipes.duo]
        title = "Duo"
        layers = 2
        proposers = ["mock/a", "mock/b"]
        aggregator = "mock/agg"
        fallbacks = ["mock/spare"]
        [recipes.alone]
        title = "Alone"
        layers = 1
        proposers = []
        aggregator = "mock/a"
    """


class Terminal:
    """Runs commands in ``folder``; none sees a key of the machine it runs on."""

    def __init__(self, folder: Path, server: ProviderServer, environ: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        config = folder / "moa.toml"
        config.write_text(settings(server), encoding="utf-8")
        clean = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        clean.pop("DATABASE_URL", None)
        self._environ = clean | {
            "MOA_DATA": str(self.data), "MOA_CONFIG": str(config), "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1",
            "TERM": "xterm", "COLUMNS": "100", **(environ or {}),
        }  # fmt: skip

    @property
    def data(self) -> Path:
        """Where the database is."""
        return self._folder / "data"

    async def run(self, *arguments: str, piped: str | None = None) -> Ended:
        """Run one to its end, with its output in pipes and ``piped`` or nothing on standard input."""
        process = await self.start(*arguments, stdin=DEVNULL if piped is None else PIPE)
        out, err = await process.communicate(None if piped is None else piped.encode())
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def start(self, *arguments: str, program: tuple[str, ...] = ("-m", "moa"), **streams: Any) -> Process:
        """Start one; pipes and no standard input unless ``streams`` say otherwise."""
        streams = {"stdin": DEVNULL, "stdout": PIPE, "stderr": PIPE, **streams}
        return await asyncio.create_subprocess_exec(
            sys.executable, *program, *arguments, cwd=self._folder, env=self._environ, **streams
        )

    async def open(self, *arguments: str) -> Pty:
        """Start one in a terminal of its own."""
        ours, theirs = pty.openpty()
        try:
            process = await self.start(
                *arguments, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
            )  # fmt: skip
        finally:
            os.close(theirs)
        return Pty(process, ours)


class Pty:
    """A command in a terminal, and all that was shown there so far."""

    def __init__(self, process: Process, ours: int) -> None:
        self.process, self._ours = process, ours
        self.raw = b""

    @property
    def shown(self) -> str:
        """As text, without what moves the cursor or colours."""
        return _SEQUENCE.sub("", self.raw.decode("utf-8", "replace")).replace("\r\n", "\n")

    async def until(self, words: str) -> None:
        """Read until the words have been shown."""
        while words not in self.shown:
            assert await asyncio.to_thread(self._read), f"{words!r} was not shown: {self.shown}"

    async def end(self) -> int:
        """Read to the end and give the exit code."""
        while await asyncio.to_thread(self._read):
            pass
        os.close(self._ours)
        return await self.process.wait()

    def _read(self) -> bytes:
        try:
            piece = os.read(self._ours, 65_536)
        except OSError as error:
            if error.errno != errno.EIO:  # how Linux says that the other side is closed
                raise
            return b""
        self.raw += piece
        return piece
