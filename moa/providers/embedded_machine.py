"""What this machine has to give: processor cores and memory, as far as containers let us see."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_MOST_THREADS = 8  # small models gain nothing from more, and the app wants its share


def threads(root: Path = Path("/")) -> int:
    """Threads to compute with: the physical cores this process may use, within its cgroup's quota (v2)."""
    cores = _physical_cores(root)
    quota = _cpu_quota(root)
    return max(1, min(cores, _MOST_THREADS, quota or cores))


def _physical_cores(root: Path) -> int:
    if sys.platform == "linux":
        allowed = os.sched_getaffinity(0)
        siblings = {_siblings(root, cpu) for cpu in allowed}
        return len(siblings) if len(siblings) > 1 else min(2, len(allowed))
    logical = os.cpu_count() or 1
    return logical if logical <= 4 else logical // 2


def _siblings(root: Path, cpu: int) -> str:
    """Threads of one core have the same list; without one each counts as a core."""
    listed = root / f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
    return _read(listed) or f"cpu{cpu}"


def _cpu_quota(root: Path) -> int | None:
    quotas = []
    for folder in _cgroups(root):
        quota, _, period = (_read(folder / "cpu.max") or "max").partition(" ")
        if quota.isdecimal() and period.isdecimal():
            quotas.append(max(1, math.ceil(int(quota) / int(period))))
    return min(quotas, default=None)


def available_memory_bytes(root: Path = Path("/")) -> int | None:
    """Memory that can be taken without swapping, or None where the system doesn't tell.

    Linux: MemAvailable, or what the cgroup (v2) leaves if that is less. Windows: available physical memory.
    macOS tells no such figure to Python: half of what is built in.
    """
    if sys.platform == "win32":
        return _windows_available()
    if sys.platform != "linux":
        return _half_of_all()
    left = [value for folder in _cgroups(root) if (value := _cgroup_left(folder)) is not None]
    free_kib = _figure(root / "proc/meminfo", "MemAvailable:")
    return min([*left, free_kib * 1024] if free_kib is not None else left, default=None)


def _cgroups(root: Path) -> Iterator[Path]:
    """This process's own cgroup and those above it: each may set a limit."""
    mount = root / "sys/fs/cgroup"
    for line in (_read(root / "proc/self/cgroup") or "").splitlines():
        if line.startswith("0::/"):
            own = mount / line[4:]
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(mount))


def _cgroup_left(folder: Path) -> int | None:
    limit, used = _read(folder / "memory.max"), _read(folder / "memory.current")
    if not (limit and limit.isdecimal() and used and used.isdecimal()):
        return None
    cached = _figure(folder / "memory.stat", "inactive_file") or 0  # the kernel drops these when memory is asked for
    return max(0, int(limit) - int(used) + cached)


def _figure(table: Path, name: str) -> int | None:
    """The number beside ``name`` in a file of such lines."""
    rows = (line.split() for line in (_read(table) or "").splitlines())
    return next((int(row[1]) for row in rows if row[:1] == [name]), None)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _half_of_all() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError):
        return None


def _windows_available() -> int | None:
    if sys.platform != "win32":
        return None
    import ctypes

    class MemoryStatus(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong) for name in ("total", "available", "d", "e", "f", "g", "h")
        ]

    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    found = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.available) if found else None
