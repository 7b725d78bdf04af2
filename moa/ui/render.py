"""From a turn's view to the JSON that the page draws. Pure: no input or output, nothing of gradio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from moa.chat.values import ConversationView, TurnView
from moa.core.domain import Failure, Finish, Outcome, Part, Proposal, Status
from moa.core.money import money
from moa.core.view import Panel, PanelStatus, RunView
from moa.ui import columns, texts
from moa.ui.contract import ForkJson, LayerJson, Live, PanelJson, Settled, TotalsJson, TurnJson, Welcome

LabelOf = Callable[[str], str]

_UNFINISHED = (Status.FAILED, Status.CANCELLED, Status.INTERRUPTED)


def turn_json(turn: TurnView, label_of: LabelOf, *, proposals: bool = True) -> TurnJson:
    """A turn. Without ``proposals`` their texts are None: the page fetches them when a layer is opened."""
    if not turn.columns:
        return _single(turn, label_of, proposals=proposals)
    compared = columns.comparison_json(turn, lambda view: _single(view, label_of, proposals=proposals))
    shown = [column["turn"]["totals"] for column in compared["columns"]]
    return TurnJson(
        id=turn.id,
        run=turn.run_id,
        position=turn.position,
        attempts=[turn.run_id],
        siblings=list(turn.siblings),
        question=turn.question,
        recipe=columns.title_of(turn),
        status=columns.status_of(turn),
        layers=[],
        answer=None,
        notice=None if all(view.saved for view in turn.sides) else texts.NOT_SAVED,
        totals=columns.totals_of(turn, shown, [view.view for view in turn.sides]),
        mend=None,
        comparison=compared,
    )


def _single(turn: TurnView, label_of: LabelOf, *, proposals: bool) -> TurnJson:
    view = turn.view
    answer = view.answer()
    return TurnJson(
        id=turn.id,
        run=turn.run_id,
        position=turn.position,
        attempts=list(turn.attempts),
        siblings=list(turn.siblings),
        question=turn.question,
        recipe=view.recipe.title if view.recipe else "",
        status=view.status.value,
        layers=[_layer(number, panels, view, label_of, proposals) for number, panels in view.layers()],
        answer=_panel(answer, view, label_of) if answer else None,
        notice=notice(view, saved=turn.saved),
        totals=_totals(view),
        mend=_mend(view),
        comparison=None,
    )


def settled(conversation: ConversationView, label_of: LabelOf, *, focus: str | None = None) -> Settled:
    """A conversation without the turns that still run. Only its newest turn carries its proposals' texts."""
    done = [turn for turn in conversation.turns if not turn.running]
    newest = done[-1].id if done else None
    turns = [turn_json(turn, label_of, proposals=turn.id == newest) for turn in done]
    return Settled(conversation=conversation.id, turns=turns, welcome=None, focus=focus)


def first_screen(hint: str | None) -> Settled:
    """The page before the first question."""
    welcome = Welcome(title=texts.TITLE, sentence=texts.SENTENCE, examples=list(texts.EXAMPLES), model=None, hint=hint)
    return Settled(conversation=None, turns=[], welcome=welcome, focus=None)


def live(turn: TurnView, label_of: LabelOf) -> Live:
    """The turn that runs, or its last view."""
    return Live(conversation=turn.conversation_id, turn=turn_json(turn, label_of), ended=not turn.running)


def fork(turn: TurnView | None) -> ForkJson:
    """Where the next question branches off; nowhere with None."""
    return ForkJson(turn=turn.id if turn else None, question=turn.question if turn else None)


def nothing_live(conversation_id: str | None) -> Live:
    """No turn runs."""
    return Live(conversation=conversation_id, turn=None, ended=False)


def _mend(view: RunView) -> Literal["resume", "retry"] | None:
    if view.status not in _UNFINISHED:
        return None
    return "resume" if any(isinstance(outcome, Proposal) for outcome in _outcomes(view)) else "retry"


def notice(view: RunView, *, saved: bool = True) -> str | None:
    """What is missing from an answer, or what happened, in plain words."""
    told = [_happened(view), None if saved else texts.NOT_SAVED]
    return " · ".join(filter(None, told)) or None


def _happened(view: RunView) -> str | None:
    match view.status:
        case Status.CANCELLED:
            return texts.STOPPED
        case Status.INTERRUPTED:
            return texts.INTERRUPTED
        case Status.FAILED:
            return _failed(view)
        case _:
            return _degraded(view)


