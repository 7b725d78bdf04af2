"""The page: Gradio's shell (sidebars, composer, queue) around our own transcript, history and proposer picker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from moa.ui import components, mixture, render, scripts, texts
from moa.ui.asking import Asking
from moa.ui.context import Context
from moa.ui.contract import HistoryJson
from moa.ui.handlers import Handlers
from moa.ui.panel import Panel, PanelState, status_line
from moa.ui.state import PageState
from moa.ui.tool import Tool, add_tool

QUEUE_SIZE = 200
STREAMS = 400  # events at once, each page's stream among them; Gradio's own default of 40 would be the cap
_STEPS = ("show_run", "show_turn")
_MENDS = ("regenerate_answer", "resume", "retry_slot", "regenerate_column")
_VOTES = ("vote", "tag")
_SETTLED_EVENTS = ("example", "edit", "regenerate", *_MENDS, *_STEPS, *_VOTES, "fork")
_LIVE_EVENTS = ("stop_one", "answer_now")
_EVENT: dict[str, Any] = {
    "concurrency_limit": None,  # admission is the service's
    "api_visibility": "private",
    "show_progress": "hidden",
    "preprocess": False,  # the handlers check raw values themselves
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The page's components. ``state`` and ``panel`` are outputs in the order of PageState and PanelState."""

    message: gr.Textbox
    key: gr.Textbox
    status: gr.HTML
    new_chat: gr.Button
    theme: gr.Button
    state: PageState
    panel: PanelState

    @property
    def settings(self) -> list[Any]:
        """The fields that describe a mixture, in the order of ``mixture.parse``."""
        return list(self.panel[3:-1])

    @property
    def several(self) -> list[Any]:
        """The same and the compare bar: what answers the next question, in one column or more."""
        return list(self.panel[3:])


def build_page(context: Context, tool: Tool | None = None) -> gr.Blocks:
    """The whole page, and beside it the ``tool``. Mount it with ``moa.ui.mount``; it serves nothing by itself."""
    handlers, asking, panel = Handlers(context), Asking(context), Panel(context)
    page = gr.Blocks(title=texts.TITLE, fill_width=True, fill_height=True, analytics_enabled=False)
    with page:
        parts = _draw(context, panel)
        _wire_conversations(page, parts, handlers)
        _wire_asking(parts, handlers, asking)
        _wire_panel(page, parts, panel, asking)
        if tool is not None:
            add_tool(tool)
    page.max_threads = STREAMS
    page.queue(api_open=False, max_size=QUEUE_SIZE)
    _calm(page)
    return page


def _calm(page: gr.Blocks) -> None:
    """Gradio looks for new events a thousand times a second, and for progress bars a hundred times: 4 % of a core for
    an app that nobody uses. At these rates it is under 1 %, and an event waits 10 ms at most."""
    queue = page._queue  # noqa: SLF001 - there is no setting for these
    queue.sleep_when_free = 0.01
    queue.progress_update_sleep_when_free = 1.0


