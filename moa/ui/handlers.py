"""What the page's events do. Thin: check the input, ask the service, give the new state back.

``request`` and ``event`` are filled in by Gradio; all else comes from the browser and may be anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from moa.core.errors import NotFound
from moa.ui import inputs, mixture, render, state
from moa.ui.context import Context, plain_error, plainly
from moa.ui.contract import Live
from moa.ui.state import PageState


class Handlers:
    """The events of conversations and runs."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @plainly
    async def load(self, conversation: object, request: gr.Request) -> PageState:
        """The page opens, or Gradio has connected again. A conversation that is gone opens the first screen."""
        actor = self._context.actor(request)
        try:
            wanted = inputs.optional_id(conversation)
            return await (state.shown(self._context, actor, wanted) if wanted else state.empty(self._context, actor))
        except NotFound as gone:
            gr.Warning(gone.public)
            return await state.empty(self._context, actor)

    @plainly
    async def open(self, event: gr.EventData, request: gr.Request) -> PageState:
        """Another conversation is chosen; the one that was watched goes on unwatched."""
        self._leave(request)
        wanted = inputs.required_id(inputs.event_field(event, "id"))
        return await state.shown(self._context, self._context.actor(request), wanted)

    @plainly
    async def new_chat(self, request: gr.Request) -> PageState:
        """The first screen again."""
        self._leave(request)
        return await state.empty(self._context, self._context.actor(request))

    @plainly
    async def start(
        self,
        message: object,
        conversation: object,
        head: object,
        base: object,
        mixer: object,
        aggregator: object,
        layers: object,
        temperature: object,
        system: object,
        key: object,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Send. Raises before anything is changed, so the draft stays when the question isn't taken."""
        context = self._context
        actor = context.actor(request)
        picked = mixture.parse(base, mixer, aggregator, layers, temperature, system)
        opened = inputs.optional_id(conversation)
        started = await context.chat.send(
            actor,
            question=inputs.text(message),
            recipe=context.recipe(picked),
            request_key=inputs.request_key(key),
            conversation_id=opened,
            expected_head=inputs.optional_id(head),
        )
        return ("", *await state.begun(context, actor, started, fresh=opened is None))

    @plainly
    async def regenerate(
        self,
        base: object,
        mixer: object,
        aggregator: object,
        layers: object,
        temperature: object,
        system: object,
        key: object,
        event: gr.EventData,
        request: gr.Request,
    ) -> PageState:
        """Ask a turn's question again, with the mixture that is set now."""
        context = self._context
        actor = context.actor(request)
        turn = inputs.required_id(inputs.event_field(event, "turn"), "turn")
        picked = mixture.parse(base, mixer, aggregator, layers, temperature, system)
        started = await context.chat.regenerate(
            actor, turn, recipe=context.recipe(picked), request_key=inputs.request_key(key)
        )
        return await state.shown(context, actor, started.conversation_id)

    @plainly
    async def example(self, event: gr.EventData) -> str:
        """A question of the first screen goes into the composer."""
        return inputs.text(inputs.event_field(event, "text"))

    async def watch(self, run: object, request: gr.Request) -> AsyncIterator[Live]:
        """Follow a run until it ends or the page turns elsewhere. The run does not mind either."""
        page = str(request.session_hash)
        visit = self._context.viewers.enter(page)
        try:
            run_id = inputs.optional_id(run)
            if run_id is None:
                yield render.nothing_live(None)
                return
            async for turn in self._context.chat.watch(self._context.actor(request), run_id):
                if not self._context.viewers.is_current(page, visit):
                    return
                yield render.live(turn, self._context.models.label)
        except Exception as error:  # noqa: BLE001 - boundary to the browser, as in plainly(), which wraps no generator
            raise plain_error(error) from None

    @plainly
    async def finish(self, run: object, conversation: object, request: gr.Request) -> PageState:
        """A stream is over: show what the store holds. Without a run there was nothing to follow."""
        shown = inputs.optional_id(conversation)
        if inputs.optional_id(run) is None or shown is None:
            return state.unchanged()
        return await state.shown(self._context, self._context.actor(request), shown)

    @plainly
    async def stop(self, run: object, request: gr.Request) -> None:
        """Stop the run; its watchers then see its last view."""
        await self._context.chat.stop(self._context.actor(request), inputs.required_id(run, "run"))

    @plainly
    async def rename(self, conversation: object, event: gr.EventData, request: gr.Request) -> Any:
        """Give a conversation another title."""
        actor = self._context.actor(request)
        wanted = inputs.required_id(inputs.event_field(event, "id"))
        await self._context.chat.rename(actor, wanted, inputs.title(inputs.event_field(event, "title")))
        return await state.listed(self._context, actor, inputs.optional_id(conversation))

    @plainly
    async def remove(self, conversation: object, event: gr.EventData, request: gr.Request) -> PageState:
        """Delete a conversation; when it is the one shown, the first screen follows."""
        actor = self._context.actor(request)
        shown = inputs.optional_id(conversation)
        wanted = inputs.required_id(inputs.event_field(event, "id"))
        await self._context.chat.delete(actor, wanted)
        if wanted == shown:
            self._leave(request)
            return await state.empty(self._context, actor)
        return state.unchanged()._replace(history=await state.listed(self._context, actor, shown))

    def _leave(self, request: gr.Request) -> None:
        """Ends the streams of what this page showed until now."""
        self._context.viewers.enter(str(request.session_hash))
