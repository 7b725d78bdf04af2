"""The page as the server knows it: what every event that changes the conversation gives back."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from moa.chat.values import Actor, ConversationView, Started
from moa.ui import history, render
from moa.ui.context import Context
from moa.ui.contract import HistoryJson, Settled

_LISTED = 200


class PageState(NamedTuple):
    """One value for each output of the page, in the order of ``moa.ui.page.Parts.state``."""

    conversation: Any
    head: Any
    run: Any
    settled: Any
    live: Any
    history: Any
    stop: Any
    send: Any


def unchanged() -> PageState:
    """Leaves the page as it is."""
    return PageState(*[gr.skip()] * len(PageState._fields))


async def empty(context: Context, actor: Actor) -> PageState:
    """The first screen."""
    return PageState(
        conversation="",
        head="",
        run="",
        settled=render.first_screen(context.hint),
        live=render.nothing_live(None),
        history=await listed(context, actor, None),
        **_buttons(running=False),
    )


async def shown(context: Context, actor: Actor, conversation_id: str) -> PageState:
    """A conversation, with the run that goes on in it. Raises NotFound."""
    view = await context.chat.open(actor, conversation_id)
    running = next((turn for turn in view.turns if turn.live), None)
    label = context.models.label
    return PageState(
        conversation=view.id,
        head=view.head or "",
        run=running.run_id if running else "",
        settled=_settled(view, context),
        live=render.live(running, label) if running else render.nothing_live(view.id),
        history=await listed(context, actor, view.id),
        **_buttons(running=running is not None),
    )


async def begun(context: Context, actor: Actor, started: Started, *, fresh: bool) -> PageState:
    """Right after a question was taken: the transcript stays, unless the conversation is a ``fresh`` one."""
    blank = Settled(conversation=started.conversation_id, turns=[], welcome=None)
    return PageState(
        conversation=started.conversation_id,
        head=started.turn_id,
        run=started.run_id,
        settled=blank if fresh else gr.skip(),
        live=gr.skip(),
        history=await listed(context, actor, started.conversation_id),
        **_buttons(running=True),
    )


async def listed(context: Context, actor: Actor, current: str | None) -> HistoryJson:
    """The sidebar's list."""
    entries = await context.chat.list_conversations(actor, limit=_LISTED)
    return history.history(entries, current=current, now=context.now())


def _settled(view: ConversationView, context: Context) -> Settled:
    return render.settled(view, context.models.label)


def _buttons(*, running: bool) -> dict[str, Any]:
    return {"stop": gr.update(visible=running), "send": gr.update(interactive=not running)}
