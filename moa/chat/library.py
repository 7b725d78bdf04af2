"""Conversations as things to keep: found, named, pinned, archived, deleted, shared by a link and copied from one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace

from moa.chat.runs import Runs, Store
from moa.chat.values import Actor, ConversationEntry, ConversationView, SearchHit, Share, TurnRecord, TurnView
from moa.core.errors import InputRefused
from moa.core.text import clean
from moa.core.times import utc_now

TITLE_CHARS = 200
SHARE_DAYS = (1, 7, 30, 365)


class Library:
    """The other half of the chat's door. Every method takes the actor, but for a link's reader, who needs none.

    Raises NotFound for what is missing or another user's, and StoreError when nothing was saved.
    """

    def __init__(self, store: Store, runs: Runs, now: Callable[[], dt.datetime] = utc_now) -> None:
        self._store, self._runs, self._now = store, runs, now

    async def entries(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None, archived: bool = False
    ) -> Sequence[ConversationEntry]:
        """A page of the history, newest first; ``before`` is the last entry's ``updated_at``. Pinned ones stand on
        the first page, before all others."""
        return await self._store.list_conversations(actor, limit=limit, before=before, archived=archived)

    async def search(self, actor: Actor, query: str, *, limit: int = 50, offset: int = 0) -> Sequence[SearchHit]:
        """Conversations that hold every word of the query in a title, question, answer or proposal."""
        return await self._store.search(actor, query, limit=limit, offset=offset)

    async def rename(self, actor: Actor, conversation_id: str, title: str) -> None:
        """Give a conversation another title. Raises InputRefused."""
        title = " ".join(clean(title).split())
        if not 0 < len(title) <= TITLE_CHARS:
            raise InputRefused(f"A title has 1 to {TITLE_CHARS} characters.")
        await self._store.rename_conversation(actor, conversation_id, title)

    async def flag(
        self, actor: Actor, conversation_id: str, *, pinned: bool | None = None, archived: bool | None = None
    ) -> None:
        """Pin or archive, or undo it; None leaves a flag as it is."""
        await self._store.set_flags(actor, conversation_id, pinned=pinned, archived=archived)

    async def delete(self, actor: Actor, conversation_id: str) -> None:
        """Delete a conversation; what is under way in it is stopped first."""
        for live in self._runs.all_in_conversation(actor, conversation_id):
            await self._runs.stop(live)
        await self._store.delete_conversation(actor, conversation_id)

    async def restore(self, actor: Actor, conversation_id: str) -> None:
        """Undo a deletion, for a day after it."""
        await self._store.restore_conversation(actor, conversation_id)

    # -- links

    async def share(self, actor: Actor, conversation_id: str, *, days: int) -> tuple[Share, str]:
        """A link to the path as it stands, good for so many days, and its token, which is told this once.

        Raises InputRefused for days other than ``SHARE_DAYS``, when nothing is answered yet, and while a comparison of
        the path is hidden until the actor's vote.
        """
        if isinstance(days, bool) or days not in SHARE_DAYS:
            raise InputRefused(f"A link is good for {', '.join(map(str, SHARE_DAYS))} days.")
        expires_at = self._now() + dt.timedelta(days=days)
        return await self._store.create_share(actor, conversation_id, expires_at=expires_at)

    async def shares(self, actor: Actor, conversation_id: str) -> Sequence[Share]:
        """The links of a conversation that still work, newest first."""
        found = await self._store.list_shares(actor, conversation_id)
        return [share for share in found if not share.revoked and share.expires_at > self._now()]

    async def revoke(self, actor: Actor, share_id: str) -> None:
        """End a link at once."""
        await self._store.revoke_share(actor, share_id)

    async def open_share(self, token: str) -> ConversationView:
        """What a link shows. NotFound alike for a token that is wrong, expired or revoked."""
        found = await self._store.open_share(token)
        turns = tuple(self._stored(turn) for turn in found.turns)
        return ConversationView(found.id, found.title, found.head, turns)

    async def copy_share(self, actor: Actor, token: str) -> str:
        """Copy what a link shows to the actor's own conversations; returns the copy's id."""
        return await self._store.copy_share(actor, token)

    def _stored(self, turn: TurnRecord) -> TurnView:
        columns = tuple(self._runs.stored(turn, run) for run in turn.columns)
        return replace(self._runs.stored(turn), columns=columns)
