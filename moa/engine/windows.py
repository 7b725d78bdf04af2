"""Fits a call into its model's window: oldest turns go first, never the last question; then the longest proposals
are cut. Proposals may fill half of the room; what they have beyond that is cut before a turn is dropped for it.
Counts before sending are estimates (``moa.core.text.estimate_tokens``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from moa.core.domain import LeftOut, Message, Role
from moa.core.text import estimate_tokens
from moa.engine.prompts import Composed

_MESSAGE_TOKENS = 6
_LEAST_PROPOSAL_CHARS = 200
_MARGIN = 0.05

Composer = Callable[[Sequence[Message], int], Composed]


def estimate_prompt(messages: Sequence[Message]) -> int:
    """Tokens of a prompt, as an estimate that errs high."""
    return sum(estimate_tokens(m.text) + _MESSAGE_TOKENS for m in messages)


def fit(
    compose: Composer,
    conversation: Sequence[Message],
    *,
    context_tokens: int | None,
    max_tokens: int | None,
    proposal_chars: int,
    proposals: int,
) -> Composed:
    """Compose, and trim until the prompt and its answer fit ``context_tokens`` (None: no limit is known).

    ``compose(conversation, proposal_chars)`` makes the messages. Room for the answer is ``max_tokens`` but no more
    than half of the window, or a quarter of the window up to 4,096.
    """
    whole = compose(conversation, proposal_chars)
    if context_tokens is None:
        return whole
    room = _room(context_tokens, max_tokens)
    if estimate_prompt(whole.messages) <= room:
        return whole
    # Four characters a token is the estimate's own rate: half of the room, shared by the proposals.
    share = max(_LEAST_PROPOSAL_CHARS, room * 4 // 2 // max(1, proposals))
    kept, dropped = _fewer_turns(compose, conversation, min(proposal_chars, share), room)
    composed = compose(kept, proposal_chars)
    if proposals and estimate_prompt(composed.messages) > room:
        composed = _shorter_proposals(compose, kept, proposal_chars, room)
    return replace(composed, left_out=LeftOut(dropped, composed.left_out.proposal_chars))


def _room(context_tokens: int, max_tokens: int | None) -> int:
    answer = min(4096, context_tokens // 4) if max_tokens is None else min(max_tokens, context_tokens // 2)
    return max(1, int(context_tokens * (1 - _MARGIN)) - answer)


def _fewer_turns(
    compose: Composer, conversation: Sequence[Message], proposal_chars: int, room: int
) -> tuple[Sequence[Message], int]:
    """Drop whole turns (a user message with what follows it) from the front until it fits or one is left."""
    kept, dropped = conversation, 0
    while estimate_prompt(compose(kept, proposal_chars).messages) > room:
        rest = _after_first_turn(kept)
        if not rest:
            break
        kept, dropped = rest, dropped + 1
    return kept, dropped


def _after_first_turn(conversation: Sequence[Message]) -> Sequence[Message]:
    begins = [i for i, message in enumerate(conversation) if message.role is Role.USER]
    return conversation[begins[1] :] if len(begins) > 1 else ()


def _shorter_proposals(compose: Composer, conversation: Sequence[Message], proposal_chars: int, room: int) -> Composed:
    """Cut at the highest limit that fits, or at the least one when none does."""
    fits, fails = min(_LEAST_PROPOSAL_CHARS, proposal_chars), proposal_chars
    while fails - fits > 1:
        limit = (fits + fails) // 2
        if estimate_prompt(compose(conversation, limit).messages) <= room:
            fits = limit
        else:
            fails = limit
    return compose(conversation, fits)
