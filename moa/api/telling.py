"""A run told in two texts while it happens: the answer, and the proposals as what was thought before it.

Proposers write at the same time and a reader has one text: they are told one after the other in order of slots, the
first that is still writing as it writes, the others once it is their turn.
"""

from __future__ import annotations

from collections.abc import Callable

from moa.api.completions import heading
from moa.api.ports import LabelOf
from moa.core.domain import Agent, Failure, Part, RunResult, Slot
from moa.core.events import (
    AgentFailed,
    AgentFinished,
    AgentRetrying,
    Event,
    LayerStarted,
    ReasoningDelta,
    RunEnded,
    TextDelta,
)


class Telling:
    """Takes a run's events and hands pieces to ``answer`` and ``thought``.

    ``broke`` is called when what ``answer`` was given does not become the answer: its agent failed or begins anew. What
    comes after that is not told. ``over`` is called with the result of a run that did not break.
    """

    def __init__(
        self,
        label_of: LabelOf,
        *,
        answer: Callable[[str], None],
        thought: Callable[[str], None],
        broke: Callable[[Failure | None], None],
        over: Callable[[RunResult], None],
    ) -> None:
        self._label_of = label_of
        self._answer, self._thought, self._broke, self._over = answer, thought, broke, over
        self._writer: Slot | None = None  # whose text the answer is
        self._silent = False
        self._agents: dict[Slot, Agent] = {}
        self._turns: list[Slot] = []  # who is still to be told, in order
        self._held: dict[Slot, list[str]] = {}
        self._ended: dict[Slot, str] = {}  # who has ended, with the last words
        self._headed: Slot | None = None
        self._begun = False

    def take(self, event: Event) -> None:
        """One event, in order."""
        if self._silent:
            return
        if type(event) is TextDelta:
            slot = event.slot
            if slot == self._writer:
                self._answer(event.text)
            elif slot in self._held:
                self._propose(slot, event.text)
            else:
                self._begin_answer(slot, event.text)
            return
        self._take_rare(event)

    def _take_rare(self, event: Event) -> None:
        match event:
            case LayerStarted():
                self._begin_layer(event)
            case ReasoningDelta(slot=slot, text=text) if slot not in self._held:
                self._say(slot, text)
            case AgentRetrying(slot=slot) if slot == self._writer:
                self._break(None)
            case AgentRetrying(slot=slot, attempt=attempt):
                self._again(slot, attempt)
            case AgentFailed(slot=slot, failure=failure) if slot == self._writer:
                self._break(failure)
            case AgentFailed(slot=slot, failure=failure):
                self._close(slot, f"*{failure.public}*")
            case AgentFinished(slot=slot):
                self._close(slot, "")
            case RunEnded(result=result):
                self._end(result)

    # -- the answer

    def _begin_answer(self, slot: Slot, text: str) -> None:
        if self._writer is not None:  # another agent takes over, after part of a text that is no longer the answer
            self._break(None)
            return
        self._writer = slot
        self._answer(text)

    def _break(self, failure: Failure | None) -> None:
        self._silent = True
        self._broke(failure)

    def _end(self, result: RunResult) -> None:
        if self._writer is not None and self._writer != result.answer_slot:
            self._break(None)
            return
        if self._writer is None and result.answer:  # a proposal stands in for an answer that nobody wrote
            self._answer(result.answer)
        self._silent = True
        self._over(result)

    # -- the proposals

    def _begin_layer(self, event: LayerStarted) -> None:
        self._agents.update(event.agents)
        if event.part is not Part.AGGREGATOR:
            self._turns = sorted(slot for slot, _ in event.agents)
            self._held = {slot: [] for slot in self._turns}

    def _propose(self, slot: Slot, text: str) -> None:
        if self._turns[:1] == [slot]:
            self._say(slot, text)
        else:
            self._held[slot].append(text)

    def _again(self, slot: Slot, attempt: int) -> None:
        if slot in self._held and self._turns[:1] != [slot]:
            self._held[slot].clear()
        elif self._headed == slot:
            self._thought(f"\n\n*Attempt {attempt}:*\n\n")

    def _close(self, slot: Slot, last_words: str) -> None:
        if slot not in self._held:
            return
        self._ended[slot] = last_words
        while self._turns and self._turns[0] in self._ended:
            done = self._turns[0]
            self._catch_up(done)
            if words := self._ended[done]:
                self._say(done, f"\n\n{words}" if self._headed == done else words)
            self._turns.pop(0)
        if self._turns:
            self._catch_up(self._turns[0])

    def _catch_up(self, slot: Slot) -> None:
        if text := "".join(self._held[slot]):
            self._held[slot].clear()
            self._say(slot, text)

    def _say(self, slot: Slot, text: str) -> None:
        """One agent's words, below its heading. A single model alone needs none."""
        if self._headed != slot and (self._held or self._begun):
            gap = "\n\n" if self._begun else ""
            self._thought(gap + heading(self._agents[slot], slot, self._label_of))
        self._headed, self._begun = slot, True
        self._thought(text)
