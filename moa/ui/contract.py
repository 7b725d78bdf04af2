"""The JSON between ``moa.ui.render`` and ``static/js/transcript.js``: one place, both sides read it.

Every text of a model or user travels as a plain JSON string and is rendered inert by the browser side.
Two components share one renderer: *settled* (``Settled``, sent at load and when a turn ends) and *live*
(``Live``, sent at every update).

Every component is a ``gr.HTML`` whose script calls ``mount(element, props, watch, trigger)`` of
``/moa-static/js/NAME.js``. The page links ``/moa-static/css/moa.css`` and loads ``/moa-static/js/page.js`` as a
module: the composer's keys, drafts, the theme, ``window.moa.{keyed,shown,toggleTheme}`` for Gradio's own events.

==========  ===========  ====================================================================================
module      value        events: payload (read with ``gr.EventData``)
==========  ===========  ====================================================================================
transcript  Settled      example: {text}; regenerate, regenerate_answer, resume, fork, show_turn: {turn};
                         retry_slot: {turn, slot, model} (model None: the same one again);
                         show_run: {turn, run}; edit: {turn, question}; vote: {turn, choice} (a side's letter,
                         "tie" or "bad"); tag: {turn, tags}; regenerate_column: {turn, side}
transcript  Live         stop_one: {slot} (its buttons are shown only with the prop ``stop_one=True``);
                         answer_now: {}
history     HistoryJson  open: {id, turn} (turn None: no place in it); gone: {} (the one shown was deleted).
                         All else it does itself over ``/moa/conversations``, see ``moa.api.conversations``.
fork        ForkJson     cancel: {}
versus      VersusJson   input: {on, picked, blind, reuse}, when the user edits; the value holds them too
mixer       MixerJson    input: {picked}, when the *user* edits; the value holds it too, as an input for other
                         handlers. Not "change": Gradio sends that itself, without a payload, also when the
                         server sets the value.
==========  ===========  ====================================================================================

``transcript`` tells settled from live by the element ids ``moa-settled`` and ``moa-live``.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

PanelStatusJson = Literal["waiting", "running", "done", "failed", "stopped"]


class PanelJson(TypedDict):
    """One slot. ``text`` is None when it was not sent: fetch ``/moa/turns/{turn}`` to fill it in."""

    slot: str  # "1.2"
    model: str  # label of the model
    label: str | None  # persona, e.g. "Careful"
    status: PanelStatusJson
    text: str | None
    reasoning: str
    seconds: float | None  # grows while running
    tokens: int | None
    estimated: bool  # tokens are an estimate
    cost: str | None  # "$0.0012", or None: unknown
    note: str | None  # "waiting 3 s", "cut at its limit", "left out: 2 turns", "reused"
    error: str | None  # plain words


class LayerJson(TypedDict):
    """Panels that were asked together. ``kind`` "analysis" is the analyst's own layer."""

    number: int
    kind: Literal["proposers", "analysis"]
    panels: list[PanelJson]


class TotalsJson(TypedDict):
    """Sums of a run, and what it had cost until now."""

    seconds: float | None
    first: float | None  # seconds to the answer's first words, once it has ended
    calls: int
    tokens: int | None
    estimated: bool
    cost: str | None


class TurnJson(TypedDict):
    """A question and the run shown for it.

    ``position`` on the path, from 1. ``attempts``: the turn's runs by id, oldest first, ``run`` among them.
    ``siblings``: turns that branch off at the same place, oldest first, this one among them. ``mend``: what is offered
    for a turn that did not end well: go on with what is there, or all of it again, both by the event "resume".
    A turn asked in several columns has a ``comparison``, which holds them all; its own ``layers`` are then empty and
    its ``answer`` None, and ``status`` and ``totals`` are of all columns together.
    """

    id: str
    run: str
    position: int
    attempts: list[str]
    siblings: list[str]
    question: str
    recipe: str  # title
    status: Literal["running", "complete", "degraded", "failed", "cancelled", "interrupted"]
    layers: list[LayerJson]
    answer: PanelJson | None
    notice: str | None  # "2 of 3 proposers · missing X (timed out)", or what happened in plain words
    totals: TotalsJson
    mend: Literal["resume", "retry"] | None
    comparison: ComparisonJson | None


