"""Takes secrets out of texts before anyone may read them."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "[secret]"
_SHORTEST = 4  # a shorter value would mask ordinary words
_PATTERNS = re.compile(
    r"(?i:\b(?:bearer|basic)\s+)[\w.~+/=*-]{6,}"
    r"|\b(?:sk|pk|rk|csk|xai|pplx|nvapi|fw)[-_][\w*.-]{8,}"
    r"|\b(?:hf|gsk|tgp|r8|ghp|gho|github_pat)_[\w*-]{6,}"
    r"|\bAIza[\w*-]{10,}"
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Redactor:
    """Masks the configured secret values and whatever looks like a provider's key or an Authorization value."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text with each secret replaced by ``[secret]``."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _PATTERNS.sub(MASK, text)

    def excerpt(self, text: str, limit: int = 300) -> str:
        """One line for a log: redacted first, control characters made spaces, then cut to ``limit`` characters."""
        line = _CONTROLS.sub(" ", self(text)).strip()
        return line if len(line) <= limit else line[:limit] + "…"
