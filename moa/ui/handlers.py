"""What the page's events do. Thin: check the input, ask the service, give the new state back.

``request`` and ``event`` are filled in by Gradio; all else comes from the browser and may be anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from moa.core.errors import MoaError, NotFound
from moa.ui import inputs, mixture, render, state, texts
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
            return self._shown(
                request,
                await (state.shown(self._context, actor, wanted) if wanted else state.empty(self._context, actor)),
            )
        except NotFound as gone:
            gr.Warning(gone.public)
            return self._shown(request, await state.empty(self._context, actor))

    @plainly
    async def open(self, event: gr.EventData, request: gr.Request) -> PageState:
        """Another conversation is chosen; the one that was watched goes on unwatched."""
        wanted = inputs.required_id(inputs.event_field(event, "id"))
        return self._shown(request, await state.shown(self._context, self._context.actor(request), wanted))

    @plainly
    async def new_chat(self, request: gr.Request) -> PageState:
        """The first screen again."""
        return self._shown(request, await state.empty(self._context, self._context.actor(request)))

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
        return ("", *self._shown(request, await state.begun(context, actor, started, fresh=opened is None)))

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
        return self._shown(request, await state.shown(context, actor, started.conversation_id))

    async def estimate(
        self,
        base: object,
        mixer: object,
        aggregator: object,
        layers: object,
        temperature: object,
        system: object,
        conversation: object,
        request: gr.Request,
    ) -> Any:
        """The button under the composer: what will answer, and what a question is likely to take."""
        context = self._context
        try:
            actor = context.actor(request)
            recipe = context.recipe(mixture.parse(base, mixer, aggregator, layers, temperature, system))
            found = await context.chat.estimate(actor, recipe, inputs.optional_id(conversation))
        except MoaError:  # a mixture that can't be run yet is told when it is sent, not while it is put together
            return gr.skip()
        tokens = found.usage.input_tokens + found.usage.output_tokens
        return texts.estimate(recipe.title, found.calls, tokens, render.money(found.cost_microusd))

    @plainly
    async def example(self, event: gr.EventData) -> str:
        """A question of the first screen goes into the composer."""
        return inputs.text(inputs.event_field(event, "text"))

    async def watch(self, run: object, request: gr.Request) -> AsyncIterator[Live]:
        """Follow a run until it ends or the page turns elsewhere. The run does not mind either."""
        page = str(request.session_hash)
        stream = self._context.viewers.follow(page)
        try:
            run_id = inputs.optional_id(run)
            if run_id is None:
                yield render.nothing_live(None)
                return
            async for turn in self._context.chat.watch(self._context.actor(request), run_id):
                if not self._context.viewers.follows(page, stream):
                    return
                yield render.live(turn, self._context.models.label)
        except Exception as error:  # noqa: BLE001 - boundary to the browser, as in plainly(), which wraps no generator
            raise plain_error(error) from None

    @plainly
    async def finish(self, run: object, conversation: object, request: gr.Request) -> PageState:
        """A stream is over: show what the store holds, if the page has not turned elsewhere meanwhile."""
        shown = inputs.optional_id(conversation)
        if inputs.optional_id(run) is None or shown is None:
            return state.unchanged()
        found = await state.shown(self._context, self._context.actor(request), shown)
        still = self._context.viewers.shows(str(request.session_hash), shown)
        return found if still else state.unchanged()

    @plainly
    async def stop(self, run: object, request: gr.Request) -> None:
        """Stop the run; its watchers then see its last view."""
        await self._context.chat.stop(self._context.actor(request), inputs.required_id(run, "run"))

    @plainly
    async def stop_one(self, run: object, event: gr.EventData, request: gr.Request) -> None:
        """Stop one panel's call; the run goes on without it."""
        slot = inputs.slot(inputs.event_field(event, "slot"))
        await self._context.chat.stop_slot(self._context.actor(request), inputs.required_id(run, "run"), slot)

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
            return self._shown(request, await state.empty(self._context, actor))
        return state.unchanged()._replace(history=await state.listed(self._context, actor, shown))

    def _shown(self, request: gr.Request, page: PageState) -> PageState:
        """Notes what the page shows from now on; streams of what it showed until now end."""
        self._context.viewers.show(str(request.session_hash), page.conversation or None)
        return page
