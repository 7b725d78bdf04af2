"""Tags: the user's own words for the kind of question that a vote was about."""

from __future__ import annotations

import pytest

from moa.chat.values import TIE
from moa.core.errors import InputRefused, NotFound
from tests.chat.conftest import ANNA, BEN, World
from tests.chat.test_judging import compared


async def test_tags_are_cleaned_and_bounded(world: World) -> None:
    turn = await compared(world)
    with pytest.raises(InputRefused, match=r"^Vote first, then tag\.$"):
        await world.chat.tag(ANNA, turn.id, ["code"])
    await world.chat.vote(ANNA, turn.id, TIE)
    await world.chat.tag(ANNA, turn.id, [" code ", "code", "", "two\n words", "a\x00\u202eb", "x" * 24])
    vote = (await world.chat.turn(ANNA, turn.id)).vote
    assert vote is not None
    assert vote.tags == ("code", "two words", "ab", "x" * 24)
    for bad, words in (([str(n) for n in range(6)], "at most 5 tags"), (["x" * 25], "at most 24 characters")):
        with pytest.raises(InputRefused, match=words):
            await world.chat.tag(ANNA, turn.id, bad)
    assert (await world.chat.turn(ANNA, turn.id)).vote == vote
    with pytest.raises(NotFound):
        await world.chat.tag(BEN, turn.id, ["code"])