def _degraded(view: RunView) -> str | None:
    proposers = {panel.slot: panel for panel in view.panels.values() if panel.agent.part is Part.PROPOSER}
    absent = [texts.missing(m.label, m.why) for m in view.degraded if m.slot in proposers]
    told = [f"{m.label}: {m.why}" if m.label else m.why for m in view.degraded if m.slot not in proposers]
    got = sum(isinstance(panel.outcome, Proposal) for panel in proposers.values())
    if absent:
        told[:0] = [texts.proposers(got, len(proposers)), "missing " + ", ".join(absent)]
    if view.result is not None and view.result.answer_slot in proposers:
        told.append(texts.BEST_SINGLE)
    elif view.result is not None and absent and not got:
        told.append(texts.ALONE)
    return " · ".join(told) or None


def _failed(view: RunView) -> str:
    answer = view.answer()
    outcomes: Sequence[Outcome | None] = [answer.outcome if answer else None, *_outcomes(view)]
    failure = next((o for o in outcomes if isinstance(o, Failure)), None)
    return f"{texts.NO_ANSWER} {failure.public}" if failure else texts.NO_ANSWER


def _outcomes(view: RunView) -> list[Outcome]:
    return [panel.outcome for panel in view.panels.values() if panel.outcome is not None]


def _layer(number: int, panels: list[Panel], view: RunView, label_of: LabelOf, texts_too: bool) -> LayerJson:
    analysis = all(panel.agent.part is Part.ANALYST for panel in panels)
    drawn = [_panel(panel, view, label_of, text=texts_too) for panel in panels]
    return LayerJson(number=number, kind="analysis" if analysis else "proposers", panels=drawn)


def _panel(panel: Panel, view: RunView, label_of: LabelOf, *, text: bool = True) -> PanelJson:
    outcome = panel.outcome
    usage = outcome.usage if isinstance(outcome, Proposal) else None
    return PanelJson(
        slot=str(panel.slot),
        model=label_of(panel.agent.model),
        label=panel.agent.label,
        status=panel.status.value,
        text=panel.text if text else None,
        reasoning=panel.reasoning if text else "",
        seconds=_seconds(panel, view),
        tokens=usage.output_tokens if usage else None,
        estimated=bool(usage and usage.estimated),
        cost=money(outcome.cost_microusd) if isinstance(outcome, Proposal) else None,
        note=_note(panel),
        error=outcome.public if isinstance(outcome, Failure) else None,
    )


def _seconds(panel: Panel, view: RunView) -> float | None:
    if panel.outcome is not None:
        return round(panel.outcome.duration_ms / 1000, 1)
    if panel.status is PanelStatus.RUNNING and panel.started_ms is not None:
        return round(max(0, view.at_ms - panel.started_ms) / 1000, 1)
    return None


def _note(panel: Panel) -> str | None:
    notes = []
    if panel.retrying:
        notes.append(texts.waiting(-(-panel.retrying.wait_ms // 1000) if panel.retrying.wait_ms >= 500 else 0))
    if isinstance(panel.outcome, Proposal):
        notes += [texts.CUT] if panel.outcome.finish is Finish.LENGTH else []
        notes += [texts.REUSED] if panel.outcome.reused else []
    if panel.left_out:
        notes.append(texts.left_out(panel.left_out.turns, panel.left_out.proposal_chars))
    return " · ".join(notes) or None


def _totals(view: RunView) -> TotalsJson:
    result = view.result
    usage = result.usage if result else view.usage()
    first_ms = result.first_answer_ms if result else None
    begun = sum(panel.status is not PanelStatus.WAITING for panel in view.panels.values())
    return TotalsJson(
        seconds=round((result.duration_ms if result else view.at_ms) / 1000, 1),
        first=round(first_ms / 1000, 1) if first_ms is not None else None,
        calls=result.calls if result else begun,
        tokens=usage.input_tokens + usage.output_tokens if usage else None,
        estimated=bool(usage and usage.estimated),
        cost=money(result.cost_microusd if result else _cost_so_far(view)),
    )


def _cost_so_far(view: RunView) -> int | None:
    costs = [o.cost_microusd for o in _outcomes(view) if isinstance(o, Proposal)]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None
