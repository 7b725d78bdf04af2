"""One question in several columns at once: which recipes may stand beside each other, in what order, and which calls
are made once for two."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from moa.chat.values import Comparison
from moa.core.domain import Agent, Message, Recipe, Sampling, Slot
from moa.core.errors import InputRefused
from moa.core.text import clean
from moa.engine.plans import PlannedCall
from moa.engine.prompts import compose

COLUMNS_MAX = 4
VOTE_FIRST = "Vote on the blind comparison first: an answer that goes on from it would tell which side is which."
TAGS_MAX = 5
TAG_CHARS = 24
_COUNT = f"Choose two to {COLUMNS_MAX} recipes to compare."
_ALIKE = "Choose a different recipe for each column: one compared with itself says nothing."


def drawn(recipes: Sequence[Recipe], *, blind: bool) -> Comparison:
    """A comparison of these recipes, the first in column 1; a blind one in an order drawn by lot. Raises InputRefused.

    The lot is independent of the runs' seeds, which views and exports tell.
    """
    if not 2 <= len(recipes) <= COLUMNS_MAX:
        raise InputRefused(_COUNT)
    if len({recipe.digest for recipe in recipes}) < len(recipes):
        raise InputRefused(_ALIKE)
    order = list(range(1, len(recipes) + 1))
    if blind:
        secrets.SystemRandom().shuffle(order)
    return Comparison(tuple(order), blind)


def loans(asked: Mapping[int, tuple[Recipe, Sequence[Message]]]) -> dict[int, tuple[int, Slot]]:
    """Which columns would make a call that another one makes anyhow, by what each is asked.

    A column of a single model borrows from the first proposer of a mixture that is sent the same messages with the
    same sampling: what fits its window is then the same too.
    """
    lent: dict[tuple[str, Sampling, tuple[Message, ...]], tuple[int, Slot]] = {}
    for column, (recipe, conversation) in asked.items():
        for position, agent in enumerate(recipe.layers[0].agents if recipe.layers else (), 1):
            lent.setdefault(_call(recipe, agent, conversation), (column, Slot(1, position)))
    wanted = {
        column: _call(recipe, recipe.aggregator, conversation)
        for column, (recipe, conversation) in asked.items()
        if not recipe.layers
    }
    return {column: lent[call] for column, call in wanted.items() if call in lent}


def tags_of(given: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are kept: each on one line, none empty, none twice. Raises InputRefused for too many or too long
    ones."""
    lines = (" ".join(clean(tag).split()) for tag in given)
    tags = tuple(dict.fromkeys(filter(None, lines)))
    if len(tags) > TAGS_MAX:
        raise InputRefused(f"A vote has at most {TAGS_MAX} tags.")
    if any(len(tag) > TAG_CHARS for tag in tags):
        raise InputRefused(f"A tag has at most {TAG_CHARS} characters.")
    return tags


def _call(recipe: Recipe, agent: Agent, conversation: Sequence[Message]) -> tuple[str, Sampling, tuple[Message, ...]]:
    """What decides the reply to an agent that sees no proposals."""
    planned = PlannedCall(Slot(1, 1), agent)
    composed = compose(planned, conversation, style=recipe.prompt_style, system=recipe.system, seed=0, proposal_chars=0)
    return agent.model, agent.sampling, composed.messages
