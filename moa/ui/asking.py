"""What begins a run: a question, the same one again, another in its place, and all that mends an answer.

``request`` and ``event`` are filled in by Gradio; all else comes from the browser and may be anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from moa.chat.systems import named
from moa.chat.values import Actor, Started
from moa.core.domain import Recipe
from moa.core.errors import InputRefused, NotFound
from moa.core.money import money
from moa.ui import columns, inputs, render, state, texts
from moa.ui.context import Context, plainly, skipping
from moa.ui.contract import ForkJson
from moa.ui.fields import with_mixture
from moa.ui.mixture import Mixture
from moa.ui.state import PageState
from moa.ui.versus import Versus, parse, recipes


class Asking:
    """The events that begin a run. A refused one raises before anything is changed, so that no draft is lost."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @plainly
    @with_mixture
    async def start(
        self,
        message: object,
        conversation: object,
        head: object,
        fork: object,
        mixture: Mixture,
        versus: object,
        key: object,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Send the composer's question to the end of the conversation, or to where it is to branch off."""
        context = self._context
        actor = context.actor(request)
        opened = inputs.optional_id(conversation)
        after = inputs.optional_id(fork.get("turn") if isinstance(fork, dict) else None)
        place: dict[str, Any] = {
            "question": inputs.text(message),
            "request_key": inputs.request_key(key),
            "conversation_id": opened,
            "expected_head": inputs.optional_id(head),
            "after": after,
        }
        if (several := parse(versus)).on:
            started = await self._compare(actor, several, mixture, **place)
        else:
            started = await context.chat.send(actor, recipe=context.recipe(mixture), **place)
        if after is not None:
            return ("", *await self._shown(request, key, started))
        begun = state.begun(context, actor, started, fresh=opened is None)
        return ("", *await state.turned(context, request, key, begun))

    @plainly
    @with_mixture
    async def edit(
        self, mixture: Mixture, versus: object, key: object, event: gr.EventData, request: gr.Request
    ) -> PageState:
        """Ask another question in a turn's place."""
        context, turn = self._context, _turn(event)
        actor = context.actor(request)
        asked: dict[str, Any] = {
            "question": inputs.text(inputs.event_field(event, "question")),
            "request_key": inputs.request_key(key),
        }
        if (several := parse(versus)).on:
            started = await self._compare(actor, several, mixture, instead=turn, **asked)
        else:
            started = await context.chat.edit(actor, turn, recipe=context.recipe(mixture), **asked)
        return await self._shown(request, key, started)

    @plainly
    @with_mixture
    async def regenerate(self, mixture: Mixture, key: object, event: gr.EventData, request: gr.Request) -> PageState:
        """Ask a turn's question again, with the mixture that is set now."""
        started = await self._context.chat.regenerate(
            self._context.actor(request),
            _turn(event),
            recipe=self._context.recipe(mixture),
            request_key=inputs.request_key(key),
        )
        return await self._shown(request, key, started)

    @plainly
    async def regenerate_answer(self, key: object, event: gr.EventData, request: gr.Request) -> PageState:
        """Write only the answer again, from the proposals that are there."""
        started = await self._context.chat.regenerate_answer(
            self._context.actor(request), _turn(event), request_key=inputs.request_key(key)
        )
        return await self._shown(request, key, started)

    @plainly
    async def resume(self, key: object, event: gr.EventData, request: gr.Request) -> PageState:
        """Call only what a turn lacks, then write its answer."""
        started = await self._context.chat.resume(
            self._context.actor(request), _turn(event), request_key=inputs.request_key(key)
        )
        return await self._shown(request, key, started)

    @plainly
    async def retry_slot(self, key: object, event: gr.EventData, request: gr.Request) -> PageState:
        """Ask one panel's model again, or another model in its place, and what comes after it."""
        model = inputs.event_field(event, "model")
        if model is not None and model not in {choice.id for choice in self._context.models.choices()}:
            raise InputRefused("Choose a model from the list.")
        started = await self._context.chat.retry_slot(
            self._context.actor(request),
            _turn(event),
            inputs.slot(inputs.event_field(event, "slot")),
            request_key=inputs.request_key(key),
            model=model,
        )
        return await self._shown(request, key, started)

    @plainly
    async def regenerate_column(self, key: object, event: gr.EventData, request: gr.Request) -> PageState:
        """Write one answer of a comparison again."""
        chat, actor = self._context.chat, self._context.actor(request)
        turn = await chat.turn(actor, _turn(event))
        column = columns.column_of(turn, inputs.event_field(event, "side"))
        if column is None:
            raise NotFound("answer")
        started = await chat.regenerate_column(actor, turn.id, column, request_key=inputs.request_key(key))
        return await self._shown(request, key, started)

    @plainly
    async def fork(self, conversation: object, event: gr.EventData, request: gr.Request) -> ForkJson:
        """The next question is to branch off after a turn of the conversation shown."""
        wanted = _turn(event)
        view = await self._context.chat.open(self._context.actor(request), inputs.required_id(conversation))
        turn = next((turn for turn in view.turns if turn.id == wanted), None)
        return render.fork(turn)

    @plainly
    async def unfork(self) -> ForkJson:
        """The next question goes to the end after all."""
        return render.fork(None)

    @skipping
    @with_mixture
    async def estimate(self, mixture: Mixture, versus: object, conversation: object, request: gr.Request) -> Any:
        """The button under the composer: what will answer, and what a question is likely to take.

        A mixture that can't be run yet is told when it is sent, not while it is put together.
        """
        context = self._context
        actor, opened, several = context.actor(request), inputs.optional_id(conversation), parse(versus)
        recipes = self._recipes(several, mixture) if several.on else (context.recipe(mixture),)
        found = [await context.chat.estimate(actor, recipe, opened) for recipe in recipes]
        tokens = sum(one.usage.input_tokens + one.usage.output_tokens for one in found)
        known = [one.cost_microusd for one in found if one.cost_microusd is not None]
        cost = money(sum(known)) if len(known) == len(found) else None
        title = texts.comparison([recipe.title for recipe in recipes], blind=several.blind and several.on)
        return texts.estimate(title, sum(one.calls for one in found), tokens, cost)

    @plainly
    async def example(self, event: gr.EventData) -> str:
        """A question of the first screen goes into the composer."""
        return inputs.text(inputs.event_field(event, "text"))

    async def _compare(self, actor: Actor, several: Versus, mixture: Mixture, **asked: Any) -> Started:
        recipes = self._recipes(several, mixture)
        return await self._context.chat.compare(
            actor, recipes=recipes, blind=several.blind, reuse=several.reuse, **asked
        )

    def _recipes(self, several: Versus, mixture: Mixture) -> tuple[Recipe, ...]:
        context = self._context
        made = recipes(several, mixture, context.recipes, context.make_recipe)
        names = named(made, context.models.label)
        return tuple(replace(recipe, title=names[recipe.digest]) for recipe in made)

    async def _shown(self, request: gr.Request, key: object, started: Started) -> PageState:
        context = self._context
        shown = state.shown(context, context.actor(request), started.conversation_id)
        return await state.turned(context, request, key, shown)


def _turn(event: gr.EventData) -> str:
    return inputs.required_id(inputs.event_field(event, "turn"), "turn")
