"""The child process that serves one GGUF model: ``python -m moa.providers.embedded_child``.

It reads its settings as one line of JSON from standard input, writes one line of JSON to standard output (the
address, or what is wrong), and serves until standard input ends. That end, and on Linux the parent's death
signal, is how it goes with its parent, however that one ended. Imports nothing heavy: it starts in 0.1 s.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

_PR_SET_PDEATHSIG = 1  # prctl(2)
_NICENESS = 10  # at this value three busy streams delay the parent's event loop by 4 ms at most
_PROMPT_CACHE_MIB = 128
_ANSWER_TOKENS = 1024  # where the request sets no limit: small models may repeat themselves for ever
_QUIET = 2  # errors and warnings


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """What a child is told. ``context_tokens`` is of all slots together."""

    model_file: str
    alias: str
    api_key: str
    slots: int
    context_tokens: int
    threads: int
    parent_pid: int

    def line(self) -> bytes:
        """One line of JSON. Holds the key: for the pipe only."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> ChildSettings:
        """The inverse of ``line``. Raises ValueError, TypeError."""
        return cls(**json.loads(line))


def main() -> int:
    """Serve until the parent is gone; the exit code is 1 when the model can't be served."""
    report = _own_stdout()
    settings = ChildSettings.parse(sys.stdin.buffer.readline())
    _follow_parent(settings.parent_pid)
    if sys.platform != "win32":  # there the parent chooses the priority
        os.nice(_NICENESS)
    try:
        server = _serve(settings)
    except ImportError as error:
        return _tell(report, {"error": "not_installed", "detail": str(error)})
    except (RuntimeError, ValueError, OSError) as error:
        return _tell(report, {"error": "not_loaded", "detail": str(error)})
    _tell(report, {"address": server.listening_address})
    sys.stdin.buffer.read()
    os._exit(0)  # nothing to save, and the native server's own farewell may wait for an answer under way


def _own_stdout() -> BinaryIO:
    """The real standard output for the report; native code that prints goes to standard error instead."""
    report = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return report


def _tell(report: BinaryIO, what: dict[str, Any]) -> int:
    try:
        report.write(json.dumps(what).encode() + b"\n")
        report.close()
    except OSError:  # nobody is left to read it
        os._exit(0)
    return 0 if "address" in what else 1


def _follow_parent(parent_pid: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which may finish its runs first
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # it died before the line above
            os._exit(0)


def _serve(settings: ChildSettings) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(Path(settings.model_file))
    params.model_alias = {settings.alias}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys = [settings.api_key]
    params.n_parallel, params.n_ctx = settings.slots, settings.context_tokens
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads
    params.n_threads_http = 2 * settings.slots + 2
    params.n_predict = _ANSWER_TOKENS
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.fit_params = False  # the parent has reckoned what fits
    params.ui = params.endpoint_slots = params.endpoint_metrics = params.endpoint_props = False
    params.cors_origins, params.cors_credentials = "", False
    params.verbosity = _QUIET
    return xllamacpp.Server(params)


if __name__ == "__main__":
    sys.exit(main())
