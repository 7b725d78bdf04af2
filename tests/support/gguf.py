"""Writes small GGUF heads, as a real file begins."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

Value = str | int | list[str] | list[int]

LLAMA: Mapping[str, Value] = {
    "general.architecture": "llama",
    "llama.context_length": 8192,
    "llama.embedding_length": 576,
    "llama.block_count": 30,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
}


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _entry(key: str, value: Value) -> bytes:
    if isinstance(value, str):
        return _text(key) + struct.pack("<I", 8) + _text(value)
    if isinstance(value, int):
        return _text(key) + struct.pack("<II", 4, value)
    if value and isinstance(value[0], str):
        return _text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_text(str(v)) for v in value)
    return _text(key) + struct.pack("<IIQ", 9, 4, len(value)) + b"".join(struct.pack("<I", v) for v in value)


def head(entries: Mapping[str, Value] = LLAMA, *, version: int = 3) -> bytes:
    """The bytes of a file with these metadata and no tensors."""
    start = b"GGUF" + struct.pack("<IQQ", version, 0, len(entries))
    return start + b"".join(_entry(key, value) for key, value in entries.items())


def write(path: Path, size: int = 0) -> Path:
    """A file that begins like a model and has ``size`` bytes (sparse)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(head())
        file.truncate(max(size, file.tell()))
    return path
