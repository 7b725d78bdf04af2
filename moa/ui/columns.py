"""A comparison's columns as the page's JSON, with all that would tell them apart left out until the vote. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

from moa.chat.values import BAD, TIE, TurnView
from moa.core.domain import Status
from moa.core.money import money
from moa.core.view import RunView
from moa.ui import texts
from moa.ui.contract import ColumnJson, ComparisonJson, PanelJson, PanelStatusJson, Side, TotalsJson, TurnJson, VoteJson

SIDES: tuple[Side, ...] = get_args(Side)
_ENDED_BADLY = (Status.FAILED, Status.CANCELLED, Status.INTERRUPTED)
NO_TOTALS = TotalsJson(seconds=None, first=None, calls=0, tokens=None, estimated=False, cost=None)

Draw = Callable[[TurnView], TurnJson]


def comparison_json(turn: TurnView, draw: Draw) -> ComparisonJson:
    """All columns from left to right, each drawn by ``draw`` once names may be told."""
    sides = turn.sides
    drawn = [_hidden(view, side) if turn.hidden else draw(view) for side, view in zip(SIDES, sides, strict=False)]
    return ComparisonJson(
        hidden=turn.hidden,
        votable=not turn.running,
        columns=[ColumnJson(side=side, turn=column) for side, column in zip(SIDES, drawn, strict=False)],
        vote=_vote(turn),
        tags=list(turn.vote.tags) if turn.vote else [],
    )


def voted(turn: TurnView, choice: str) -> str | None:
    """A vote as the service takes it: the run on a side, ``TIE`` or ``BAD``; None for what is none of them."""
    runs = dict(zip(SIDES, (view.run_id for view in turn.sides), strict=False))
    return choice if choice in (TIE, BAD) else {str(side): run for side, run in runs.items()}.get(choice)


def column_of(turn: TurnView, side: object) -> int | None:
    """The number of the column on a side."""
    columns = {str(name): view.column for name, view in zip(SIDES, turn.sides, strict=False)}
    return columns.get(side) if isinstance(side, str) else None


def status_of(turn: TurnView) -> Literal["running", "complete", "degraded", "failed", "cancelled", "interrupted"]:
    """How all columns together stand: running while one does, complete when one has an answer."""
    if turn.running:
        return Status.RUNNING.value
    found = [view.view.status for view in turn.sides]
    return found[0].value if all(status in _ENDED_BADLY for status in found) else Status.COMPLETE.value


def title_of(turn: TurnView) -> str:
    """What stands against what; nothing while that is hidden."""
    if turn.hidden:
        return ""
    return " / ".join(view.view.recipe.title if view.view.recipe else "" for view in turn.sides)


def totals_of(turn: TurnView, columns: Sequence[TotalsJson], views: Sequence[RunView]) -> TotalsJson:
    """What all columns took together: the longest time, the sum of the rest."""
    if turn.hidden:
        return NO_TOTALS
    seconds = [totals["seconds"] for totals in columns if totals["seconds"] is not None]
    tokens = [totals["tokens"] for totals in columns if totals["tokens"] is not None]
    costs = [view.result.cost_microusd for view in views if view.result and view.result.cost_microusd is not None]
    return TotalsJson(
        seconds=max(seconds, default=None),
        first=None,
        calls=sum(totals["calls"] for totals in columns),
        tokens=sum(tokens) if len(tokens) == len(columns) else None,
        estimated=any(totals["estimated"] for totals in columns),
        cost=money(sum(costs)) if len(costs) == len(columns) else None,
    )


def _vote(turn: TurnView) -> VoteJson | None:
    if turn.vote is None:
        return None
    vote, sides = turn.vote, dict(zip(turn.vote.sides, SIDES, strict=False))
    words: dict[str, Side | Literal["tie", "bad"]] = {TIE: "tie", BAD: "bad", **sides}
    chosen = words.get(vote.choice)
    stale = vote.sides != tuple(view.run_id for view in turn.sides)
    return VoteJson(choice=chosen, blind=vote.blind, stale=stale) if chosen else None


def _hidden(view: TurnView, side: Side) -> TurnJson:
    """A column of which nothing is told but what it says, and whether it is done."""
    status = view.view.status
    failed = status in _ENDED_BADLY
    shown: Literal["running", "failed", "complete"] = "running" if view.live else "failed" if failed else "complete"
    answer = view.view.answer()
    text = answer.text if answer else ""
    panel_status: PanelStatusJson = "running" if view.live and text else "waiting" if view.live else "done"
    if failed:
        panel_status = "failed"
    id_ = f"{view.id}-{side}"
    return TurnJson(
        id=id_,
        run=id_,
        position=view.position,
        attempts=[id_],
        siblings=[id_],
        question=view.question,
        recipe="",
        status=shown,
        layers=[],
        answer=_nameless(side, panel_status, text),
        notice=texts.NO_ANSWER if failed else None,
        totals=NO_TOTALS,
        mend=None,
        comparison=None,
    )


def _nameless(side: Side, status: PanelStatusJson, text: str) -> PanelJson:
    return PanelJson(
        slot=side,
        model="",
        label=None,
        status=status,
        text=text,
        reasoning="",
        seconds=None,
        tokens=None,
        estimated=False,
        cost=None,
        note=None,
        error=None,
    )
