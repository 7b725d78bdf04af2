"""What the service needs of a store. Implemented by ``storage``; every operation takes the actor.

All raise ``StoreBusy``/``StoreReadOnly`` when nothing could be saved, and ``NotFound`` for an id that is
missing or another user's: in the same words, by the same query.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from moa.chat.opinions import Judgement, JudgementRecord, VotedProposal, VoteRecord
from moa.chat.values import (
    Actor,
    ConversationEntry,
    ConversationRecord,
    ConversationTree,
    NewTurn,
    RunRecord,
    SavedCall,
    SearchHit,
    Share,
    Token,
    TurnRecord,
)
from moa.core.domain import Agent, LeftOut, Message, Outcome, Recipe, RunResult, Slot

STALE_S = 10.0
"""A run whose last heartbeat is longer ago is taken for dead: seconds, several times what a busy store delays one."""

BEING_WRITTEN = "An answer is being written here: stop it first."
"""What Busy says where a conversation has a run under way."""

UNVOTED = "Vote first: a link or a Markdown file tells which answer is whose."
"""What InputRefused says of a path with a comparison that is hidden until its owner has voted."""


class Conversations(Protocol):
    """Reading and keeping order."""

    async def list_conversations(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None, archived: bool = False
    ) -> Sequence[ConversationEntry]:
        """Those that are archived, or those that aren't, newest first by last change.

        Those of the HTTP API are left out, here, in ``list_ids`` and in ``search``.
        ``before`` (the last entry's ``updated_at``) pages. The first page begins with all that are pinned; the
        ``limit`` counts the others. Entries of the same moment as a page's last come with it, so that none is lost
        between pages.
        """
        ...

    async def list_ids(self, actor: Actor) -> Sequence[str]:
        """All conversations by id, newest first, also the archived ones."""
        ...

    async def search(self, actor: Actor, query: str, *, limit: int = 50, offset: int = 0) -> Sequence[SearchHit]:
        """Conversations that hold every word of the query in one place, whatever its case: title, question,
        answer or proposal. ``"Words in quotes"`` are one. Titles first, then newest first."""
        ...

    async def load_conversation(self, actor: Actor, conversation_id: str) -> ConversationRecord:
        """The path shown, each turn with all its runs' results and outcomes."""
        ...

    async def load_tree(self, actor: Actor, conversation_id: str) -> ConversationTree:
        """All branches with all runs and the messages that were sent."""
        ...

    async def import_tree(self, actor: Actor, tree: ConversationTree) -> str:
        """Store a tree as a new conversation under new ids; returns its id. All text is cleaned.

        A run without a result becomes interrupted, and no comparison is blind: whoever had it may know the names.
        Raises InputRefused when the turns don't make a tree with runs; how large they may be is the caller's to bound.
        """
        ...

    async def load_turn(self, actor: Actor, turn_id: str) -> TurnRecord: ...

    async def load_turn_of_run(self, actor: Actor, run_id: str) -> TurnRecord: ...

    async def show_run(self, actor: Actor, turn_id: str, run_id: str) -> None:
        """Let the path go through another attempt at a turn, of its first column."""
        ...

    async def show_turn(self, actor: Actor, turn_id: str) -> None:
        """Let the path go through a turn, and below it on to the newest of each turn's children."""
        ...

    async def rename_conversation(self, actor: Actor, conversation_id: str, title: str) -> None: ...

    async def suggest_title(self, actor: Actor, conversation_id: str, title: str) -> None:
        """A title written by a model; nothing changes once the user has given one."""
        ...

    async def set_flags(
        self, actor: Actor, conversation_id: str, *, pinned: bool | None = None, archived: bool | None = None
    ) -> None:
        """Pin or archive, or undo it; None leaves a flag as it is."""
        ...

    async def delete_conversation(self, actor: Actor, conversation_id: str) -> None: ...

    async def restore_conversation(self, actor: Actor, conversation_id: str) -> None:
        """Undo a deletion, for a day after it; then NotFound."""
        ...

    async def purge_deleted(self, older_than: dt.timedelta) -> int:
        """Remove for good what any user deleted longer ago. Returns how many conversations."""
        ...

    async def delete_everything(self, actor: Actor) -> None:
        """Remove the actor and all they own, at once and for good. Runs under way must have been stopped."""
        ...


class Shares(Protocol):
    """Links to read a conversation without an account. A link's token is told once and stored only as a hash."""

    async def create_share(self, actor: Actor, conversation_id: str, *, expires_at: dt.datetime) -> tuple[Share, str]:
        """A link to the path as it stands, and its token. Later turns, attempts and titles don't show in it.

        The path ends before a turn that has no finished run yet, in any column; InputRefused when nothing is left, and
        ``UNVOTED`` while a turn of the path is hidden.
        """
        ...

    async def list_shares(self, actor: Actor, conversation_id: str) -> Sequence[Share]:
        """All links of a conversation, newest first, also those that have expired or were revoked."""
        ...

    async def revoke_share(self, actor: Actor, share_id: str) -> None:
        """End a link at once; again is no error."""
        ...

    async def open_share(self, token: str) -> ConversationRecord:
        """What a link shows: each turn with the one run shown then, in each column, without votes. NotFound alike for a
        token that is wrong, expired or revoked, and while the conversation is deleted."""
        ...

    async def copy_share(self, actor: Actor, token: str) -> str:
        """Copy what a link shows to a conversation of the actor's own; returns its id. NotFound as ``open_share``."""
        ...


class Tokens(Protocol):
    """Keys with which programs use the HTTP API as their owner. Told once and stored only as a hash."""

    async def create_token(self, actor: Actor, name: str) -> tuple[Token, str]:
        """A key, and what to send for it. Raises InputRefused for a name that is empty or too long."""
        ...

    async def list_tokens(self, actor: Actor) -> Sequence[Token]:
        """All keys of the actor, newest first, also revoked ones."""
        ...

    async def revoke_token(self, actor: Actor, token_id: str) -> None:
        """End a key at once; again is no error."""
        ...

    async def token_owner(self, told: str) -> Actor | None:
        """Whose key this is; None for one that is wrong or revoked."""
        ...


class Votes(Protocol):
    """What users think of comparisons: one vote for each of their own, and nobody else's."""

    async def vote(self, actor: Actor, turn_id: str, choice: str) -> None:
        """Store a vote, or change it: ``TIE``, ``BAD`` or the run shown in a column, by id; NotFound for another one.

        It counts as blind when it is the first of a blind comparison: that one reveals the names. Raises InputRefused
        where there is nothing to compare, or an answer is still being written.
        """
        ...

    async def tag(self, actor: Actor, turn_id: str, tags: Sequence[str]) -> None:
        """Put these tags, as they are, in place of those of a vote. Raises InputRefused where there is no vote yet."""
        ...

    async def list_votes(self, actor: Actor) -> Sequence[VoteRecord]:
        """All votes of the actor with the runs they were about, oldest first; not those of deleted conversations."""
        ...

    async def voted_proposals(self, actor: Actor, run_ids: Collection[str]) -> Mapping[str, Sequence[VotedProposal]]:
        """What the answers of these runs were written from, by run: the texts of the last layer below the answer's that
        has any, by position. Runs without any are left out, and so are missing and foreign ones."""
        ...


class Judgements(Protocol):
    """What models think of comparisons, kept apart from votes: one judgement for each user, comparison and judge."""

    async def save_judgement(self, actor: Actor, judgement: Judgement) -> None:
        """Store one, in place of that judge's earlier one. NotFound when a side is no run of the turn."""
        ...

    async def judgements_of(self, actor: Actor, turn_id: str) -> Sequence[Judgement]:
        """Those of a turn, oldest first."""
        ...

    async def list_judgements(self, actor: Actor) -> Sequence[JudgementRecord]:
        """All of the actor with what they were about, oldest first; not those of deleted conversations."""
        ...


class Journal(Protocol):
    """Writing a run down as it happens. Each call is one transaction, committed when it returns."""

    async def begin_turn(self, actor: Actor, new: NewTurn) -> tuple[TurnRecord, bool]:
        """Store question and the runs of all columns before any model is called. Returns the turn, and False when
        ``request_key`` had been stored before (then nothing is written). Raises Conflict when the head has moved, and
        Busy for a branch while a run is under way in the conversation, wherever; one that is dead is ended first.
        """
        ...

    async def begin_run(
        self,
        actor: Actor,
        turn_id: str,
        recipe: Recipe,
        *,
        seed: int,
        request_key: str,
        reuse: Mapping[Slot, Outcome] | None = None,
        column: int = 1,
    ) -> tuple[RunRecord, bool]:
        """Another attempt at a turn; becomes the one shown in its column. ``reuse`` are outcomes taken over as they
        are. Raises Busy as ``begin_turn``, and NotFound for a column that isn't there."""
        ...

    async def begin_call(
        self, actor: Actor, run_id: str, slot: Slot, agent: Agent, messages: Sequence[Message], left_out: LeftOut
    ) -> None:
        """One slot is about to be called: if the process dies, what it was asked is known."""
        ...

    async def save_call(self, actor: Actor, run_id: str, call: SavedCall) -> None:
        """One slot has ended."""
        ...

    async def checkpoint(self, actor: Actor, run_id: str, growing: Mapping[Slot, str]) -> bool:
        """Texts that have grown, as far as they have come, and the run's heartbeat. Returns whether the run is to
        stop: another process was asked to stop it, or took it for dead and has begun another attempt.

        A run that was taken for dead and has no successor is under way again.
        """
        ...

    async def ask_to_stop(self, actor: Actor, run_id: str) -> bool:
        """Have the process that carries a run out stop it at its next checkpoint. Returns whether it still runs.

        A dead run is ended as interrupted at once.
        """
        ...

    async def end_run(self, actor: Actor, run_id: str, result: RunResult) -> None:
        """The run is over, also one that was taken for dead meanwhile. Committed before anyone is told."""
        ...

    async def recover(self, *, stale_s: float = STALE_S, alive: Collection[str] = ()) -> int:
        """Runs that a dead process left running become interrupted. Returns how many. At any time, by any process.

        Dead is what a process carried out that is known to be gone, and what had no heartbeat for ``stale_s``.
        ``alive`` are the runs of this process, whose heartbeat may only be late.
        """
        ...
