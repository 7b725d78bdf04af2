"""One child process that serves one model: started, watched, ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, cast

from moa.core.domain import FailureKind
from moa.core.errors import FinalCall
from moa.providers.embedded_child import ChildSettings

if sys.platform == "win32":
    _FLAGS = subprocess.BELOW_NORMAL_PRIORITY_CLASS
else:
    _FLAGS = 0  # the child lowers its own

_MODULE = "moa.providers.embedded_child"
_SOURCES = Path(__file__).resolve().parents[2]
_TAIL_LINES, _LINE_BYTES = 40, 400
_PRIVATE = ("KEY", "TOKEN", "SECRET", "PASSWORD", "DATABASE_URL")
_SPIN = {"GOMP_SPINCOUNT": "1000"}
"""How long a thread of the child spins for the others before it sleeps. libgomp's default suits a machine of its own:
beside two busy processes it made 3 tokens/s, this 12 to 27, since nobody spins for a thread that is paused. On a quiet
machine (two cores) this makes 90 of the default's 94."""

_NOT_INSTALLED = "The package xllamacpp is missing. Run `make setup`, then start the app again."
_OLD_CPU = "This processor lacks instructions (AVX2) that the embedded model needs. Use another provider."
_REASONS = (  # what the native library prints, and what it means
    ("unknown model architecture", "This kind of model is not known to the installed xllamacpp. Choose another file."),
    ("invalid magic", "The file is not a GGUF model. Name a chat model's .gguf file."),
    ("file bounds", "The model file is cut short. Delete it and get it again."),
    ("failed to read", "The model file is damaged. Delete it and get it again."),
    ("failed to allocate", "There is not enough memory for this model. Close other programs or choose a smaller one."),
    ("No such file", "The model file is gone. Get it again."),
)
_UNKNOWN = "The model file can't be loaded. Get it again, or choose another one."


class ModelProcess(Protocol):
    """A running child. ``address`` is its root URL on loopback."""

    address: str

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        ...

    async def stop(self) -> None:
        """End it and give back its pipes. May be called again."""
        ...


class Crashed(Exception):
    """A child ended by a signal before it was ready; the text is its last output, for the operator."""


class ChildProcess:
    """A ``ModelProcess`` of the operating system. ``tail`` keeps its last output, bounded."""

    def __init__(self, process: Process) -> None:
        self.pid = process.pid
        self.address = ""
        self._process = process
        self._stdin = cast(StreamWriter, process.stdin)  # all three are pipes: see launch
        self._stdout = cast(StreamReader, process.stdout)
        self._stderr = cast(StreamReader, process.stderr)
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._drain = asyncio.create_task(self._read_output(), name="embedded model output")

    @property
    def tail(self) -> str:
        """The last lines that the native code printed: never on the app's own console."""
        return "\n".join(self._tail)

    async def introduce(self, settings: ChildSettings) -> None:
        """Hand over the settings and wait for the child's report. Raises FinalCall, Crashed."""
        with suppress(ConnectionError):  # it died at once: its exit code says more
            self._stdin.write(settings.line())
            await self._stdin.drain()
        report = await self._stdout.readline()
        if not report:
            raise await self._early_end()
        said: dict[str, Any] = json.loads(report)
        if "address" not in said:
            await self._drain
            raise _load_failure(said, self.tail)
        self.address = said["address"]

    async def wait(self) -> int:
        """See ModelProcess."""
        code = await self._process.wait()
        await self._drain
        return code

    async def stop(self) -> None:
        """See ModelProcess. Kills: the child holds nothing that needs saving."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._stdin.close()
        await self.wait()

    async def _early_end(self) -> Exception:
        code = await self.wait()
        if sys.platform != "win32" and code == -signal.SIGILL:
            return FinalCall(FailureKind.NOT_READY, public=_OLD_CPU, detail=self.tail)
        return Crashed(f"exit code {code} while loading\n{self.tail}")

    async def _read_output(self) -> None:
        while chunk := await self._stderr.read(4096):
            for line in chunk.decode("utf-8", "replace").splitlines():
                self._tail.append(line[:_LINE_BYTES])


async def launch(settings: ChildSettings) -> ChildProcess:
    """Start a child and wait until its model is loaded.

    Raises FinalCall when it never will be, Crashed when it ended by itself, OSError when no process can be
    made. Cancelling ends the child.
    """
    # A session of its own: Ctrl+C in a terminal reaches a whole group, and the child is to end with its parent only.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", _MODULE,
        stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_environment(os.environ),
        creationflags=_FLAGS,
        start_new_session=os.name == "posix",
    )  # fmt: skip
    child = ChildProcess(process)
    try:
        await child.introduce(settings)
    except BaseException:  # also cancellation: the child may not outlive the attempt
        await child.stop()
        raise
    return child


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """The app's environment without its secrets, with this package importable from any directory."""
    kept = {name: value for name, value in given.items() if not any(word in name.upper() for word in _PRIVATE)}
    paths = [str(_SOURCES), *filter(None, [given.get("PYTHONPATH")])]
    return _SPIN | kept | {"PYTHONPATH": os.pathsep.join(paths)}


def _load_failure(said: Mapping[str, Any], tail: str) -> FinalCall:
    if said.get("error") == "not_installed":
        public = _NOT_INSTALLED
    else:
        public = next((text for sign, text in _REASONS if sign in tail), _UNKNOWN)
    return FinalCall(FailureKind.NOT_READY, public=public, detail=f"{said.get('detail')}\n{tail}")
