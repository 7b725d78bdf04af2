"""What the HTTP side needs of the rest; wired in ``app.py``."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from moa.chat.answering import Begun
from moa.chat.exchange import Download
from moa.chat.opinions import Judgement
from moa.chat.values import Actor, ConversationEntry, ConversationView, SearchHit, Share, Source, TurnView
from moa.core.domain import Message, Recipe
from moa.core.events import Event

LoadTurn = Callable[[Actor, str], Awaitable[TurnView]]
Render = Callable[[TurnView], Mapping[str, Any]]
LabelOf = Callable[[str], str]
RecipeFor = Callable[[str, Mapping[str, object] | None], Recipe | None]
"""The recipe for a model's name and what a request says of a mixture; None when there is no such model."""
Health = Callable[[], Awaitable[Mapping[str, str]]]


class Identify(Protocol):
    """Tells browsers apart; ``moa.ui.identity.Identity`` does."""

    def actor(self, cookies: Mapping[str, str]) -> Actor | None: ...

    def fresh_cookie(self, *, https: bool) -> str: ...


class Links(Protocol):
    """Links that let anyone read a conversation; ``moa.chat.library.Library`` has them."""

    async def share(self, actor: Actor, conversation_id: str, *, days: int) -> tuple[Share, str]: ...

    async def shares(self, actor: Actor, conversation_id: str) -> Sequence[Share]: ...

    async def revoke(self, actor: Actor, share_id: str) -> None: ...

    async def open_share(self, token: str) -> ConversationView: ...

    async def copy_share(self, actor: Actor, token: str) -> str: ...


class Shelf(Protocol):
    """What the list of conversations shows and changes; ``moa.chat.library.Library`` is one."""

    async def entries(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None, archived: bool = False
    ) -> Sequence[ConversationEntry]: ...

    async def search(self, actor: Actor, query: str, *, limit: int = 50, offset: int = 0) -> Sequence[SearchHit]: ...

    async def rename(self, actor: Actor, conversation_id: str, title: str) -> None: ...

    async def flag(
        self, actor: Actor, conversation_id: str, *, pinned: bool | None = None, archived: bool | None = None
    ) -> None: ...

    async def delete(self, actor: Actor, conversation_id: str) -> None: ...

    async def restore(self, actor: Actor, conversation_id: str) -> None: ...


class RenderPage(Protocol):
    """Makes the page's JSON of a part of the list; ``moa.ui.history.page`` does."""

    def __call__(
        self, entries: Sequence[ConversationEntry], *, limit: int, current: str | None
    ) -> Mapping[str, Any]: ...


class RenderHits(Protocol):
    """Makes the page's JSON of what a search found; ``moa.ui.history.hits`` does."""

    def __call__(self, found: Sequence[SearchHit], *, offset: int, limit: int) -> Mapping[str, Any]: ...


class Carrier(Protocol):
    """Takes conversations out and in; ``moa.chat.exchange.Exchange`` does."""

    async def download(
        self, actor: Actor, conversation_id: str, kind: Literal["md", "json"], label_of: LabelOf
    ) -> Download: ...

    async def archive(self, actor: Actor) -> tuple[str, AsyncIterator[bytes]]: ...

    async def take_in(self, actor: Actor, data: bytes) -> tuple[str, ...]: ...


class Keys(Protocol):
    """Knows whose a token is; the store does."""

    async def token_owner(self, told: str) -> Actor | None: ...


class Answers(Protocol):
    """Begins, shows and stops runs of programs; ``moa.chat.answering.Answering`` does."""

    async def begin(
        self,
        actor: Actor,
        *,
        messages: Sequence[Message],
        recipe: Recipe,
        source: Source,
        listener: Callable[[Event], None] | None = None,
    ) -> Begun: ...

    async def view(self, actor: Actor, run_id: str) -> TurnView: ...

    async def stop(self, actor: Actor, run_id: str) -> None: ...


class Offered(Protocol):
    """A model that can be asked. ``provider`` serves it, and ``needs`` the variable of a key that is missing."""

    @property
    def id(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def needs(self) -> str | None: ...


class Judges(Protocol):
    """Has models judge comparisons; ``moa.chat.judging.Judging`` does."""

    async def judge(self, actor: Actor, turn_id: str, model_id: str) -> Judgement: ...

    async def judgements(self, actor: Actor, turn_id: str) -> Sequence[tuple[Judgement, bool]]: ...


class Pickable(Protocol):
    """A model that can be picked. ``needs`` names the variable of a missing key."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def needs(self) -> str | None: ...
