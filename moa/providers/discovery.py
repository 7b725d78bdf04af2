"""Which chat models a ``GET /models`` answer lists. Pure; reads every provider's dialect, skips what it can't read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moa.core.domain import Model, Price

MOST_MODELS = 2000

_ID = re.compile(r"[\w.:/@+~-]{1,160}", re.ASCII)
_NOT_CHAT = re.compile(
    r"embed|whisper|dall-?e|image|moderation|rerank|audio|realtime|transcri|speech|diffusion|orpheus|lyria|davinci"
    r"|babbage|turbo-instruct|deep-research"
    r"|(?:^|[-_/.])(?:tts|bge|e5|gte|clip|ocr|aqa|veo|sora|flux|video|live|guard|codex)(?:$|[-_/.:\d])",
    re.IGNORECASE,
)
_REASONING = re.compile(r"(?:^|/)o[134](?:-|$)|gpt-5|gpt-oss|reason|thinking|deepseek-r\d|qwq|magistral", re.IGNORECASE)
_CHAT_TYPES = {"chat", "llm", "vlm", "model"}
_CONTEXT_NAMES = (
    "loaded_context_length", "context_length", "context_window", "max_model_len", "max_context_length",
    "max_input_tokens", "inputTokenLimit", "n_ctx",
)  # fmt: skip


def models_in(listing: Any, provider: str) -> tuple[Model, ...]:
    """The chat models, sorted by id, at most ``MOST_MODELS``. Prices and windows where the list tells them."""
    found: dict[str, Model] = {}
    for entry in _entries(listing):
        model = _model(entry, provider)
        if model is not None:
            found.setdefault(model.id, model)
    return tuple(sorted(found.values(), key=lambda model: model.id)[:MOST_MODELS])


def _entries(listing: Any) -> Iterator[Mapping[str, Any]]:
    """OpenAI wraps the list in ``data``, Ollama and Google in ``models``, Together sends it bare."""
    if isinstance(listing, dict):
        listing = listing.get("data") or listing.get("models")
    if isinstance(listing, list):
        yield from (entry for entry in listing if isinstance(entry, dict))


def _model(entry: Mapping[str, Any], provider: str) -> Model | None:
    name = entry.get("id") or entry.get("name")
    if not isinstance(name, str):
        return None
    name = name.removeprefix("models/")
    if not _ID.fullmatch(name) or not _is_chat(name, entry):
        return None
    return Model(
        id=f"{provider}/{name}",
        provider=provider,
        wire_name=name,
        label=_label(entry, name),
        context_tokens=_context(entry),
        price=_price(entry.get("pricing")),
        reasoning=_reasons(name, entry),
    )


def _is_chat(name: str, entry: Mapping[str, Any]) -> bool:
    kind = entry.get("type")
    if isinstance(kind, str) and kind not in _CHAT_TYPES:
        return False
    if _mapping(entry, "capabilities").get("completion_chat") is False or entry.get("active") is False:
        return False
    outputs = _mapping(entry, "architecture").get("output_modalities")
    if isinstance(outputs, list) and outputs != ["text"]:
        return False
    return _NOT_CHAT.search(name) is None


def _label(entry: Mapping[str, Any], name: str) -> str:
    for key in ("display_name", "name"):
        label = entry.get(key)
        if isinstance(label, str) and label.isprintable() and 0 < len(label) <= 80:
            return label.removeprefix("models/")
    return name


def _context(entry: Mapping[str, Any]) -> int | None:
    for source in (entry, _mapping(entry, "meta")):
        for name in _CONTEXT_NAMES:
            tokens = source.get(name)
            if type(tokens) is int and 0 < tokens < 10**9:
                return tokens
    return None


def _price(pricing: Any) -> Price | None:
    """OpenRouter: dollars a token as text, where 0 means free. Together: dollars a million, where 0 means unknown."""
    if not isinstance(pricing, dict):
        return None
    if "prompt" in pricing:
        return _price_of(pricing.get("prompt"), pricing.get("completion"), 1e12)
    price = _price_of(pricing.get("input"), pricing.get("output"), 1e6)
    return price if price != Price(0, 0) else None


def _price_of(given: Any, taken: Any, scale: float) -> Price | None:
    try:
        amounts = [round(float(amount) * scale) for amount in (given, taken)]
    except (TypeError, ValueError, OverflowError):
        return None
    return Price(*amounts) if all(0 <= amount < 10**10 for amount in amounts) else None


def _reasons(name: str, entry: Mapping[str, Any]) -> bool:
    parameters = entry.get("supported_parameters")
    if isinstance(parameters, list):
        return "reasoning" in parameters
    return _mapping(entry, "capabilities").get("reasoning") is True or _REASONING.search(name) is not None


def _mapping(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}