def _draw(context: Context, panel: Panel) -> Parts:
    with gr.Sidebar(elem_id="moa-sidebar", width=272):
        gr.HTML(f"<span class='moa-brand'>{texts.TITLE}</span>", elem_id="moa-brand", apply_default_css=False)
        new_chat = gr.Button(texts.NEW_CHAT, elem_id="moa-new", size="sm")
        nothing = HistoryJson(entries=[], current=None, next=None)
        history = components.component("history", nothing, elem_id="moa-history", events=("open", "gone"))
        gr.HTML(f"<a href='results'>{texts.RESULTS}</a>", elem_id="moa-results-link", apply_default_css=False)
        theme = gr.Button(texts.THEME, elem_id="moa-theme", size="sm", variant="secondary")
    with gr.Column(elem_id="moa-main"):
        first = render.first_screen(context.hint)
        settled = components.component("transcript", first, elem_id="moa-settled", events=_SETTLED_EVENTS)
        live = components.component(
            "transcript", render.nothing_live(None), elem_id="moa-live", events=_LIVE_EVENTS, stop_one=True
        )
    with gr.Column(elem_id="moa-dock", scale=0):
        status = gr.HTML(status_line(context.models.problem()), elem_id="moa-status", apply_default_css=False)
        fork = components.component("fork", render.fork(None), elem_id="moa-fork", events=("cancel",))
        with gr.Row(elem_id="moa-composer"):
            message = _message()
            stop = gr.Button(texts.STOP, elem_id="moa-stop", variant="stop", visible=False, scale=0, min_width=88)
            # Off until the page has loaded: what loading shows could reach the browser after a question's own.
            send = gr.Button(
                texts.SEND, elem_id="moa-send", variant="primary", scale=0, min_width=88, interactive=False
            )
        versus = components.component("versus", panel.bar(), elem_id="moa-versus", events=("input",))
        hidden = [gr.Textbox(visible="hidden", label=name) for name in ("conversation", "head", "run", "key")]
        summary = gr.Button(elem_id="moa-summary", variant="secondary", size="sm")
    conversation, head, run, key = hidden
    state = PageState(conversation, head, run, settled, live, history, fork, stop, send)
    return Parts(message, key, status, new_chat, theme, state, _draw_panel(context, panel, summary, versus))


def _message() -> gr.Textbox:
    return gr.Textbox(
        label=texts.MESSAGE,
        placeholder=texts.MESSAGE_PLACEHOLDER,
        elem_id="moa-message",
        lines=1,
        max_lines=8,
        autofocus=True,
        scale=1,
        container=False,
    )


def _draw_panel(context: Context, panel: Panel, summary: gr.Button, versus: gr.HTML) -> PanelState:
    values = mixture.of_recipe(context.recipes[context.default_recipe])
    filled = panel.filled(values)
    summary.value = filled.summary
    with gr.Sidebar(elem_id="moa-settings", position="right", open=False, width=340):
        gr.HTML(f"<h2>{texts.SETTINGS}</h2>", apply_default_css=False)
        base = gr.Textbox(values.base, visible="hidden", label="base")
        recipe = gr.Dropdown(panel.recipes(), value=values.base, label=texts.RECIPE, elem_id="moa-recipe")
        mixer = components.component("mixer", filled.mixer, elem_id="moa-mixer", events=("input",))
        aggregator = gr.Dropdown(
            filled.aggregator["choices"],
            value=values.aggregator,
            label=texts.AGGREGATOR,
            elem_id="moa-aggregator",
        )
        layers = gr.Slider(
            1, mixture.MAX_LAYERS, values.layers, step=1, label=texts.LAYERS, info=texts.LAYERS_INFO,
            elem_id="moa-layers",
        )  # fmt: skip
        calls = gr.HTML(filled.calls, elem_id="moa-calls", apply_default_css=False)
        temperature = gr.Number(
            values.temperature, label=texts.TEMPERATURE, info=texts.TEMPERATURE_INFO, placeholder=texts.TEMPERATURE_OWN,
            minimum=0, maximum=mixture.MAX_TEMPERATURE, step=0.1, elem_id="moa-temperature",
        )  # fmt: skip
        system = gr.Textbox(
            values.system,
            label=texts.SYSTEM,
            placeholder=texts.SYSTEM_PLACEHOLDER,
            lines=3,
            elem_id="moa-system",
        )
        refresh = gr.Button(texts.REFRESH, elem_id="moa-refresh", size="sm", variant="secondary")
    fields = PanelState(recipe, calls, summary, base, mixer, aggregator, layers, temperature, system, versus)
    refresh.click(panel.refresh, list(fields[3:]), [mixer, aggregator, versus], **_EVENT)
    return fields


