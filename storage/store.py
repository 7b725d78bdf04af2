"""The store: what ``moa.chat.ports`` asks for, handed to the database's threads."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence

from moa.chat.opinions import Judgement, JudgementRecord, VotedProposal, VoteRecord
from moa.chat.ports import STALE_S
from moa.chat.values import (
    BAD,
    TIE,
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
from moa.core.errors import InputRefused, StoreError
from moa.core.times import utc_now
from storage import beginning, branches, journal, judgements, listing, reading, recovery, shares, tokens, trees, votes
from storage import search as searching
from storage.database import Database
from storage.fresh import NewRun
from storage.ids import checked_id, checked_key
from storage.processes import this_process


class SqlStore:
    """Implements ``moa.chat.ports``. ``open_store`` makes it. Ids are checked before any query.

    ``process`` is the name of the one that carries out the runs begun here.
    """

    def __init__(
        self, database: Database, now: Callable[[], dt.datetime] = utc_now, process: str | None = None
    ) -> None:
        self.database = database
        self._now, self._process = now, process or this_process()

    async def list_conversations(
        self, actor: Actor, *, limit: int = 50, before: dt.datetime | None = None, archived: bool = False
    ) -> Sequence[ConversationEntry]:
        """Newest first by last change, 200 at most; on the first page those that are pinned come before them."""
        owner = _owner(actor)
        return await self.database.read(lambda s: listing.list_entries(s, owner, limit, before, archived=archived))

    async def list_ids(self, actor: Actor) -> Sequence[str]:
        """All conversations, newest first, also the archived ones."""
        owner = _owner(actor)
        return await self.database.read(lambda s: listing.list_ids(s, owner))

    async def search(self, actor: Actor, query: str, *, limit: int = 50, offset: int = 0) -> Sequence[SearchHit]:
        """Conversations that hold all words of the query in one place; 200 at most at once."""
        owner = _owner(actor)
        return await self.database.read(lambda s: searching.search(s, owner, query, limit, offset))

    async def load_conversation(self, actor: Actor, conversation_id: str) -> ConversationRecord:
        """The path shown. Raises NotFound."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        return await self.database.read(lambda s: reading.load_conversation(s, owner, found))

    async def load_turn(self, actor: Actor, turn_id: str) -> TurnRecord:
        """One turn with all its runs. Raises NotFound."""
        owner, found = _owner(actor), checked_id(turn_id, "question")
        return await self.database.read(lambda s: reading.load_turn(s, owner, found))

    async def load_turn_of_run(self, actor: Actor, run_id: str) -> TurnRecord:
        """The turn that a run belongs to, with all its runs. Raises NotFound."""
        owner, found = _owner(actor), checked_id(run_id, "answer")
        return await self.database.read(lambda s: reading.load_turn_of_run(s, owner, found))

    async def load_tree(self, actor: Actor, conversation_id: str) -> ConversationTree:
        """All branches, all runs, all that was sent. Raises NotFound."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        return await self.database.read(lambda s: trees.load_tree(s, owner, found))

    async def import_tree(self, actor: Actor, tree: ConversationTree) -> str:
        """Store a tree under new ids. Raises InputRefused."""
        owner = _owner(actor)
        return await self.database.write(lambda s: trees.import_tree(s, owner, tree, self._now()))

    async def show_run(self, actor: Actor, turn_id: str, run_id: str) -> None:
        """Let the path go through another attempt. Raises NotFound."""
        owner, turn, run = _owner(actor), checked_id(turn_id, "question"), checked_id(run_id, "answer")
        await self.database.write(lambda s: branches.show_run(s, owner, turn, run))

    async def show_turn(self, actor: Actor, turn_id: str) -> None:
        """Let the path go through a turn to the newest leaf below it. Raises NotFound."""
        owner, found = _owner(actor), checked_id(turn_id, "question")
        await self.database.write(lambda s: branches.show_turn(s, owner, found))

    async def rename_conversation(self, actor: Actor, conversation_id: str, title: str) -> None:
        """Give a title of the user's own: one line, at most 200 characters. Raises NotFound, InputRefused."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        line = trees.title_line(title)
        if not line:
            raise InputRefused("A title needs at least one character.")
        await self.database.write(lambda s: listing.rename(s, owner, found, line))

    async def suggest_title(self, actor: Actor, conversation_id: str, title: str) -> None:
        """Give a written title, cut like a user's own; an empty one changes nothing. Raises NotFound."""
        owner, found, line = _owner(actor), checked_id(conversation_id, "conversation"), trees.title_line(title)
        await self.database.write(lambda s: listing.suggest_title(s, owner, found, line))

    async def set_flags(
        self, actor: Actor, conversation_id: str, *, pinned: bool | None = None, archived: bool | None = None
    ) -> None:
        """Pin or archive, or undo it. Raises NotFound."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        await self.database.write(lambda s: listing.set_flags(s, owner, found, pinned, archived))

    async def delete_conversation(self, actor: Actor, conversation_id: str) -> None:
        """Hide it, with all its turns, from every later call. Raises NotFound, also the second time."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        await self.database.write(lambda s: listing.hide(s, owner, found, self._now()))

    async def restore_conversation(self, actor: Actor, conversation_id: str) -> None:
        """Undo a deletion of the last 24 hours. Raises NotFound."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        await self.database.write(lambda s: listing.restore(s, owner, found, self._now()))

    async def purge_deleted(self, older_than: dt.timedelta) -> int:
        """Remove for good what was deleted longer ago, in small transactions."""
        before, purged = self._now() - older_than, 0
        while removed := await self.database.write(lambda s: listing.purge(s, before)):
            purged += removed
        return purged

    async def delete_everything(self, actor: Actor) -> None:
        """Remove the actor with all they own, at once and for good."""
        owner = _owner(actor)
        await self.database.write(lambda s: listing.erase_user(s, owner))

    async def create_share(self, actor: Actor, conversation_id: str, *, expires_at: dt.datetime) -> tuple[Share, str]:
        """A link to the path as it stands, and its token. Raises NotFound, InputRefused."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        return await self.database.write(lambda s: shares.create(s, owner, found, expires_at, self._now()))

    async def list_shares(self, actor: Actor, conversation_id: str) -> Sequence[Share]:
        """All links of a conversation, newest first. Raises NotFound."""
        owner, found = _owner(actor), checked_id(conversation_id, "conversation")
        return await self.database.read(lambda s: shares.of_conversation(s, owner, found))

    async def revoke_share(self, actor: Actor, share_id: str) -> None:
        """End a link at once. Raises NotFound."""
        owner, found = _owner(actor), checked_id(share_id, "link")
        await self.database.write(lambda s: shares.revoke(s, owner, found, self._now()))

    async def open_share(self, token: str) -> ConversationRecord:
        """What a link shows. Raises NotFound."""
        found = shares.checked_token(token)
        return await self.database.read(lambda s: shares.open_share(s, found, self._now()))

    async def copy_share(self, actor: Actor, token: str) -> str:
        """Copy what a link shows to the actor's own conversations. Raises NotFound."""
        owner, found = _owner(actor), shares.checked_token(token)
        return await self.database.write(lambda s: shares.copy(s, owner, found, self._now()))

    async def create_token(self, actor: Actor, name: str) -> tuple[Token, str]:
        """A key to the HTTP API, and what to send for it. Raises InputRefused for a name that is none."""
        owner = _owner(actor)
        return await self.database.write(lambda s: tokens.create(s, owner, name, self._now()))

    async def list_tokens(self, actor: Actor) -> Sequence[Token]:
        """All keys of the actor, newest first, also revoked ones."""
        owner = _owner(actor)
        return await self.database.read(lambda s: tokens.of_owner(s, owner))

    async def revoke_token(self, actor: Actor, token_id: str) -> None:
        """End a key at once. Raises NotFound."""
        owner, found = _owner(actor), checked_id(token_id, "token")
        await self.database.write(lambda s: tokens.revoke(s, owner, found, self._now()))

    async def token_owner(self, told: str) -> Actor | None:
        """Whose key this is; None for one that is wrong or revoked. That it was used is noted once a minute."""
        found = await self.database.read(lambda s: tokens.owner_of(s, told))
        if found is None:
            return None
        token_id, owner, noted = found
        if noted is None or self._now() - noted >= tokens.NOTE_EVERY:
            with contextlib.suppress(StoreError):  # a database that takes nothing now still says whose the key is
                await self.database.write(lambda s: tokens.note_use(s, token_id, self._now()))
        return Actor(owner)

    async def vote(self, actor: Actor, turn_id: str, choice: str) -> None:
        """Store a vote on a comparison, or change it. Raises NotFound, InputRefused."""
        owner, found = _owner(actor), checked_id(turn_id, "question")
        wanted = choice if choice in (TIE, BAD) else checked_id(choice, "answer")
        await self.database.write(lambda s: votes.vote(s, owner, found, wanted, self._now()))

    async def tag(self, actor: Actor, turn_id: str, tags: Sequence[str]) -> None:
        """Tag a vote on a comparison. Raises NotFound, InputRefused."""
        owner, found, given = _owner(actor), checked_id(turn_id, "question"), tuple(tags)
        await self.database.write(lambda s: votes.tag(s, owner, found, given))

    async def list_votes(self, actor: Actor) -> Sequence[VoteRecord]:
        """All votes of the actor with what they were about, oldest first."""
        owner = _owner(actor)
        return await self.database.read(lambda s: votes.list_votes(s, owner))

    async def save_judgement(self, actor: Actor, judgement: Judgement) -> None:
        """Store a judgement in place of that judge's earlier one. Raises NotFound."""
        owner = _owner(actor)
        for checked, what in ((judgement.turn_id, "question"), *((side, "answer") for side in judgement.sides)):
            checked_id(checked, what)
        await self.database.write(lambda s: judgements.save_judgement(s, owner, judgement, self._now()))

    async def judgements_of(self, actor: Actor, turn_id: str) -> Sequence[Judgement]:
        """All judgements of a turn, oldest first. Raises NotFound."""
        owner, found = _owner(actor), checked_id(turn_id, "question")
        return await self.database.read(lambda s: judgements.of_turn(s, owner, found))

    async def list_judgements(self, actor: Actor) -> Sequence[JudgementRecord]:
        """All judgements of the actor with what they were about, oldest first."""
        owner = _owner(actor)
        return await self.database.read(lambda s: judgements.list_judgements(s, owner))

    async def voted_proposals(self, actor: Actor, run_ids: Collection[str]) -> Mapping[str, Sequence[VotedProposal]]:
        """What the answers of these runs were written from, by run."""
        owner, wanted = _owner(actor), [checked_id(run_id, "answer") for run_id in run_ids]
        return await self.database.read(lambda s: votes.voted_proposals(s, owner, wanted))

    async def begin_turn(self, actor: Actor, new: NewTurn) -> tuple[TurnRecord, bool]:
        """Store question and runs. Raises NotFound, Busy, Conflict when the head has moved."""
        owner = _owner(actor)
        checked_key(new.request_key, "request")
        if new.conversation_id is not None:
            checked_id(new.conversation_id, "conversation")
        if new.branch and new.parent_id is not None:
            checked_id(new.parent_id, "question")
        return await self.database.write(lambda s: beginning.begin_turn(s, owner, new, self._process, self._now()))

    async def begin_run(
        self, actor: Actor, turn_id: str, recipe: Recipe, *, seed: int, request_key: str,
        reuse: Mapping[Slot, Outcome] | None = None, column: int = 1,
    ) -> tuple[RunRecord, bool]:  # fmt: skip
        """Store another attempt at a turn. Raises NotFound, Busy."""
        owner, found = _owner(actor), checked_id(turn_id, "question")
        new = NewRun(recipe, seed, checked_key(request_key, "request"), self._process, column)
        taken = dict(reuse or {})
        return await self.database.write(lambda s: beginning.begin_run(s, owner, found, new, taken, self._now()))

    async def begin_call(
        self, actor: Actor, run_id: str, slot: Slot, agent: Agent, messages: Sequence[Message], left_out: LeftOut
    ) -> None:
        """Store what a slot is asked. Raises NotFound."""
        owner, found = _owner(actor), checked_id(run_id, "answer")
        call = journal.Begun(slot, agent, tuple(messages), left_out)
        await self.database.write(lambda s: journal.begin_call(s, owner, found, call, self._process, self._now()))

    async def save_call(self, actor: Actor, run_id: str, call: SavedCall) -> None:
        """Store one slot's end. Raises NotFound."""
        owner, found = _owner(actor), checked_id(run_id, "answer")
        await self.database.write(lambda s: journal.save_call(s, owner, found, call, self._now()))

    async def checkpoint(self, actor: Actor, run_id: str, growing: Mapping[Slot, str]) -> bool:
        """Store growing texts and the run's heartbeat; whether the run is to stop. Raises NotFound."""
        owner, found, texts = _owner(actor), checked_id(run_id, "answer"), dict(growing)
        return await self.database.write(
            lambda s: journal.checkpoint(s, owner, found, texts, self._process, self._now())
        )

    async def ask_to_stop(self, actor: Actor, run_id: str) -> bool:
        """Let the process that carries a run out stop it; whether it still runs. Raises NotFound."""
        owner, found = _owner(actor), checked_id(run_id, "answer")
        return await self.database.write(lambda s: recovery.ask_to_stop(s, owner, found, self._now()))

    async def end_run(self, actor: Actor, run_id: str, result: RunResult) -> None:
        """Store a run's result. The same end may be stored again. Raises NotFound."""
        owner, found = _owner(actor), checked_id(run_id, "answer")
        await self.database.write(lambda s: journal.end_run(s, owner, found, result, self._now()))

    async def recover(self, *, stale_s: float = STALE_S, alive: Collection[str] = ()) -> int:
        """Mark runs of dead processes as interrupted. Writes, and waits for a lock, only when there are any."""
        known = frozenset(alive)
        dead = await self.database.read(lambda s: recovery.find_dead(s, stale_s, known, self._now()))
        if not dead:
            return 0
        return await self.database.write(lambda s: recovery.recover(s, dead, stale_s, self._now()))

    async def aclose(self) -> None:
        """Finish what was begun and close every connection."""
        await self.database.aclose()


def _owner(actor: Actor) -> str:
    return checked_key(actor.user_id, "sign-in")
