"""What one message in ChatGPT's ``conversations.json`` says to a reader.

OpenAI documents no format; this is what its exports hold as of 2026. Whatever isn't as expected is passed over.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moa.chat.markdown_quotes import fenced

_LATEST_S = 32_503_680_000  # the year 3000, in seconds since 1970
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}")
# Private characters around what the page draws itself: citations, and names with a card, whose text is kept.
_MARK = re.compile("\ue200([^\ue200\ue201]*)\ue201")
_NAMED = re.compile(r'entity\ue202\["[^"]*",\s*"([^"]*)"')
_MARK_PARTS = re.compile("[\ue200-\ue206]")
_UNSEEN = ("thoughts", "reasoning_recap", "user_editable_context", "model_editable_context")
_AUDIO = "[audio]"
_THOUGHT = ("summary", "content")
_SHOWN_TOOLS = ("python", "canmore")  # what is written for others is a search or an order, not text for the reader


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the user or the model. ``thought`` is what a model thought aloud; ``stopped``: by the user."""

    is_question: bool
    text: str
    thought: str = ""
    model: str | None = None
    at: dt.datetime | None = None
    stopped: bool = False
    cut: bool = False


def said_in(message: object) -> Said | None:
    """What a node's message says; None for what ChatGPT's page hides: system, tools, other hidden messages."""
    if not isinstance(message, dict):
        return None
    role, metadata = _map(message, "author").get("role"), _map(message, "metadata")
    if role not in ("user", "assistant") or metadata.get("is_visually_hidden_from_conversation") is True:
        return None
    content, at = _map(message, "content"), moment(message.get("create_time"))
    if role == "user":
        text = "\n\n".join(filter(None, (_text(content), *_files(metadata))))
        return Said(True, text, at=at) if text else None
    ended = _map(metadata, "finish_details").get("type")
    return Said(
        False, _answer(content, message.get("recipient")), _thought(content), model_name(metadata.get("model_slug")),
        at, stopped=ended == "interrupted", cut=ended == "max_tokens",
    )  # fmt: skip


def moment(value: object) -> dt.datetime | None:
    """Seconds since 1970 as a time; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LATEST_S:
        return None
    return dt.datetime.fromtimestamp(value, dt.UTC)


def model_name(slug: object) -> str | None:
    """A model's name as ChatGPT writes it; None for what is none."""
    return slug if isinstance(slug, str) and _MODEL.fullmatch(slug) else None


def _answer(content: Mapping[str, Any], recipient: object) -> str:
    if recipient in (None, "", "all"):
        return _text(content)
    shown = isinstance(recipient, str) and recipient.partition(".")[0] in _SHOWN_TOOLS
    return fenced(_bare(content), _language(content)) if shown and _bare(content) else ""


def _text(content: Mapping[str, Any]) -> str:
    kind = content.get("content_type")
    if kind in _UNSEEN:
        return ""
    text = _bare(content)
    return fenced(text, _language(content)) if kind == "code" and text else text


def _bare(content: Mapping[str, Any]) -> str:
    parts = content.get("parts")
    texts = _parts(parts) if isinstance(parts, list) else [_string(content.get(key)) for key in ("text", "result")]
    return _without_marks("\n\n".join(filter(None, texts))).strip()


def _parts(parts: list[Any]) -> list[str]:
    texts = [part if isinstance(part, str) else _part(part) for part in parts if isinstance(part, str | dict)]
    heard = any(text.strip() and text != _AUDIO for text in texts)  # then a transcript says what the audio does
    return [text for text in texts if not (heard and text == _AUDIO)]


def _part(part: Mapping[str, Any]) -> str:
    """A part's text, or what it is in a word: the files themselves aren't in ``conversations.json``."""
    text, kind = _string(part.get("text")), _string(part.get("content_type"))
    return text or next((f"[{word}]" for word in ("image", "audio", "video") if word in kind), "[file]")


def _files(metadata: Mapping[str, Any]) -> Iterator[str]:
    """The names of files sent along; images are parts of the message already."""
    attachments = metadata.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        if isinstance(attachment, dict) and not _string(attachment.get("mime_type")).startswith("image/"):
            name = " ".join(_string(attachment.get("name")).split())[:200]
            if name:
                yield f"[file: {name}]"


def _thought(content: Mapping[str, Any]) -> str:
    thoughts = content.get("thoughts")
    if content.get("content_type") != "thoughts" or not isinstance(thoughts, list):
        return ""
    lines = [_string(thought.get(key)) for thought in thoughts if isinstance(thought, dict) for key in _THOUGHT]
    return "\n\n".join(filter(None, lines))


def _language(content: Mapping[str, Any]) -> str:
    language = _string(content.get("language"))
    return "" if language == "unknown" else language


def _without_marks(text: str) -> str:
    return _MARK_PARTS.sub("", _MARK.sub(_named, text))


def _named(mark: re.Match[str]) -> str:
    named = _NAMED.match(mark[1])
    return named[1] if named else ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _map(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}
