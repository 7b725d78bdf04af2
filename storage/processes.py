"""Which process a run belongs to, and whether that one is known to be gone."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import uuid
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NUMBERS = Path("/proc/self/ns/pid")


def this_process() -> str:
    """A name for this process that no other one has had or will have: where it runs, its number, a random part."""
    return _named(os.getpid())


def is_gone(process: str | None) -> bool:
    """Whether the process of this name has certainly ended. False when that can't be known from here: it ran on
    another machine or in another container, or its number is in use again."""
    place, _, rest = (process or "").partition(".")
    number = rest.partition(".")[0]
    if place != _place() or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return process != this_process()
    return os.name == "posix" and not _exists(int(number))


@cache
def _named(number: int) -> str:  # by number: a forked child is another process
    return f"{_place()}.{number}.{secrets.token_hex(8)}"


@cache
def _place() -> str:
    """Tells apart where processes are numbered: the host, its boot and, on Linux, the namespace of the numbers."""
    try:
        where = f"{_BOOT.read_text(encoding='ascii')} {_NUMBERS.readlink()}"
    except OSError:
        where = str(uuid.getnode())
    return hashlib.sha256(f"{socket.gethostname()} {where}".encode()).hexdigest()[:16]


def _exists(number: int) -> bool:
    try:
        os.kill(number, 0)  # signal 0 asks only; Windows would end the process, so it isn't asked there
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True
