"""The page as the server knows it: what every event that changes the conversation gives back."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, NamedTuple

import gradio as gr

from moa.chat.values import Actor, Started
from moa.ui import history, inputs, render
from moa.ui.context import Context
from moa.ui.contract import HistoryJson, Settled

_LISTED = 50


class PageState(NamedTuple):
    """One value for each output of the page, in the order of ``moa.ui.page.Parts.state``."""

    conversation: Any
    head: Any
    run: Any
    settled: Any
    live: Any
    history: Any
    fork: Any
    stop: Any
    send: Any


def unchanged() -> PageState:
    """Leaves the page as it is."""
    return PageState(*[gr.skip()] * len(PageState._fields))


def idle() -> PageState:
    """Leaves the page as it is, but follows no run: a question can be sent."""
    return unchanged()._replace(run="", **_buttons(running=False))


async def empty(context: Context, actor: Actor) -> PageState:
    """The first screen."""
    return PageState(
        conversation="",
        head="",
        run="",
        settled=render.first_screen(context.hint),
        live=render.nothing_live(None),
        history=await listed(context, actor, None),
        fork=render.fork(None),
        **_buttons(running=False),
    )


async def shown(context: Context, actor: Actor, conversation_id: str, *, focus: str | None = None) -> PageState:
    """A conversation, with the run that goes on in it, scrolled to a turn. Raises NotFound."""
    view = await context.chat.open(actor, conversation_id)
    running = next((turn for turn in view.turns if turn.running), None)
    label = context.models.label
    return PageState(
        conversation=view.id,
        head=view.head or "",
        run=running.run_id if running else "",
        settled=render.settled(view, label, focus=focus),
        live=render.live(running, label) if running else render.nothing_live(view.id),
        history=await listed(context, actor, view.id),
        fork=render.fork(None),
        **_buttons(running=running is not None),
    )


async def begun(context: Context, actor: Actor, started: Started, *, fresh: bool) -> PageState:
    """Right after a question was taken: the transcript stays, unless the conversation is a ``fresh`` one."""
    blank = Settled(conversation=started.conversation_id, turns=[], welcome=None, focus=None)
    return PageState(
        conversation=started.conversation_id,
        head=started.turn_id,
        run=started.run_id,
        settled=blank if fresh else gr.skip(),
        live=gr.skip(),
        history=await listed(context, actor, started.conversation_id),
        fork=render.fork(None),
        **_buttons(running=True),
    )


async def turned(
    context: Context, request: gr.Request, chosen: object, making: Coroutine[Any, Any, PageState]
) -> PageState:
    """What a page turns to, unless its reader has chosen something else since ``chosen`` (see ``inputs.moment``)."""
    page, at_ms = str(request.session_hash), inputs.moment(chosen)
    if not context.viewers.choose(page, at_ms):
        making.close()
        return unchanged()
    made = await making
    return now_shown(context, request, made) if context.viewers.chose(page, at_ms) else unchanged()


def now_shown(context: Context, request: gr.Request, page: PageState) -> PageState:
    """Notes what a page shows from now on; streams of what it showed until now end. Gives the state back."""
    context.viewers.show(str(request.session_hash), page.conversation or None, page.run or None)
    return page


async def listed(context: Context, actor: Actor, current: str | None) -> HistoryJson:
    """The first page of the sidebar's list."""
    entries = await context.chat.library.entries(actor, limit=_LISTED)
    return history.page(entries, limit=_LISTED, current=current)


def _buttons(*, running: bool) -> dict[str, Any]:
    return {"stop": gr.update(visible=running), "send": gr.update(interactive=not running)}
