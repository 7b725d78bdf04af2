"""What the chat service and its store exchange: frozen values with ids. Rows never leave ``storage``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from moa.core.domain import Agent, LeftOut, Message, Outcome, Recipe, RunResult, Slot, Status
from moa.core.view import RunView


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. Part of every query; there is no way to ask without one."""

    user_id: str


LOCAL = Actor("local")
"""Whoever uses this machine: the one owner of what is asked on it, by the page or in a terminal."""


Source = Literal["page", "api", "cli"]
"""Where a conversation began. The list and the search leave those of the HTTP API out: they may be thousands."""


@dataclass(frozen=True, slots=True)
class Token:
    """A key to the HTTP API, without the key itself. ``last_used_at`` is up to a minute late."""

    id: str
    name: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """A line of the history."""

    id: str
    title: str
    created_at: dt.datetime
    updated_at: dt.datetime
    running: bool = False
    pinned: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A conversation that was found, with the place that matched: its newest, but a title before anything else.

    ``turn_id`` is None for a title. ``marks`` are the ranges (start, end) of ``snippet`` that matched, in characters
    of a Python string, in order and apart.
    """

    conversation_id: str
    title: str
    turn_id: str | None
    where: Literal["title", "question", "answer", "proposal"]
    snippet: str
    marks: tuple[tuple[int, int], ...]
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SavedCall:
    """One slot's end as the journal keeps it: the exact messages sent and what came of them."""

    slot: Slot
    agent: Agent
    messages: tuple[Message, ...]
    left_out: LeftOut
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A stored run. ``result`` is None while it runs. ``outcomes`` in order of slot, newest attempt of each.

    ``growing`` holds the texts of slots under way, as far as the last checkpoint; ``heartbeat_at`` is when the
    process that runs it last wrote. ``calls`` are the outcomes again with the messages sent: only ``load_tree``
    fills them. ``column`` of its turn, from 1; ``attempt`` counts within it.
    """

    id: str
    turn_id: str
    attempt: int
    recipe: Recipe
    seed: int
    status: Status
    started_at: dt.datetime
    outcomes: tuple[Outcome, ...] = ()
    left_out: Mapping[Slot, LeftOut] = field(default_factory=dict)
    result: RunResult | None = None
    growing: Mapping[Slot, str] = field(default_factory=dict)
    heartbeat_at: dt.datetime | None = None
    calls: tuple[SavedCall, ...] = ()
    column: int = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a question asked in several columns at once is shown: ``order`` are their numbers from left to right.

    ``blind``: what answers in which column stays hidden until the vote.
    """

    order: tuple[int, ...]
    blind: bool


TIE, BAD = "tie", "bad"
"""Votes that name no column: all alike good, all bad."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What its owner thought of a comparison. ``choice`` is a run's id, ``TIE`` or ``BAD``.

    ``sides`` are the runs that were shown then, from left to right. ``blind``: it was given before names were shown,
    and has not been changed since. ``tags`` are its owner's words for the kind of question.
    """

    choice: str
    sides: tuple[str, ...]
    blind: bool
    at: dt.datetime
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A question and its runs, oldest first; ``shown`` is the one the path goes through.

    ``siblings``: the turns that branch off at the same place, by id in the order they were made, itself among them.
    ``runs`` are those of the first column, which the path goes through. ``further`` are those of the columns beside it,
    by column, oldest first; a turn that has any has a ``comparison``.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    position: int
    question: str
    created_at: dt.datetime
    runs: tuple[RunRecord, ...]
    shown_run_id: str
    siblings: tuple[str, ...] = ()
    further: tuple[RunRecord, ...] = ()
    comparison: Comparison | None = None
    vote: Vote | None = None

    @property
    def shown(self) -> RunRecord:
        """The run that the path goes through; of a comparison's first column as of any other."""
        if self.comparison is not None:
            return _worth_showing(self.runs)
        return next(run for run in self.runs if run.id == self.shown_run_id)

    @property
    def columns(self) -> tuple[RunRecord, ...]:
        """The run shown in each further column: its newest, but one that ended without an answer hides none that has
        one."""
        numbers = dict.fromkeys(run.column for run in self.further)
        return tuple(_worth_showing([run for run in self.further if run.column == number]) for number in numbers)

    @property
    def hidden(self) -> bool:
        """Whether what answers in which column is not to be told yet."""
        return self.comparison is not None and self.comparison.blind and self.vote is None

    def attempts(self, column: int) -> tuple[RunRecord, ...]:
        """The runs of a column, oldest first; none of one that isn't there."""
        return self.runs if column == 1 else tuple(run for run in self.further if run.column == column)

    def in_column(self, column: int) -> RunRecord | None:
        """The run shown in a column, if that is there."""
        return self.shown if column == 1 else next((run for run in self.columns if run.column == column), None)


