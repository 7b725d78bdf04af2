"""Files that a user brings: our own exports and ChatGPT's ``conversations.json``, told apart by what is in them.

Nothing in a file is trusted: it may choose no id and no owner, every text is cleaned, every number and length is
bounded. Models that a recipe names need not exist any more: it is history.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NoReturn

import orjson

from moa.chat import archive_import, chatgpt_import
from moa.chat.archive_shape import ARCHIVE, CONVERSATION, VERSION
from moa.chat.trees import Bounds, Broken
from moa.chat.values import ConversationTree
from moa.core.errors import InputRefused
from moa.core.policy import Caps
from moa.core.text import clean, first_words

NOT_JSON = "This file can't be read: it is not JSON. Choose a JSON export of MoA Chat or ChatGPT's conversations.json."
NOT_OURS = (
    "This file is neither a JSON export of MoA Chat nor ChatGPT's conversations.json. Choose one of these; "
    "a Markdown export can't be imported."
)
ZIP = "This is a ZIP file: unpack it, then import the conversations.json in it."
NEWER = "This file was made by a newer version of MoA Chat: update first."
EMPTY = "There is no conversation in this file."

_CONVERSATIONS = 10_000
_SENT_CHARS = 256_000_000  # of a whole file
_SENT_FACTOR = 50  # messages of calls, as texts again, per byte of a file: 200 turns of four calls have 20 to 35

_Take = Callable[[Any], ConversationTree | None]


def read(data: bytes, *, now: dt.datetime, caps: Caps = Caps()) -> tuple[ConversationTree, ...]:
    """All conversations of a file, for ``Store.import_tree``; ``now`` stands for times that ChatGPT left out.

    Takes about a second for each 10 MB, so it belongs in a thread; the caller bounds the size of ``data``. Raises
    InputRefused in one sentence; then nothing of the file is to be taken.
    """
    bounds = Bounds.of(caps)
    document = _parsed(data)
    if isinstance(document, dict) and isinstance(document.get("format"), str):
        sent = archive_import.Sent(min(_SENT_FACTOR * len(data), _SENT_CHARS))
        found = _ours(document)
        take: _Take = partial(_own_tree, bounds=bounds, sent=sent)
    elif chatgpt_import.recognised(document):
        found = document if isinstance(document, list) else [document]
        take = partial(chatgpt_import.conversation_tree, bounds=bounds, now=now)
    else:
        raise InputRefused(EMPTY if document == [] else NOT_OURS)
    if len(found) > _CONVERSATIONS:
        raise InputRefused(f"A file can hold at most {_CONVERSATIONS:,} conversations; this one has {len(found):,}.")
    trees = tuple(_taken(found, take))
    if not trees:
        raise InputRefused(EMPTY)
    return trees


def _ours(document: dict[str, Any]) -> list[Any]:
    """The conversations' documents."""
    if document["format"] == CONVERSATION:
        return [document]
    _check(document, ARCHIVE)
    conversations = document.get("conversations")
    if not isinstance(conversations, list):
        raise InputRefused("This archive is broken: it has no list of conversations.")
    return conversations


def _check(document: Mapping[str, Any], kind: str) -> None:
    """Raises InputRefused unless the document is of a kind and version that are known here."""
    found, version = document.get("format"), document.get("version")
    if not str(found).startswith("moa-chat/"):
        raise InputRefused(NOT_OURS)
    if type(version) is not int or version < 1:
        raise InputRefused("This file is broken: it doesn't say which version of the format it has.")
    if version > VERSION or found not in (CONVERSATION, ARCHIVE):
        raise InputRefused(NEWER)
    if found != kind:
        raise InputRefused("This archive is broken: it holds something else than conversations.")


def _own_tree(raw: object, *, bounds: Bounds, sent: archive_import.Sent) -> ConversationTree:
    if not isinstance(raw, dict):
        raise Broken("it is no conversation")
    _check(raw, CONVERSATION)
    return archive_import.conversation_tree(raw, bounds, sent)


def _taken(found: list[Any], take: _Take) -> Iterator[ConversationTree]:
    """The trees of a file's conversations; each raw one is let go of once it is read."""
    total = len(found)
    for number in range(total):
        raw, found[number] = found[number], None
        try:
            tree = take(raw)
        except Broken as broken:
            raise InputRefused(f"{_called(raw, number + 1, total)} can't be imported: {broken}.") from broken
        if tree is not None:
            yield tree


def _called(raw: object, number: int, total: int) -> str:
    title = raw.get("title") if isinstance(raw, dict) else None
    named = f' "{first_words(title)}"' if isinstance(title, str) and title.strip() else ""
    return f"Conversation {number} of {total}{named}" if total > 1 else f"The conversation{named}"


# -- JSON


def _parsed(data: bytes) -> Any:
    """The document, its texts cleaned. Raises InputRefused."""
    if data.startswith(b"PK\x03\x04"):
        raise InputRefused(ZIP)
    if not data.strip():
        raise InputRefused("This file is empty.")
    try:
        document = orjson.loads(data)
    except ValueError:
        document = _parsed_gently(data)
    return _tidied(document)


def _parsed_gently(data: bytes) -> Any:
    """Python's own parser takes what orjson refuses and files have: byte order marks, UTF-16, half an emoji."""
    try:
        return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputRefused(NOT_JSON) from error


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _tidied(document: Any) -> Any:
    """The same document, changed in place, without recursion: its depth is the sender's choice."""
    holder = [document]
    todo: list[Any] = [holder]
    while todo:
        container = todo.pop()
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(value, str):
                container[key] = clean(value)
            elif isinstance(value, dict | list):
                todo.append(value)
    return holder[0]
