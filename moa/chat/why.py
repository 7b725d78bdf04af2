"""Why an answer reads as it does: what its proposals' texts tell about it, as plain JSON."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypedDict

from moa.chat.values import TurnView
from moa.core.domain import Part, Proposal, Status
from moa.core.view import RunView

_KEPT = 64
_QUOTE_CHARS = 600
_WORD = re.compile(r"[^\W_]")


class SentenceWhy(TypedDict):
    """A sentence of the answer, as Markdown. ``slot`` is the proposal whose wording it comes nearest to, None where it
    is near to none; ``score`` is how near the nearest is, from 0 to 1."""

    text: str
    slot: str | None
    score: float


class Why(TypedDict):
    """What can be told about the answer of ``run``. All but ``sentences`` has the order of ``slots``, its proposals.

    ``overlaps`` are each proposal's part in the wording that the answer shares with all of them (BLEU): they add up to
    1, or are all 0. ``sentences`` leave out what has neither letter nor digit. ``agreement`` tells how alike each two
    proposals are, from 0 to 1. ``dissents`` are sentences that no other proposal comes near; a long one is cut.
    """

    run: str
    slots: list[str]
    overlaps: list[float]
    sentences: list[SentenceWhy]
    agreement: list[list[float]]
    dissents: list[list[str]]


class Explainer:
    """Explains answers, one at a time and off the event loop, and keeps the newest 64 explanations."""

    def __init__(self, explained: Callable[[str, str, Sequence[Proposal]], Why] | None = None) -> None:
        """``explained`` does the work, of a run's id, its answer and its proposals; a test may count it."""
        self._explained = explained or explanation
        self._kept: OrderedDict[tuple[str, str], Why] = OrderedDict()
        self._one = asyncio.Lock()

    async def why(self, turn: TurnView) -> Why | None:
        """The explanation of a turn's answer as it is shown. None while it runs, where there is no answer or fewer than
        two proposals, where a proposal stands as the answer, and while a comparison hides what answered."""
        if turn.live or turn.hidden or turn.view.status is Status.RUNNING:
            return None
        answer, proposals = _answer(turn.view), sources(turn.view)
        if not answer or len(proposals) < 2:
            return None
        async with self._one:  # one that waits for its own run finds it made
            key = turn.run_id, answer  # a run that was thought dead may come back and end otherwise
            if key not in self._kept:
                self._kept[key] = await asyncio.to_thread(self._explained, turn.run_id, answer, proposals)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


def sources(view: RunView) -> tuple[Proposal, ...]:
    """What the answer was written from: the proposals of the newest layer that has any, by slot."""
    found = sorted(
        (p.outcome for p in view.panels.values() if p.agent.part is Part.PROPOSER and isinstance(p.outcome, Proposal)),
        key=lambda proposal: proposal.slot,
    )
    with_text = [proposal for proposal in found if proposal.text.strip()]
    return tuple(proposal for proposal in with_text if proposal.slot.layer == with_text[-1].slot.layer)


def explanation(run_id: str, answer: str, proposals: Sequence[Proposal]) -> Why:
    """Explain one answer. Takes up to a second at the longest texts."""
    from moa.evals.explanation import explain  # sacrebleu takes a tenth of a second to load: not before it is wanted

    texts = [proposal.text for proposal in proposals]
    slots = [str(proposal.slot) for proposal in proposals]
    found = explain(answer, texts)
    return Why(
        run=run_id,
        slots=slots,
        overlaps=[round(overlap.share, 4) for overlap in found.overlaps],
        sentences=[
            SentenceWhy(
                text=answer[origin.span.start : origin.span.end],
                slot=None if origin.proposal is None else slots[origin.proposal],
                score=round(origin.score, 4),
            )
            for origin in found.origins
            if _WORD.search(answer, origin.span.start, origin.span.end)
        ],
        agreement=[[round(share, 4) for share in row] for row in found.agreement],
        dissents=[
            [_quoted(text[one.span.start : one.span.end]) for one in own]
            for text, own in zip(texts, found.dissents, strict=True)
        ],
    )


def _answer(view: RunView) -> str:
    panel = view.answer()
    return panel.text if panel is not None and panel.agent.part is Part.AGGREGATOR and panel.text.strip() else ""


def _quoted(text: str) -> str:
    return text if len(text) <= _QUOTE_CHARS else text[: _QUOTE_CHARS - 1].rstrip() + "…"
