"""Conversations as JSON to take along, with everything that made their answers. ``imports`` reads it back.

Ids of the store stay out: turns are t1, t2, …, the runs of t2 are r2.1, r2.2, …, in the order in which they were made,
and those of its third column r2.3.1, r2.3.2, …. So the export of an import is the same, byte for byte. Votes stay out
too: a file must not be able to bring any. ``archive_shape`` says what stands where.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Literal

import orjson

from moa.chat.archive_shape import ARCHIVE, CONVERSATION, VERSION
from moa.chat.values import ConversationTree, RunRecord, SavedCall, TurnRecord
from moa.core.codec import plain
from moa.core.domain import LeftOut, Message, Missing, Outcome, Proposal, Role, RunResult, Slot

_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")

Json = dict[str, Any]


def conversation_json(tree: ConversationTree) -> bytes:
    """The whole conversation as indented JSON, its keys in a fixed order."""
    names = _Names(tree)
    document = {
        "format": CONVERSATION,
        "version": VERSION,
        "title": tree.title,
        "created_at": _utc(tree.created_at),
        "updated_at": _utc(tree.updated_at),
        "head": names.ids.get(tree.head),
        "turns": [_turn(turn, names) for turn in tree.turns],
    }
    return orjson.dumps(plain(document), option=_OPTIONS)


def archive_json(trees: Iterable[ConversationTree]) -> Iterator[bytes]:
    """Many conversations as one JSON document, in pieces: only one tree is held at a time."""
    before = _HEAD
    for tree in trees:
        yield before + _indented(conversation_json(tree))
        before = b","
    yield _TAIL if before == b"," else before + b"]\n}\n"


async def archive_stream(trees: AsyncIterable[ConversationTree]) -> AsyncIterator[bytes]:
    """``archive_json`` of trees that are read one after another. Each is written in a thread, beside the loop."""
    before = _HEAD
    async for tree in trees:
        yield before + _indented(await asyncio.to_thread(conversation_json, tree))
        before = b","
    yield _TAIL if before == b"," else before + b"]\n}\n"


def file_name(at: dt.datetime, conversation_id: str | None, extension: Literal["json", "md"]) -> str:
    """A name made here of a day (UTC) and the beginning of an id, never of a title; without an id, an archive's."""
    middle = "all" if conversation_id is None else _NOT_PLAIN.sub("", conversation_id)[:8]
    return f"moa-{_utc(at):%Y-%m-%d}-{middle}.{extension}"


_HEAD = (
    orjson.dumps({"format": ARCHIVE, "version": VERSION}, option=orjson.OPT_INDENT_2).removesuffix(b"\n}")
    + b',\n  "conversations": ['
)
_TAIL = b"\n  ]\n}\n"


def _indented(document: bytes) -> bytes:
    # A line end in a JSON text is written as \n, so every line of the document is one of its layout.
    return b"\n    " + document.rstrip(b"\n").replace(b"\n", b"\n    ")


class _Names:
    """What ids and messages are called in the document."""

    def __init__(self, tree: ConversationTree) -> None:
        self.ids: dict[str | None, str] = {}
        self.messages: dict[Message, str] = {}
        for number, turn in enumerate(tree.turns, 1):
            self.ids[turn.id] = f"t{number}"
            self._stands_for(Message(Role.USER, turn.question), f"t{number}")
            for attempt, run in enumerate(turn.runs, 1):
                self._run(run, f"r{number}.{attempt}")
            for column in turn.columns:
                for attempt, run in enumerate(turn.attempts(column.column), 1):
                    self._run(run, f"r{number}.{column.column}.{attempt}")

    def _run(self, run: RunRecord, name: str) -> None:
        self.ids[run.id] = name
        answer = run.result.answer.strip() if run.result else ""
        self._stands_for(Message(Role.ASSISTANT, answer), name)

    def _stands_for(self, message: Message, name: str) -> None:
        if message.text:
            self.messages.setdefault(message, name)