def _wire_conversations(page: gr.Blocks, parts: Parts, handlers: Handlers) -> None:
    state = parts.state
    follow = _follower(parts, handlers)
    follow(page.load(handlers.load, state.conversation, list(state), js=scripts.FROM_ADDRESS, **_EVENT))
    chosen: dict[str, Any] = {"inputs": [parts.key], "outputs": list(state), "js": scripts.CHOSEN, **_EVENT}
    follow(state.history.open(handlers.open, trigger_mode="multiple", **chosen))
    for leaves in (parts.new_chat.click, state.history.gone):
        # At once in the browser: a question that is sent before the server answers must not go where the page was.
        leaves(None, None, [state.conversation, state.head, state.run], js=scripts.NOWHERE)
        leaves(handlers.first_screen, **chosen)
    for name in (*_STEPS, *_VOTES):
        event = getattr(state.settled, name)
        shown = [state.conversation, parts.key]
        follow(event(getattr(handlers, name), shown, list(state), js=scripts.CHOSEN_IN, **_EVENT))
    state.live.stop_one(handlers.stop_one, state.run, None, **_EVENT)
    state.live.answer_now(handlers.answer_now, state.run, None, **_EVENT)
    state.stop.click(handlers.stop, state.run, None, **_EVENT)
    state.conversation.change(None, state.conversation, None, js=scripts.TO_ADDRESS)
    parts.theme.click(None, None, None, js=scripts.TOGGLE_THEME)


def _wire_asking(parts: Parts, handlers: Handlers, asking: Asking) -> None:
    state = parts.state
    follow = _follower(parts, handlers)
    start_inputs = [parts.message, state.conversation, state.head, state.fork, *parts.several, parts.key]
    start: dict[str, Any] = {
        "fn": asking.start,
        "inputs": start_inputs,
        "outputs": [parts.message, *state],
        "js": scripts.keyed(len(start_inputs), binding=4),
        **_EVENT,
    }
    follow(gr.on([parts.message.submit, state.send.click], **start))
    follow(state.settled.example(asking.example, None, parts.message, **_EVENT).success(**start))
    for asked, settings in ((asking.edit, parts.several), (asking.regenerate, parts.settings)):
        again_inputs = [*settings, parts.key]
        again = scripts.keyed(len(again_inputs), binding=0)
        follow(getattr(state.settled, asked.__name__)(asked, again_inputs, list(state), js=again, **_EVENT))
    alone = scripts.keyed(1, binding=0)
    for name in _MENDS:
        event = getattr(state.settled, name)
        follow(event(getattr(asking, name), [parts.key], list(state), js=alone, **_EVENT))
    state.settled.fork(asking.fork, state.conversation, state.fork, **_EVENT)
    state.fork.cancel(asking.unfork, None, state.fork, **_EVENT)


def _wire_panel(page: gr.Blocks, parts: Parts, panel: Panel, asking: Asking) -> None:
    fields = parts.panel

    def estimated(event: Any) -> None:
        event.success(asking.estimate, told_of, fields.summary, **_EVENT)

    told_of = [*parts.several, parts.state.conversation]
    estimated(page.load(panel.load, parts.key, [parts.message, *fields], js=scripts.LINKED, **_EVENT))
    page.load(panel.model_status, None, parts.status, **_EVENT)
    estimated(fields.recipe.input(panel.pick, fields.recipe, list(fields), **_EVENT))
    told = [fields.recipe, fields.calls, fields.summary]
    for field in (fields.aggregator, fields.layers, fields.temperature, fields.system):
        estimated(field.input(panel.change, parts.settings, told, trigger_mode="always_last", **_EVENT))
    picked = [*told, fields.mixer]
    estimated(fields.mixer.input(panel.change_mixer, parts.settings, picked, trigger_mode="always_last", **_EVENT))
    for changes in (parts.state.head.change, fields.versus.input):
        changes(asking.estimate, told_of, fields.summary, **_EVENT)
    fields.summary.click(None, None, None, js=scripts.OPEN_SETTINGS)


def _follower(parts: Parts, handlers: Handlers) -> Callable[[Any], None]:
    """What comes after an event that may have a run to follow: its stream, then what the store holds."""

    def follow(event: Any) -> None:
        stream = event.success(
            handlers.watch,
            parts.state.run,
            parts.state.live,
            trigger_mode="multiple",
            stream_every=0.1,
            **_EVENT,
        )
        over = [parts.state.run, parts.state.conversation]
        for ends in (stream.then, stream.failure):  # Gradio does not go on to "then" after an error
            ends(handlers.finish, over, list(parts.state), **_EVENT)

    return follow