def _worth_showing(runs: Sequence[RunRecord]) -> RunRecord:
    good = (Status.RUNNING, Status.COMPLETE, Status.DEGRADED)
    return next((run for run in reversed(runs) if run.status in good), runs[-1])


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation with the turns of the path shown, first turn first. ``head`` is the last turn's id."""

    id: str
    title: str
    head: str | None
    turns: tuple[TurnRecord, ...]


@dataclass(frozen=True, slots=True)
class ConversationTree:
    """A whole conversation: the turns of all branches with all runs and the messages sent. To take along.

    ``turns`` are oldest first, so that a parent comes before its children and siblings in their order.
    """

    id: str
    title: str
    created_at: dt.datetime
    updated_at: dt.datetime
    head: str | None
    turns: tuple[TurnRecord, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A link that lets anyone read a conversation as it stood at ``created_at``, until it expires or is revoked."""

    id: str
    conversation_id: str
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked: bool


@dataclass(frozen=True, slots=True)
class ColumnRun:
    """What answers in a further column."""

    recipe: Recipe
    seed: int


@dataclass(frozen=True, slots=True)
class NewTurn:
    """A question to be stored, with its first run.

    ``conversation_id`` None begins a conversation. ``expected_head`` is the head the sender saw: another one
    is a Conflict. ``request_key`` names the submit: the same key again gives the same turn back. With ``branch``
    the turn is put under ``parent_id`` (None: beside the first question), wherever the head is, and becomes the head.
    ``columns`` are the second and those after it, with the ``comparison`` that says how all are shown. A conversation
    keeps the ``source`` that it began with.
    """

    question: str
    recipe: Recipe
    seed: int
    request_key: str
    conversation_id: str | None = None
    expected_head: str | None = None
    branch: bool = False
    parent_id: str | None = None
    columns: tuple[ColumnRun, ...] = ()
    comparison: Comparison | None = None
    source: Source = "page"


@dataclass(frozen=True, slots=True)
class Started:
    """A run that is under way. ``new`` is False when the request key had been seen before. ``columns``: the runs
    begun beside it, by id in order of their columns."""

    conversation_id: str
    turn_id: str
    run_id: str
    new: bool = True
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn as a page shows it.

    ``saved`` False: the store refuses for now, the run goes on in memory. ``attempts``: ids of the turn's runs,
    oldest first. ``siblings``: ids of the turns that branch off at the same place, this one among them.
    ``position`` on its path, from 1. ``columns`` are the further columns of a comparison in order, each as a turn of
    its own run and attempts; a view that is watched is of its own ``column`` alone.
    """

    id: str
    conversation_id: str
    question: str
    run_id: str
    view: RunView
    live: bool
    saved: bool = True
    attempts: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    position: int = 1
    column: int = 1
    columns: tuple[TurnView, ...] = ()
    comparison: Comparison | None = None
    vote: Vote | None = None

    @property
    def running(self) -> bool:
        """Whether any of its columns is still written."""
        return self.live or any(column.live for column in self.columns)

    @property
    def sides(self) -> tuple[TurnView, ...]:
        """The columns from left to right as they are shown; one that is no comparison has one."""
        shown = {view.column: view for view in (self, *self.columns)}
        order = self.comparison.order if self.comparison else (self.column,)
        return tuple(shown[column] for column in order if column in shown)

    @property
    def hidden(self) -> bool:
        """Whether what answers in which column is not to be told yet."""
        return self.comparison is not None and self.comparison.blind and self.vote is None


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation as a page shows it."""

    id: str
    title: str
    head: str | None
    turns: tuple[TurnView, ...]
