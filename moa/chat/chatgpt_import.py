"""ChatGPT's ``conversations.json`` as conversation trees.

There, every message is a node with a parent. Here, a user's message is a turn, and what the model says up to the next
one is a run: a regenerated answer another run of the turn, an edited question another turn at the same place. What a
call took and cost isn't in the file, so it stays unknown.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from moa.chat.chatgpt_messages import Said, model_name, moment, said_in
from moa.chat.trees import IMPORTED, Bounds, Broken, placed
from moa.chat.values import ConversationTree, RunRecord, SavedCall, TurnRecord
from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Finish,
    LeftOut,
    Outcome,
    Part,
    Proposal,
    Recipe,
    RunResult,
    Slot,
    Status,
)
from moa.core.errors import public_text

RECIPE_ID, RECIPE_TITLE = "chatgpt", "Imported from ChatGPT"
NO_ANSWER = "ChatGPT's export holds no answer to this."

_ONLY = Slot(1, 1)
_NODES_PER_TURN = 10
# Regenerated answers may begin alike: so often may an average message be part of one, and that much comes free.
_REPEATED, _FREE_STEPS, _FREE_TEXTS = 10, 10_000, 20
_TITLE_CHARS = 1_000
_CUT = " […]"


def recognised(document: object) -> bool:
    """Whether a JSON document is a list of ChatGPT's conversations, or one of them."""
    first = document[0] if isinstance(document, list) and document else document
    return isinstance(first, dict) and "mapping" in first


def conversation_tree(raw: object, *, bounds: Bounds, now: dt.datetime) -> ConversationTree | None:
    """The tree of one conversation; None when nobody asks anything in it. Raises Broken."""
    mapping = raw.get("mapping") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(mapping, dict):
        raise Broken("it has no messages")
    if len(mapping) > _NODES_PER_TURN * bounds.turns:
        raise Broken(f"it has more than {_NODES_PER_TURN * bounds.turns:,} messages")
    nodes = _Nodes(mapping)
    if not nodes.questions:
        return None
    created = moment(raw.get("create_time")) or nodes.first_time() or now
    turns = placed(_Turns(nodes, raw, bounds, created).records())
    bounds.check_counts(turns)
    title = raw.get("title")
    return ConversationTree(
        IMPORTED, title[:_TITLE_CHARS] if isinstance(title, str) else "", created,
        moment(raw.get("update_time")) or created, nodes.question_of(raw.get("current_node")) or turns[-1].id, turns,
    )  # fmt: skip


class _Nodes:
    """The nodes, each after its parent and beside its siblings in their order, and the question that each is under."""

    def __init__(self, mapping: Mapping[str, Any]) -> None:
        self.parents = {key: _parent(node, mapping) for key, node in mapping.items()}
        self.order = _in_order(mapping, self.parents)
        if len(self.order) < len(mapping):
            raise Broken("its messages follow each other in a circle")
        self.said = {key: said for key in self.order if (said := said_in(_message(mapping[key]))) is not None}
        self.questions = [key for key in self.order if self.is_question(key)]
        self._under: dict[str | None, str | None] = {None: None}
        for key in self.order:
            self._under[key] = key if self.is_question(key) else self._under[self.parents[key]]

    def is_question(self, key: str) -> bool:
        return key in self.said and self.said[key].is_question

    def question_of(self, key: object) -> str | None:
        """The question that a node is under, which may be itself."""
        return self._under.get(key) if isinstance(key, str) else None

    def above(self, key: str) -> str | None:
        """The question before a question."""
        return self._under[self.parents[key]]

    def path(self, key: object) -> frozenset[str]:
        """A node and all above it."""
        found = set()
        at = key if isinstance(key, str) and key in self.parents else None
        while at is not None:
            found.add(at)
            at = self.parents[at]
        return frozenset(found)

    def first_time(self) -> dt.datetime | None:
        """The time of the first message that has one."""
        return next((said.at for said in self.said.values() if said.at), None)

    def ends(self) -> list[str]:
        """The nodes with which an answer ends: nothing follows, or a question does."""
        goes_on: set[str | None] = set()
        asked: set[str | None] = set()
        for key, parent in self.parents.items():
            (asked if self.is_question(key) else goes_on).add(parent)
        return [
            key
            for key in self.order
            if not self.is_question(key) and self._under[key] and (key in asked or key not in goes_on)
        ]


def _message(node: object) -> object:
    return node.get("message") if isinstance(node, dict) else None


def _parent(node: object, mapping: Mapping[str, Any]) -> str | None:
    parent = node.get("parent") if isinstance(node, dict) else None
    return parent if isinstance(parent, str) and parent in mapping else None


def _in_order(mapping: Mapping[str, Any], parents: Mapping[str, str | None]) -> list[str]:
    """Depth first from what has no parent. Who is whose child say the parents; in which order, the children's lists."""
    ranks = _ranks(mapping)
    below: dict[str | None, list[str]] = defaultdict(list)
    for key, parent in parents.items():
        below[parent].append(key)
    order: list[str] = []
    todo = sorted(below[None], key=ranks, reverse=True)
    while todo:
        key = todo.pop()
        order.append(key)
        todo += sorted(below[key], key=ranks, reverse=True)
    return order


