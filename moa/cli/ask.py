"""``python -m moa``: ask once, watch, and store it where the page finds it."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from moa.chat.service import ChatService
from moa.chat.values import LOCAL, ConversationView, TurnView
from moa.cli.arguments import ANSWERED, FAILED, INCOMPLETE
from moa.cli.screen import Screen
from moa.core.domain import Recipe, Status
from moa.core.errors import InputRefused

_EVERY_S = 0.05
_TICK_S = 0.25  # seconds are shown with a tenth, so they must go on while nothing comes
_STOP_S = 0.4  # a store that refuses must not hold up whoever pressed Ctrl-C


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask. ``after`` is the conversation to go on with."""

    text: str
    recipe: Recipe
    after: ConversationView | None = None


async def newest(chat: ChatService) -> ConversationView:
    """The conversation that was changed last. Raises InputRefused when there is none."""
    entries = await chat.library.entries(LOCAL, limit=1)  # and all that are pinned
    if not entries:
        raise InputRefused("There is no conversation to go on with yet: ask without -c.")
    return await chat.open(LOCAL, max(entries, key=lambda entry: entry.updated_at).id)


async def ask(chat: ChatService, question: Question, screen: Screen) -> TurnView:
    """Ask and show the run until it has ended. Cancelled, it stops the run and keeps what has come.

    Raises InputRefused, Busy, StoreError; nothing has been asked then.
    """
    after = question.after
    started = await chat.send(
        LOCAL,
        question=question.text,
        recipe=question.recipe,
        request_key=secrets.token_hex(16),
        conversation_id=after.id if after else None,
        after=after.head if after else None,
        source="cli",
    )
    try:
        async for turn in chat.watch(LOCAL, started.run_id, every_s=_EVERY_S, keepalive_s=_TICK_S):
            screen.show(turn.view)
    except BaseException:  # also a terminal that has gone: nobody waits for this answer any more
        screen.close()
        await _stop(chat, started.run_id)
        raise
    return turn


def answer_of(turn: TurnView) -> str | None:
    """The answer for whoever takes it as one; None for what broke off or was stopped."""
    result = turn.view.result
    return result.answer if result is not None and result.status in (Status.COMPLETE, Status.DEGRADED) else None


def exit_code(status: Status, *, strict: bool) -> int:
    """What a run's end means to a script."""
    if status is Status.DEGRADED:
        return INCOMPLETE if strict else ANSWERED
    return ANSWERED if status is Status.COMPLETE else FAILED


async def _stop(chat: ChatService, run_id: str) -> None:
    try:
        async with asyncio.timeout(_STOP_S):
            await chat.stop(LOCAL, run_id)
    except TimeoutError:  # its end is not stored: the next process to look marks it as interrupted
        return