def _turn(turn: TurnRecord, names: _Names) -> Json:
    return {
        "id": names.ids[turn.id],
        "parent": names.ids.get(turn.parent_id),
        "created_at": _utc(turn.created_at),
        "question": turn.question,
        "shown": names.ids.get(turn.shown_run_id),
        "runs": [_run(run, names) for run in turn.runs],
        **(_columns(turn, names) if turn.further else {}),
    }


def _columns(turn: TurnRecord, names: _Names) -> Json:
    """What a turn that was asked in several columns has besides; ``columns`` are the second and those after it."""
    columns = [turn.attempts(column.column) for column in turn.columns]
    return {
        "comparison": turn.comparison,
        "columns": [[_run(run, names) for run in attempts] for attempts in columns],
    }


def _run(run: RunRecord, names: _Names) -> Json:
    return {
        "id": names.ids[run.id],
        "status": run.result.status if run.result else run.status,
        "started_at": _utc(run.started_at),
        "heartbeat_at": _utc(run.heartbeat_at) if run.heartbeat_at else None,
        "seed": run.seed,
        "result": _result(run.result) if run.result else None,
        "recipe": run.recipe,
        "slots": _slots(run, names),
    }


def _result(result: RunResult) -> Json:
    return {
        "answer": result.answer,
        "answer_slot": _place(result.answer_slot),
        "outcomes": [_place(outcome.slot) for outcome in result.outcomes],
        "degraded_because": [_missing(missing) for missing in result.degraded_because],
        "usage": result.usage,
        "cost_microusd": result.cost_microusd,
        "calls": result.calls,
        "first_answer_ms": result.first_answer_ms,
        "duration_ms": result.duration_ms,
    }


def _missing(missing: Missing) -> Json:
    return {"slot": _place(missing.slot), "label": missing.label, "why": missing.why}


def _slots(run: RunRecord, names: _Names) -> list[Json]:
    """Each slot once, in order, with what was sent where that is known."""
    outcomes = {o.slot: o for o in (*run.outcomes, *(run.result.outcomes if run.result else ()))}
    growing = {} if run.result else {slot: text for slot, text in run.growing.items() if slot not in outcomes}
    calls = {call.slot: call for call in run.calls}
    found = []
    for slot in sorted({**outcomes, **growing}):
        if slot in growing:
            found.append({"slot": _place(slot), "status": "growing", "text": growing[slot]})
        else:
            found.append(_outcome(outcomes[slot]) | _sent(slot, calls.get(slot), run.left_out, names))
    return found


def _outcome(outcome: Outcome) -> Json:
    place = _place(outcome.slot)
    if isinstance(outcome, Proposal):
        return {
            "slot": place,
            "status": "done",
            "agent": outcome.agent,
            "text": outcome.text,
            "reasoning": outcome.reasoning,
            "finish": outcome.finish,
            "usage": outcome.usage,
            "attempts": outcome.attempts,
            "first_token_ms": outcome.first_token_ms,
            "duration_ms": outcome.duration_ms,
            "cost_microusd": outcome.cost_microusd,
            "reused": outcome.reused,
        }
    return {
        "slot": place,
        "status": "failed",
        "agent": outcome.agent,
        "kind": outcome.kind,
        "public": outcome.public,
        "retryable": outcome.retryable,
        "text": outcome.partial,
        "reasoning": outcome.reasoning,
        "attempts": outcome.attempts,
        "duration_ms": outcome.duration_ms,
    }


def _sent(slot: Slot, call: SavedCall | None, left_out: Mapping[Slot, LeftOut], names: _Names) -> Json:
    messages = call.messages if call else ()
    return {
        "left_out": call.left_out if call else left_out.get(slot, LeftOut()),
        "messages": [names.messages.get(message, message) for message in messages],
    }


def _place(slot: Slot | None) -> str | None:
    return None if slot is None else str(slot)


def _utc(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC)
