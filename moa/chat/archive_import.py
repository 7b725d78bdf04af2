"""Our own JSON export back as conversation trees. What ``archive`` wrote comes back as it was; all else is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain

from pydantic import TypeAdapter, ValidationError

from moa.chat.archive_shape import (
    AgentShape,
    ConversationShape,
    FailureShape,
    GrowingShape,
    LeftOutShape,
    MessageShape,
    ProposalShape,
    ResultShape,
    RunShape,
    TurnShape,
    UsageShape,
)
from moa.chat.trees import IMPORTED, Bounds, Broken, placed
from moa.chat.values import Comparison, ConversationTree, RunRecord, SavedCall, TurnRecord
from moa.core.codec import decode, encode
from moa.core.domain import (
    Agent,
    Failure,
    LeftOut,
    Message,
    Missing,
    Outcome,
    Proposal,
    Recipe,
    Role,
    RunResult,
    Slot,
    Status,
    Usage,
)

_CONVERSATION_CHARS = 256_000_000  # 200 turns of four calls with answers of 2,000 characters send 190 million


class Sent:
    """How many characters the messages of a file's calls may come to, once each name in them is a text again.

    A name takes few characters and may stand for many: without a bound a small file could fill a disk.
    """

    def __init__(self, chars: int) -> None:
        self._left = chars
        self._here = 0

    def begin(self) -> None:
        """The next conversation."""
        self._here = min(self._left, _CONVERSATION_CHARS)

    def take(self, chars: int) -> None:
        """Count. Raises Broken when it is too much."""
        self._left -= chars
        self._here -= chars
        if self._here < 0:
            raise Broken("the messages of its calls are too long")


def conversation_tree(raw: object, bounds: Bounds, sent: Sent) -> ConversationTree:
    """The tree of one conversation's document, as a JSON parser gave it. Raises Broken."""
    try:
        shape = _adapter().validate_python(raw)
    except ValidationError as error:
        raise Broken(_first(error)) from error
    sent.begin()
    reader = _Reader(shape, bounds, sent)
    turns = placed([reader.turn(turn) for turn in shape.turns])
    bounds.check_counts(turns)
    if all(turn.id != shape.head for turn in turns):
        raise Broken("its head is none of its questions")
    return ConversationTree(IMPORTED, shape.title, _utc(shape.created_at), _utc(shape.updated_at), shape.head, turns)


@cache
def _adapter() -> TypeAdapter[ConversationShape]:
    return TypeAdapter(ConversationShape)


