"""Reads the head of a GGUF file: enough to tell what a model will need, without the native library.

Format: the GGUF specification of ggml, versions 2 and 3, little-endian. A file is untrusted: every length is
checked against what is left of it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from moa.core.domain import FailureKind
from moa.core.errors import FinalCall

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_F16_BYTES = 2


@dataclass(frozen=True, slots=True)
class GgufHead:
    """What a model's memory follows from. Unknown parts are None."""

    file_bytes: int
    context_tokens: int | None = None
    kv_bytes_per_token: int | None = None


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def take(self, count: int) -> bytes:
        if count > self._size - self._file.tell():
            raise ValueError("the head goes on after the file's end")
        return self._file.read(count)

    def scalar(self, kind: int) -> Any:
        layout = _SCALARS[kind]
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def text(self) -> str:
        return self.take(self.scalar(10)).decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.scalar(kind)
        kind, count = self.scalar(4), self.scalar(10)
        if kind == _STRING:
            for _ in range(count):
                self.text()
            return None
        layout = _SCALARS[kind]
        raw = self.take(count * struct.calcsize(layout))
        return [item for (item,) in struct.iter_unpack(layout, raw)] if count <= 4096 else None


def check_magic(path: Path) -> None:
    """Raises FinalCall when the file can't be read or is no GGUF file."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise _refused(f"The model file {path} can't be read. Check its path and its rights.", error) from error
    if magic != b"GGUF":
        raise _refused(f"{path} is not a GGUF model file. Name a chat model's .gguf file.", None)


def read_head(path: Path) -> GgufHead:
    """Read a file's head; blocks for up to a tenth of a second. Raises FinalCall with what is wrong with it."""
    check_magic(path)
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            return _head(_metadata(_Reader(file, size)), size)
    except (ValueError, KeyError, struct.error) as error:
        public = f"The model file {path.name} is damaged or cut short. Delete it and get it again."
        raise _refused(public, error) from error
    except OSError as error:
        raise _refused(f"The model file {path} can't be read. Check its path and its rights.", error) from error


def _refused(public: str, error: Exception | None) -> FinalCall:
    return FinalCall(FailureKind.NOT_READY, public=public, detail=str(error or ""))


def _metadata(reader: _Reader) -> dict[str, Any]:
    reader.take(4)
    if reader.scalar(4) not in (2, 3):
        raise ValueError("not a version of GGUF that is in use")
    reader.take(8)  # the count of tensors
    found: dict[str, Any] = {}
    for _ in range(reader.scalar(10)):
        key = reader.text()
        if key.startswith("tokenizer.") and any(k.endswith(".block_count") for k in found):
            break  # writers put the architecture first: no need to walk through the vocabulary
        found[key] = reader.value(reader.scalar(4))
    return found


def _head(found: dict[str, Any], size: int) -> GgufHead:
    def number(key: str) -> int | None:
        value = found.get(f"{found.get('general.architecture')}.{key}")
        if isinstance(value, list):  # one for each block
            value = max(value, default=None)
        return value if isinstance(value, int) and value > 0 else None

    return GgufHead(size, number("context_length"), _kv_bytes(number))


def _kv_bytes(number: Any) -> int | None:
    blocks, heads, width = number("block_count"), number("attention.head_count"), number("embedding_length")
    if not (blocks and heads and width):
        return None
    kv_heads = number("attention.head_count_kv") or heads
    key = number("attention.key_length") or width // heads
    value = number("attention.value_length") or width // heads
    return int(blocks * kv_heads * (key + value) * _F16_BYTES)
