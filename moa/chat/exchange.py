"""Taking conversations along: out as Markdown or JSON, one or all, and in again, also from ChatGPT."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from moa.chat.archive import archive_stream, conversation_json, file_name
from moa.chat.imports import read
from moa.chat.markdown_export import conversation_markdown
from moa.chat.ports import UNVOTED, Conversations
from moa.chat.values import Actor, ConversationTree
from moa.core.errors import InputRefused, NotFound, StoreError
from moa.core.policy import Caps
from moa.core.times import utc_now

LabelOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Download:
    """A file to hand out, under a name that holds nothing of a user's."""

    name: str
    content: bytes


class Exchange:
    """Exports and imports. Raises NotFound for what is missing or another user's."""

    def __init__(self, store: Conversations, caps: Caps, now: Callable[[], dt.datetime] = utc_now) -> None:
        self._store, self._caps, self._now = store, caps, now

    async def download(
        self, actor: Actor, conversation_id: str, kind: Literal["md", "json"], label_of: LabelOf
    ) -> Download:
        """One conversation: the path shown, to read, or all of it with everything that was sent.

        Raises InputRefused to write what reads while a comparison of the path is hidden until the actor's vote.
        """
        name = file_name(self._now(), conversation_id, kind)
        if kind == "md":
            record = await self._store.load_conversation(actor, conversation_id)
            if any(turn.hidden for turn in record.turns):
                raise InputRefused(UNVOTED)
            text = await asyncio.to_thread(conversation_markdown, record, label_of)
            return Download(name, text.encode())
        tree = await self._store.load_tree(actor, conversation_id)
        return Download(name, await asyncio.to_thread(conversation_json, tree))

    async def archive(self, actor: Actor) -> tuple[str, AsyncIterator[bytes]]:
        """All conversations as one JSON document, piece by piece, and the file's name."""
        ids = await self._store.list_ids(actor)
        return file_name(self._now(), None, "json"), archive_stream(self._trees(actor, ids))

    async def take_in(self, actor: Actor, data: bytes) -> tuple[str, ...]:
        """Store the conversations of a file as the actor's own; their ids, in the file's order.

        All of them or none: what was stored before a StoreError is deleted again. Raises InputRefused before anything
        is stored.
        """
        trees = await asyncio.to_thread(read, data, now=self._now(), caps=self._caps)
        stored: list[str] = []
        try:
            for tree in trees:
                stored.append(await self._store.import_tree(actor, tree))  # noqa: PERF401 - what was stored is known
        except StoreError:
            with suppress(StoreError):
                for conversation_id in stored:
                    await self._store.delete_conversation(actor, conversation_id)
            raise
        return tuple(stored)

    async def _trees(self, actor: Actor, ids: Sequence[str]) -> AsyncIterator[ConversationTree]:
        for conversation_id in ids:
            try:
                yield await self._store.load_tree(actor, conversation_id)
            except NotFound:  # deleted while the others were written
                continue
