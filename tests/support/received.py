"""What the test server saw of a request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """One request. ``headers`` are lower-case and hold no key; ``used_key`` tells which one came."""

    index: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    json: Mapping[str, Any]
    key_sha256: str | None

    @property
    def model(self) -> str:
        """The model asked for, or ""."""
        return str(self.json.get("model", ""))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages sent."""
        return list(self.json.get("messages") or [])

    def used_key(self, key: str) -> bool:
        """Whether the request was authorised by exactly this key."""
        return self.key_sha256 == hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def read(cls, index: int, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Received:
        """From the parts of a request."""
        lower = {name.lower(): value for name, value in headers.items()}
        auth = lower.pop("authorization", None)
        key = None if auth is None else auth.removeprefix("Bearer ")
        digest = None if key is None else hashlib.sha256(key.encode()).hexdigest()
        try:
            parsed = json.loads(body) if body else {}
        except ValueError:
            parsed = {}
        return cls(index, method, path, lower, body, parsed if isinstance(parsed, dict) else {}, digest)
