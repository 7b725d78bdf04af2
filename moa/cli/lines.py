"""A run as lines for a terminal: one for each agent, one for the whole. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from moa.core.domain import Failure, Finish, Outcome, Part, Proposal, Status
from moa.core.errors import short_reason
from moa.core.money import money
from moa.core.text import clean, estimate_tokens
from moa.core.view import Panel, PanelStatus, RunView

LabelOf = Callable[[str], str]
"""A model's name for people, by its id."""
NoteOf = Callable[[str], str | None]
"""What keeps a model from beginning, by its id: it is still being loaded."""

_STYLES = {"✓": "green", "✗": "red", "■": "yellow", "…": "cyan", " ": "dim"}
_MARKS = {
    PanelStatus.WAITING: " ",
    PanelStatus.RUNNING: "…",
    PanelStatus.DONE: "✓",
    PanelStatus.FAILED: "✗",
    PanelStatus.STOPPED: "■",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One agent as it stands. ``seconds`` and ``tokens`` are empty while unknown; "~" marks an estimate."""

    mark: str
    where: str
    label: str
    status: str
    seconds: str
    tokens: str


def lines(view: RunView, label_of: LabelOf, note_of: NoteOf = lambda _: None) -> list[Line]:
    """All agents of a run in order of their slots."""
    return [_line(panel, view, label_of, note_of) for _, panel in sorted(view.panels.items())]


def drawn(agents: list[Line]) -> Group:
    """The lines in columns."""
    table = Table.grid(padding=(0, 2), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True, overflow="ellipsis")
    for _ in range(2):
        table.add_column(no_wrap=True, justify="right")
    for line in agents:
        mark = Text(line.mark, _STYLES[line.mark])
        table.add_row(mark, *map(Text, (line.where, line.label, line.status, line.seconds, line.tokens)))
    return Group(table)


def summary(view: RunView) -> str:
    """What the whole run took: ``2 layers · 4 calls · 3.2 s · 1,204 tokens · $0.0021``."""
    result, recipe = view.result, view.recipe
    if result is None or recipe is None:
        return ""
    usage = result.usage
    tokens = usage.input_tokens + usage.output_tokens if usage else None
    told = [
        counted(recipe.layer_count, "layer"),
        counted(result.calls, "call"),
        f"{result.duration_ms / 1000:.1f} s",
        f"{'~' if usage and usage.estimated else ''}{counted(tokens, 'token')}" if tokens is not None else "",
        money(result.cost_microusd) or "",
    ]
    return " · ".join(filter(None, told))


def notice(view: RunView) -> str:
    """What went wrong in a run that has ended, in one line; empty when nothing did."""
    if view.status is Status.FAILED:
        outcomes: list[Outcome] = [panel.outcome for panel in view.panels.values() if panel.outcome is not None]
        failed = next((o for o in reversed(outcomes) if isinstance(o, Failure)), None)
        return f"No answer. {failed.public}" if failed else "No answer."
    if view.status is Status.CANCELLED:
        return "Stopped before there was an answer."
    if view.status is Status.INTERRUPTED:
        return "The app ended before there was an answer."
    if not view.degraded:
        return ""
    told = (f"{missing.label} ({missing.why})" if missing.label else missing.why for missing in view.degraded)
    return clean(f"Missing: {', '.join(told)}")


def counted(count: int, what: str) -> str:
    """``1 layer``, ``1,204 tokens``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _line(panel: Panel, view: RunView, label_of: LabelOf, note_of: NoteOf) -> Line:
    where = "answer" if panel.agent.part is Part.AGGREGATOR else f"layer {panel.slot.layer}"
    label = " ".join(clean(panel.agent.label or label_of(panel.agent.model)).split())
    status = _status(panel, note_of)
    return Line(_MARKS[panel.status], where, label, status, _seconds(panel, view), _tokens(panel))


def _status(panel: Panel, note_of: NoteOf) -> str:
    outcome = panel.outcome
    if isinstance(outcome, Failure):
        return short_reason(outcome.kind)
    if isinstance(outcome, Proposal):
        return "cut off at its limit" if outcome.finish is Finish.LENGTH else "done"
    if panel.status is PanelStatus.RUNNING:
        return _doing(panel, note_of)
    return "waits" if panel.status is PanelStatus.WAITING else "stopped"


def _doing(panel: Panel, note_of: NoteOf) -> str:
    if panel.retrying is not None:
        wait_s = -(-panel.retrying.wait_ms // 1000)
        return f"{short_reason(panel.retrying.kind)}, again in {wait_s} s"
    if panel.text:
        return "writes"
    return "thinks" if panel.reasoning else note_of(panel.agent.model) or "asked"


def _seconds(panel: Panel, view: RunView) -> str:
    if panel.outcome is not None:
        return f"{panel.outcome.duration_ms / 1000:.1f} s"
    if panel.started_ms is None:
        return ""
    return f"{max(0, view.at_ms - panel.started_ms) / 1000:.1f} s"


def _tokens(panel: Panel) -> str:
    if isinstance(panel.outcome, Proposal):
        usage = panel.outcome.usage
        return f"{'~' if usage.estimated else ''}{counted(usage.output_tokens, 'token')}" if usage else ""
    return f"~{counted(estimate_tokens(panel.text), 'token')}" if panel.text else ""