def _ranks(mapping: Mapping[str, Any]) -> Any:
    """A sorting key: a node's place among its parent's children, those that are in no list last."""
    ranks: dict[str, int] = {}
    for node in mapping.values():
        children = node.get("children") if isinstance(node, dict) else None
        for rank, child in enumerate(children if isinstance(children, list) else ()):
            if isinstance(child, str):
                ranks.setdefault(child, rank)
    return lambda key: ranks.get(key, len(mapping))


class _Turns:
    """Makes the turns of one conversation."""

    def __init__(self, nodes: _Nodes, raw: Mapping[str, Any], bounds: Bounds, created: dt.datetime) -> None:
        self._nodes, self._bounds, self._created = nodes, bounds, created
        self._model = model_name(raw.get("default_model_slug")) or "unknown"
        self._shown = nodes.path(raw.get("current_node"))
        self._steps = _FREE_STEPS + _REPEATED * len(nodes.order)
        chars = sum(len(said.text) + len(said.thought) for said in nodes.said.values())
        self._chars = _FREE_TEXTS * bounds.output_chars + _REPEATED * chars

    def records(self) -> list[TurnRecord]:
        """The turns, each after its parent."""
        answers: dict[str | None, list[tuple[str, list[Said]]]] = defaultdict(list)
        ends = self._nodes.ends()
        if len(ends) > self._bounds.runs:
            raise Broken(f"it has more than {self._bounds.runs:,} answers")
        for end in ends:
            answer = self._answer(end)
            if any(said.text or said.thought for said in answer):
                answers[self._nodes.question_of(end)].append((end, answer))
        return [self._turn(key, answers[key]) for key in self._nodes.questions]

    def _answer(self, end: str) -> list[Said]:
        """What the model said from the question on to an end. One message may begin many answers."""
        found: list[Said] = []
        key: str | None = end
        while key is not None and not self._nodes.is_question(key):
            self._steps -= 1
            self._check_repeated()
            if key in self._nodes.said:
                found.append(self._nodes.said[key])
            key = self._nodes.parents[key]
        return found[::-1]

    def _turn(self, key: str, answers: list[tuple[str, list[Said]]]) -> TurnRecord:
        said = self._nodes.said[key]
        at = said.at or self._created
        runs = [self._run(key, number, answer, at) for number, (_, answer) in enumerate(answers, 1)]
        ends = [end for end, _ in answers]
        shown = [run for run, end in zip(runs, ends, strict=True) if end in self._shown] or runs
        runs = runs or [self._run(key, 1, [], at)]
        question = _cut(said.text, self._bounds.question_chars)
        return TurnRecord(key, IMPORTED, self._nodes.above(key), 0, question, at, tuple(runs), (shown or runs)[-1].id)

    def _run(self, turn_id: str, attempt: int, answer: list[Said], asked_at: dt.datetime) -> RunRecord:
        model = next((said.model for said in reversed(answer) if said.model), self._model)
        agent = Agent(f"chatgpt/{model}", Part.AGGREGATOR)
        outcome = self._outcome(agent, answer)
        result = _result(outcome, answered=bool(answer))
        times = [said.at for said in answer if said.at] or [asked_at]
        return RunRecord(
            f"{turn_id}/{attempt}", turn_id, attempt, Recipe(RECIPE_ID, RECIPE_TITLE, (), agent), 0, result.status,
            times[0], (outcome,), {}, result, {}, times[-1],
            (SavedCall(_ONLY, agent, (), LeftOut(), outcome),),
        )  # fmt: skip

    def _outcome(self, agent: Agent, answer: list[Said]) -> Outcome:
        limit = self._bounds.output_chars
        text = _joined((said.text for said in answer), limit)
        thought = _cut(_joined((said.thought for said in answer), limit), limit)
        kept = _cut(text, limit)
        self._chars -= len(kept) + len(thought)
        self._check_repeated()
        if not kept:
            return Failure(_ONLY, agent, FailureKind.EMPTY, NO_ANSWER, reasoning=thought)
        if answer[-1].stopped:
            stopped = FailureKind.STOPPED
            return Failure(_ONLY, agent, stopped, public_text(stopped), partial=kept, reasoning=thought)
        cut = kept is not text or answer[-1].cut
        return Proposal(_ONLY, agent, kept, Finish.LENGTH if cut else Finish.STOP, reasoning=thought)

    def _check_repeated(self) -> None:
        if min(self._steps, self._chars) < 0:
            raise Broken("too many of its answers begin alike")


def _result(outcome: Outcome, *, answered: bool) -> RunResult:
    calls = int(answered)
    if isinstance(outcome, Proposal):
        return RunResult(Status.COMPLETE, outcome.text, _ONLY, (outcome,), calls=calls)
    if outcome.kind is FailureKind.STOPPED:
        return RunResult(Status.CANCELLED, outcome.partial, _ONLY, (outcome,), calls=calls)
    return RunResult(Status.FAILED, "", None, (outcome,), calls=calls)


def _joined(texts: Iterable[str], limit: int) -> str:
    """The texts in one, as far as needed to see that they are over the limit."""
    joined = ""
    for text in filter(None, texts):
        joined += ("\n\n" if joined else "") + text[: limit + 1]
        if len(joined) > limit:
            break
    return joined


def _cut(text: str, limit: int) -> str:
    """The text, or as much of it as may be with a mark that there was more."""
    return text if len(text) <= limit else text[: max(0, limit - len(_CUT))] + _CUT
