"""What the page's events do that begin no run. Thin: check the input, ask the service, give the new state back.

``request`` and ``event`` are filled in by Gradio; all else comes from the browser and may be anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from moa.chat.values import Actor
from moa.core.errors import InputRefused, MoaError, NotFound
from moa.ui import columns, inputs, render, state, texts
from moa.ui.context import Context, plain_error, plainly, warn
from moa.ui.contract import Live
from moa.ui.state import PageState


class Handlers:
    """What is shown: conversations, attempts and branches, and the run that goes on."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @plainly
    async def load(self, conversation: object, request: gr.Request) -> PageState:
        """The page opens, or Gradio has connected again. A conversation that is gone opens the first screen.

        Whatever was done meanwhile counts more.
        """
        context, page = self._context, str(request.session_hash)
        actor, wanted = context.actor(request), None
        try:
            wanted = inputs.optional_id(conversation)
            found = await (state.shown(context, actor, wanted) if wanted else state.empty(context, actor))
        except NotFound as gone:
            warn(gone.public)
            found = await state.empty(context, actor)
        except MoaError as unread:
            warn(unread.public)
            return state.idle()
        return state.now_shown(context, request, found) if context.viewers.shows(page, wanted) else state.unchanged()

    @plainly
    async def open(self, chosen: object, event: gr.EventData, request: gr.Request) -> PageState:
        """Another conversation is chosen, or a place in one; the one that was watched goes on unwatched."""
        context = self._context
        wanted = inputs.required_id(inputs.event_field(event, "id"))
        place = inputs.optional_id(inputs.event_field(event, "turn"))
        return await state.turned(context, request, chosen, self._opened(context.actor(request), wanted, place))

    async def _opened(self, actor: Actor, conversation: str, place: str | None) -> PageState:
        if place is not None:
            await self._context.chat.show_turn(actor, place)
        return await state.shown(self._context, actor, conversation, focus=place)

    @plainly
    async def first_screen(self, chosen: object, request: gr.Request) -> PageState:
        """The first screen again."""
        context = self._context
        return await state.turned(context, request, chosen, state.empty(context, context.actor(request)))

    @plainly
    async def show_run(
        self, conversation: object, chosen: object, event: gr.EventData, request: gr.Request
    ) -> PageState:
        """Another attempt at a turn is to be shown."""
        turn = inputs.required_id(inputs.event_field(event, "turn"), "turn")
        run = inputs.required_id(inputs.event_field(event, "run"), "run")
        await self._context.chat.show_run(self._context.actor(request), turn, run)
        return await self._again(conversation, chosen, request)

    @plainly
    async def show_turn(
        self, conversation: object, chosen: object, event: gr.EventData, request: gr.Request
    ) -> PageState:
        """Another branch is to be shown."""
        turn = inputs.required_id(inputs.event_field(event, "turn"), "turn")
        await self._context.chat.show_turn(self._context.actor(request), turn)
        return await self._again(conversation, chosen, request)

    async def watch(self, run: object, request: gr.Request) -> AsyncIterator[Live | Any]:
        """Follow a run until it ends or the page turns elsewhere. The run does not mind either."""
        page = str(request.session_hash)
        try:
            run_id = inputs.optional_id(run)
            stream = self._context.viewers.follow(page, run_id) if run_id is not None else None
            if run_id is None or stream is None:
                yield gr.skip()
                return
            async for turn in self._context.chat.watch_columns(self._context.actor(request), run_id):
                if not self._context.viewers.follows(page, stream):
                    return
                yield render.live(turn, self._context.models.label)
        except Exception as error:  # noqa: BLE001 - boundary to the browser, as in plainly(), which wraps no generator
            raise plain_error(error) from None

    @plainly
    async def finish(self, run: object, conversation: object, request: gr.Request) -> PageState:
        """A stream is over: show what the store holds, if the page has not turned elsewhere meanwhile.

        A conversation that was deleted leaves the first screen; one that can't be read now leaves what is there, and
        a page that can be typed in.
        """
        context, page = self._context, str(request.session_hash)
        shown = inputs.optional_id(conversation)
        if inputs.optional_id(run) is None or shown is None:
            return state.unchanged()
        actor = context.actor(request)
        try:
            found = await state.shown(context, actor, shown)
        except NotFound:
            if not context.viewers.shows(page, shown):
                return state.unchanged()
            return state.now_shown(context, request, await state.empty(context, actor))
        except MoaError as unread:
            warn(unread.public)
            found = state.idle()
        return found if context.viewers.shows(page, shown) else state.unchanged()

    @plainly
    async def vote(self, conversation: object, chosen: object, event: gr.EventData, request: gr.Request) -> PageState:
        """Which answer of a comparison was best."""
        chat, actor = self._context.chat, self._context.actor(request)
        turn = await chat.turn(actor, inputs.required_id(inputs.event_field(event, "turn"), "turn"))
        choice = columns.voted(turn, inputs.text(inputs.event_field(event, "choice")))
        if choice is None:
            raise NotFound("answer")
        await chat.vote(actor, turn.id, choice)
        return await self._again(conversation, chosen, request)

    @plainly
    async def tag(self, conversation: object, chosen: object, event: gr.EventData, request: gr.Request) -> PageState:
        """What kind of question a comparison was about, in the user's own words."""
        turn = inputs.required_id(inputs.event_field(event, "turn"), "turn")
        tags = inputs.event_field(event, "tags")
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise InputRefused(texts.RELOAD)
        await self._context.chat.tag(self._context.actor(request), turn, tags)
        return await self._again(conversation, chosen, request)

    @plainly
    async def stop(self, run: object, request: gr.Request) -> None:
        """Stop the run, with all columns of a comparison; its watchers then see its last view."""
        await self._context.chat.stop_columns(self._context.actor(request), inputs.required_id(run, "run"))

    @plainly
    async def stop_one(self, run: object, event: gr.EventData, request: gr.Request) -> None:
        """Stop one panel's call; the run goes on without it."""
        slot = inputs.slot(inputs.event_field(event, "slot"))
        await self._context.chat.stop_slot(self._context.actor(request), inputs.required_id(run, "run"), slot)

    @plainly
    async def answer_now(self, run: object, request: gr.Request) -> None:
        """Let the aggregator begin with the proposals that are there."""
        await self._context.chat.answer_now(self._context.actor(request), inputs.required_id(run, "run"))

    async def _again(self, conversation: object, chosen: object, request: gr.Request) -> PageState:
        context, shown = self._context, inputs.required_id(conversation)
        return await state.turned(context, request, chosen, state.shown(context, context.actor(request), shown))