def _first(error: ValidationError) -> str:
    """The first thing wrong, without its value: ``turns 2, runs 1, seed: should be a valid integer``."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    steps = [f" {step + 1}" if isinstance(step, int) else f", {step}" for step in first["loc"]]
    where = "".join(steps).removeprefix(", ")
    what = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    what = what[:1].lower() + what[1:160]
    return f"{where}: {what}" if where else f"it {what}"


class _Reader:
    """Makes the values of one conversation."""

    def __init__(self, shape: ConversationShape, bounds: Bounds, sent: Sent) -> None:
        self._bounds, self._budget = bounds, sent
        self._texts: dict[str, Message | None] = {}
        for turn in shape.turns:
            self._name(turn.id, Message(Role.USER, turn.question))
            for run in (*turn.runs, *chain(*turn.columns)):
                self._name(run.id, Message(Role.ASSISTANT, run.result.answer.strip()) if run.result else None)

    def _name(self, key: str, message: Message | None) -> None:
        if key in self._texts:
            raise Broken(f"two parts of it are called {key}")
        self._texts[key] = message

    def turn(self, shape: TurnShape) -> TurnRecord:
        if not shape.question.strip():
            raise Broken(f"the question of {shape.id} is empty")
        self._fits(shape.question, self._bounds.question_chars, f"the question of {shape.id}")
        runs = tuple(self._run(run, shape.id, attempt) for attempt, run in enumerate(shape.runs, 1))
        if sum(run.id == shape.shown for run in runs) != 1:
            raise Broken(f"the answer shown of {shape.id} is not one of its answers")
        further = tuple(
            self._run(run, shape.id, attempt, column)
            for column, attempts in enumerate(shape.columns, 2)
            for attempt, run in enumerate(attempts, 1)
        )
        return TurnRecord(
            shape.id, IMPORTED, shape.parent, 0, shape.question, _utc(shape.created_at), runs, shape.shown,
            further=further, comparison=_comparison(shape),
        )  # fmt: skip

    def _run(self, shape: RunShape, turn_id: str, attempt: int, column: int = 1) -> RunRecord:
        if (shape.result is None) is not (shape.status is Status.RUNNING):
            raise Broken(f"{shape.id} has a result only if it has ended")
        calls = self._calls(shape)
        outcomes = {slot: call.outcome for slot, call in calls.items()}
        growing = {Slot.parse(s.slot): s.text for s in shape.slots if isinstance(s, GrowingShape)}
        if len(outcomes) + len(growing) != len(shape.slots) or outcomes.keys() & growing.keys():
            raise Broken(f"{shape.id} has a slot twice")
        if growing and shape.result is not None:
            raise Broken(f"{shape.id} has ended, so that none of its texts can grow")
        for text in growing.values():
            self._fits(text, self._bounds.output_chars, f"a text of {shape.id}")
        result = self._result(shape, shape.result, outcomes) if shape.result else None
        return RunRecord(
            shape.id, turn_id, attempt, decode(Recipe, encode(shape.recipe)), shape.seed, shape.status,
            _utc(shape.started_at), tuple(outcomes.values()),
            {slot: call.left_out for slot, call in calls.items() if call.left_out},
            result, growing, _utc(shape.heartbeat_at) if shape.heartbeat_at else None, tuple(calls.values()),
            column,
        )  # fmt: skip

    def _calls(self, shape: RunShape) -> dict[Slot, SavedCall]:
        """What each slot was sent and gave, in order of slot."""
        calls = {}
        for slot in shape.slots:
            if not isinstance(slot, GrowingShape):
                outcome = self._outcome(slot, shape.id)
                messages = self._messages(slot.messages, shape.id)
                calls[outcome.slot] = SavedCall(
                    outcome.slot, outcome.agent, messages, _left_out(slot.left_out), outcome
                )
        return dict(sorted(calls.items()))

    def _outcome(self, shape: ProposalShape | FailureShape, run_id: str) -> Outcome:
        slot, agent = Slot.parse(shape.slot), _agent(shape.agent)
        for text in (shape.text, shape.reasoning):
            self._fits(text, self._bounds.output_chars, f"a text of {run_id}")
        if isinstance(shape, ProposalShape):
            return Proposal(
                slot, agent, shape.text, shape.finish, _usage(shape.usage), shape.attempts, shape.first_token_ms,
                shape.duration_ms, shape.cost_microusd, shape.reasoning, shape.reused,
            )  # fmt: skip
        return Failure(
            slot, agent, shape.kind, shape.public, shape.retryable, shape.attempts, shape.duration_ms, shape.text,
            shape.reasoning,
        )  # fmt: skip

    def _messages(self, sent: Iterable[MessageShape | str], run_id: str) -> tuple[Message, ...]:
        messages = []
        for item in sent:
            message = self._texts.get(item) if isinstance(item, str) else Message(item.role, item.text)
            if message is None:
                raise Broken(f"a message of {run_id} names something that is not there")
            self._budget.take(len(message.text) + 1)
            messages.append(message)
        return tuple(messages)

    def _result(self, run: RunShape, shape: ResultShape, outcomes: Mapping[Slot, Outcome]) -> RunResult:
        self._fits(shape.answer, self._bounds.output_chars, f"the answer of {run.id}")
        told = [Slot.parse(place) for place in shape.outcomes]
        if len(set(told)) != len(told) or not outcomes.keys() >= set(told):
            raise Broken(f"the outcomes of {run.id} don't name its slots, each once")
        because = tuple(Missing(_slot(m.slot), m.label, m.why) for m in shape.degraded_because)
        return RunResult(
            run.status, shape.answer, _slot(shape.answer_slot), tuple(outcomes[slot] for slot in told), because,
            _usage(shape.usage), shape.cost_microusd, shape.calls, shape.first_answer_ms, shape.duration_ms,
        )  # fmt: skip

    @staticmethod
    def _fits(text: str, limit: int, what: str) -> None:
        if len(text) > limit:
            raise Broken(f"{what} has {len(text):,} characters, and {limit:,} is the most here")


def _comparison(shape: TurnShape) -> Comparison | None:
    """How the columns are shown, which must be named each once."""
    given = shape.comparison.order if shape.comparison else (1,)
    if sorted(given) != list(range(1, len(shape.columns) + 2)):
        raise Broken(f"the order of {shape.id} doesn't name its columns, each once")
    return Comparison(given, shape.comparison.blind) if shape.comparison else None


def _agent(shape: AgentShape) -> Agent:
    return decode(Agent, encode(shape))


def _usage(shape: UsageShape | None) -> Usage | None:
    return Usage(shape.input_tokens, shape.output_tokens, shape.estimated) if shape else None


def _left_out(shape: LeftOutShape) -> LeftOut:
    return LeftOut(shape.turns, shape.proposal_chars)


def _slot(place: str | None) -> Slot | None:
    return None if place is None else Slot.parse(place)


def _utc(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC)