Side = Literal["A", "B", "C", "D"]


class ColumnJson(TypedDict):
    """One answer of a comparison. ``turn`` is the column's own run as a turn, without a comparison.

    Where names are hidden it holds only question, status, the answer's text and whether it failed: ``recipe`` and all
    names are "", its ids and slots say nothing, ``layers`` is empty, no figure is known.
    """

    side: Side
    turn: TurnJson


class VoteJson(TypedDict):
    """What the user thinks of a comparison. ``blind``: said before names were shown. ``stale``: said of other answers
    than those shown now, of which one was written again since."""

    choice: Side | Literal["tie", "bad"]
    blind: bool
    stale: bool


class ComparisonJson(TypedDict):
    """Answers side by side, from left to right. ``hidden``: names are not shown until the vote. ``votable``: every
    column has ended. ``tags`` are the user's own words for the kind of question."""

    hidden: bool
    votable: bool
    columns: list[ColumnJson]
    vote: VoteJson | None
    tags: list[str]


class Settled(TypedDict):
    """The transcript without the live turn. ``conversation`` None is the first screen. ``focus``: a turn to scroll
    to."""

    conversation: str | None
    turns: list[TurnJson]
    welcome: Welcome | None
    focus: str | None


class Live(TypedDict):
    """The turn that runs, or None. ``ended`` True is its last view: the node then moves into the transcript."""

    conversation: str | None
    turn: TurnJson | None
    ended: bool


class Welcome(TypedDict):
    """The first screen: one sentence, three questions to click, and what the embedded model is good for."""

    title: str
    sentence: str
    examples: list[str]
    model: str | None  # "loading model", an error with what to do, or None: ready
    hint: str | None  # said once: small model, and the two lines that add a provider


class EntryJson(TypedDict):
    """A line of the history."""

    id: str
    title: str
    at: str  # last change, ISO 8601 with an offset; the browser names the day in its own time zone
    running: bool
    pinned: bool


class HistoryJson(TypedDict):
    """The first page of the sidebar's list: pinned ones, then newest first. ``current`` is the one shown; ``next`` is
    given as ``before`` for the next page, None when there is none."""

    entries: list[EntryJson]
    current: str | None
    next: str | None


class ForkJson(TypedDict):
    """The turn that the next question branches off after, or None: it goes to the end."""

    turn: str | None
    question: str | None


class ChoiceJson(TypedDict):
    """A model that can be picked, or that could be with the variable that ``needs`` names."""

    id: str
    label: str
    provider: str
    needs: str | None  # "TOGETHER_API_KEY"
    note: str | None  # "128k context", "runs here"


class PickedJson(TypedDict):
    """Proposers of one model: ``count`` of them, at least 1."""

    model: str
    label: NotRequired[str | None]
    count: int


class MixerJson(TypedDict):
    """The picker of proposers. ``max`` bounds the sum of the counts."""

    choices: list[ChoiceJson]
    picked: list[PickedJson]
    max: int


class SystemJson(TypedDict):
    """What may answer in a further column: a recipe, the mixture's own aggregator alone, or a model by itself."""

    id: str  # "recipe:local", "aggregator", "model:embedded/smollm2"
    label: str
    group: Literal["own", "recipe", "model"]
    needs: str | None  # as in ChoiceJson


class OpponentJson(TypedDict):
    """A further column: what answers there, and its temperature where it is not the system's own."""

    system: str
    temperature: float | None


class VersusJson(TypedDict):
    """The compare bar. The first column is what the settings describe; ``picked`` are those beside it, one to ``max``.

    ``on``: questions are asked in all columns. ``blind``: names stay hidden until the vote. ``reuse``: a call that two
    columns would make alike is made once.
    """

    on: bool
    choices: list[SystemJson]
    picked: list[OpponentJson]
    blind: bool
    reuse: bool
    max: int
