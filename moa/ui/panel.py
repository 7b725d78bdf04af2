"""What the settings panel's events do, and the line about the embedded model."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from moa.core.domain import Recipe
from moa.core.errors import InputRefused
from moa.ui import inputs, texts
from moa.ui.context import Context, plainly, warn
from moa.ui.contract import MixerJson, SystemJson, VersusJson
from moa.ui.fields import with_mixture
from moa.ui.link import linked
from moa.ui.mixture import Mixture, mixer_json, of_recipe, picked
from moa.ui.ports import ModelChoice
from moa.ui.versus import Versus, missing_key, named, parse, versus_json
from moa.ui.versus import choices as versus_choices

_KEEP_ALIVE_S = 2.0


class PanelState(NamedTuple):
    """One value for each field of the panel, in the order of ``moa.ui.page.Parts.panel``.

    ``recipe`` is the list that the user sees, ``summary`` the button under the composer that says what will answer,
    ``base`` the recipe that the other fields started from. ``versus`` is the compare bar: no part of the mixture.
    """

    recipe: Any
    calls: Any
    summary: Any
    base: Any
    mixer: Any
    aggregator: Any
    layers: Any
    temperature: Any
    system: Any
    versus: Any


class Panel:
    """The events of the settings panel."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @plainly
    async def load(self, link: object) -> tuple[Any, ...]:
        """The default recipe, or what the page's address asks for, with the models that are there now.

        Gives the composer's text and the panel. Nothing is sent by itself.
        """
        asked, recipes = linked(link), self._context.recipes
        base = asked.recipe if asked.recipe in recipes else self._context.default_recipe
        opponents, unknown = named(asked.versus, self._systems(), without=base)
        if asked.recipe and base != asked.recipe:
            unknown = (asked.recipe[:60], *unknown)
        if unknown:
            warn(texts.not_offered(unknown))
        several = Versus(on=True, picked=opponents, blind=asked.blind) if opponents else Versus()
        return asked.question or gr.skip(), *self.filled(of_recipe(recipes[base]), several)

    @plainly
    async def pick(self, recipe: object) -> PanelState:
        """A recipe was chosen: its values fill the panel. "Custom" keeps what is there."""
        if recipe == texts.CUSTOM_ID:
            return PanelState(*[gr.skip()] * len(PanelState._fields))
        if not isinstance(recipe, str) or recipe not in self._context.recipes:
            raise InputRefused(f"{texts.RECIPE}: choose one from the list.")
        return self.filled(of_recipe(self._context.recipes[recipe]))

    @plainly
    @with_mixture
    async def change(self, mixture: Mixture) -> tuple[str, str, str]:
        """A field was changed: the mixture is the user's own from now on. Gives recipe, calls and summary."""
        return _own(mixture)

    @plainly
    @with_mixture
    async def change_mixer(self, mixture: Mixture, event: gr.EventData) -> tuple[str, str, str, MixerJson]:
        """The proposers were changed. Gives recipe, calls, summary and the picker's value."""
        changed = replace(mixture, picked=picked(inputs.event_field(event, "picked")))
        return *_own(changed), mixer_json(self._context.models.choices(), changed.picked)

    @plainly
    @with_mixture
    async def refresh(self, mixture: Mixture, versus: object) -> tuple[MixerJson, Any, VersusJson]:
        """Ask the providers for their models again. Gives the picker's value, the aggregators to choose from and the
        compare bar's value."""
        await self._context.models.refresh()
        choices = self._context.models.choices()
        bar = versus_json(parse(versus), self._systems())
        return mixer_json(choices, mixture.picked), gr.update(choices=_named(choices)), bar

    async def model_status(self) -> AsyncIterator[str]:
        """The line about the embedded model, until it is ready or has given up."""
        models = self._context.models
        yield status_line(models.problem())
        while not models.settled():
            await models.wait_change(_KEEP_ALIVE_S)
            yield status_line(models.problem())

    def filled(self, values: Mixture, versus: Versus | None = None) -> PanelState:
        """The panel for a mixture; without ``versus`` the compare bar stays as it is."""
        choices = self._context.models.choices()
        return PanelState(
            recipe=gr.update(choices=self.recipes(), value=values.base),
            calls=calls_line(values.calls),
            summary=texts.summary(self._context.recipes[values.base].title, values.calls),
            base=values.base,
            mixer=mixer_json(choices, values.picked),
            aggregator=gr.update(choices=_named(choices), value=values.aggregator),
            layers=values.layers,
            temperature=values.temperature,
            system=values.system,
            versus=gr.skip() if versus is None else versus_json(versus, self._systems()),
        )

    def bar(self) -> VersusJson:
        """The compare bar as a page opens with it."""
        return versus_json(Versus(), self._systems())

    def _systems(self) -> list[SystemJson]:
        return versus_choices(self._context.recipes, self._context.models.choices())

    def recipes(self) -> list[tuple[str, str]]:
        """Titles and ids of what can be picked; a missing key is named."""
        needs = {choice.id: choice.needs for choice in self._context.models.choices()}
        named = [(_titled(recipe, needs), recipe.id) for recipe in self._context.recipes.values()]
        return [*named, (texts.CUSTOM_TITLE, texts.CUSTOM_ID)]


def _own(changed: Mixture) -> tuple[str, str, str]:
    return texts.CUSTOM_ID, calls_line(changed.calls), texts.summary(texts.CUSTOM_TITLE, changed.calls)


def calls_line(count: int) -> str:
    """The number of calls beside the layers, as markup."""
    return f"<span>{html.escape(texts.calls(count))}</span>"


def status_line(problem: str | None) -> str:
    """The line above the composer, as markup; empty when the model is ready."""
    return f"<p role='status'>{html.escape(problem)}</p>" if problem else ""


def _named(choices: Sequence[ModelChoice]) -> list[tuple[str, str]]:
    return [(f"{c.label} (needs {c.needs})" if c.needs else c.label, c.id) for c in choices]


def _titled(recipe: Recipe, needs: dict[str, str | None]) -> str:
    missing = missing_key(recipe, needs)
    return f"{recipe.title} (needs {missing})" if missing else recipe.title
