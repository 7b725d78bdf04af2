"""A question asked in several columns at once: runs side by side, each with its own history, and votes on them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moa.chat import comparing
from moa.chat.values import BAD, TIE, Comparison, Started, TurnView
from moa.core.domain import Agent, Layer, Part, Proposal, Recipe, Sampling, Slot, Status
from moa.core.errors import Busy, Conflict, InputRefused, NotFound
from moa.core.view import PanelStatus
from storage import open_store
from tests.chat.conftest import ANNA, BEN, MIXTURE, SINGLE, World, views
from tests.support.server import Answer, Gate, HttpError

ONE = Recipe("one", "A alone", (), Agent("a", Part.AGGREGATOR))
OTHER = replace(SINGLE, id="other", title="B alone", aggregator=Agent("b", Part.AGGREGATOR))
KEY = "key-0001"


async def compare(world: World, *recipes: Recipe, key: str = KEY, **more: Any) -> Started:
    given = {"question": "Why?", "recipes": recipes or (MIXTURE, ONE), "request_key": key, **more}
    return await world.chat.compare(ANNA, **given)


async def ended(world: World, started: Started) -> TurnView:
    """The turn once all its columns are over."""
    for run_id in (started.run_id, *started.columns):
        await views(world.chat, run_id)
    return await world.chat.turn(ANNA, started.turn_id)


def answers(turn: TurnView) -> list[str]:
    return [column.view.result.answer if column.view.result else "" for column in (turn, *turn.columns)]


async def test_columns_run_at_once_and_each_has_its_own_view(world: World) -> None:
    gate = Gate()
    world.server.script("agg", Answer("Mixed."))
    for name in "abc":
        world.server.script(name, Answer(f"From {name}.", gate=gate, hold=(0,)))
    started = await compare(world, MIXTURE, ONE, OTHER)
    await gate.arrived(5)
    turn = await world.chat.turn(ANNA, started.turn_id)
    assert (turn.run_id, turn.column, turn.live) == (started.run_id, 1, True)
    assert [(c.run_id, c.column, c.live) for c in turn.columns] == [
        (started.columns[0], 2, True),
        (started.columns[1], 3, True),
    ]
    assert [c.attempts for c in turn.columns] == [(started.columns[0],), (started.columns[1],)]
    gate.open()
    turn = await ended(world, started)
    assert answers(turn) == ["Mixed.", "From a.", "From b."]
    opened = await world.chat.open(ANNA, started.conversation_id)
    assert opened.turns == (turn,)


async def test_a_watched_column_is_seen_alone_also_after_a_restart(world: World, tmp_path: Path) -> None:
    world.server.script("agg", Answer("Mixed."))
    world.server.script("a", Answer("Alone."), Answer("Alone."))
    started = await compare(world, SINGLE, ONE)
    last = (await views(world.chat, started.columns[0]))[-1]
    await ended(world, started)
    again = world.with_store(open_store("", tmp_path))
    [stored] = await views(again, started.columns[0])
    for view in (last, stored):
        assert (view.run_id, view.column, view.columns) == (started.columns[0], 2, ())
        assert answers(view) == ["Alone."]
    assert answers(await again.turn(ANNA, started.turn_id)) == ["Mixed.", "Alone."]


async def test_a_view_of_an_earlier_attempt_follows_its_own_column(world: World) -> None:
    world.server.script("a", Answer("First."), Answer("Second."))
    started = await compare(world, SINGLE, ONE)
    await ended(world, started)
    again = await world.chat.regenerate_column(ANNA, started.turn_id, 2, request_key="key-0002")
    await views(world.chat, again.run_id)
    [seen] = await views(world.chat, started.columns[0])
    assert (seen.run_id, answers(seen)) == (again.run_id, ["Second."])


async def test_all_runs_are_stored_before_any_model_is_called(world: World, tmp_path: Path) -> None:
    gate = Gate()
    for name in ("a", "agg"):
        world.server.script(name, Answer("x", gate=gate))
    started = await compare(world, SINGLE, ONE)
    seen = await world.with_store(open_store("", tmp_path)).turn(ANNA, started.turn_id)
    assert [column.view.status for column in (seen, *seen.columns)] == [Status.RUNNING] * 2
    gate.open()
    await ended(world, started)


async def test_stopping_a_column_leaves_the_others_going(world: World) -> None:
    gate = Gate()
    for name in ("a", "agg"):
        world.server.script(name, Answer("whole", gate=gate))
    started = await compare(world, SINGLE, ONE)
    await gate.arrived(2)
    await world.chat.stop(ANNA, started.run_id)
    assert world.chat.running(ANNA, started.conversation_id) is not None
    gate.open()
    turn = await ended(world, started)
    assert (turn.view.status, turn.columns[0].view.status) == (Status.CANCELLED, Status.COMPLETE)
    assert world.chat.running(ANNA, started.conversation_id) is None


async def test_a_column_that_fails_takes_no_other_with_it(world: World) -> None:
    world.server.script("a", HttpError(401, "no"))
    world.server.script("agg", Answer("Fine."))
    turn = await ended(world, await compare(world, ONE, SINGLE))
    assert (turn.view.status, answers(turn)) == (Status.FAILED, ["", "Fine."])


async def test_each_column_sees_what_it_said_itself(world: World) -> None:
    world.server.script("agg", Answer("Mine."), Answer("."), Answer("."))
    world.server.script("a", Answer("A's own."), Answer("."), Answer("."))
    first = await ended(world, await compare(world, SINGLE, ONE))
    where = {"conversation_id": first.conversation_id, "expected_head": first.id, "key": "key-0002"}
    await ended(world, await compare(world, SINGLE, ONE, OTHER, question="And?", **where))
    said = {name: [m["content"] for m in world.server.requests_for(name)[-1].messages] for name in ("agg", "a", "b")}
    assert said == {
        "agg": ["Why?", "Mine.", "And?"],
        "a": ["Why?", "A's own.", "And?"],
        "b": ["Why?", "Mine.", "And?"],
    }


async def test_a_question_after_a_comparison_goes_on_from_the_first_column(world: World) -> None:
    world.server.script("agg", Answer("Mine."), Answer("Next."))
    first = await ended(world, await compare(world, SINGLE, ONE, blind=False))
    started = await world.chat.send(
        ANNA, question="And?", recipe=SINGLE, request_key="key-0002",
        conversation_id=first.conversation_id, expected_head=first.id,
    )  # fmt: skip
    assert (await views(world.chat, started.run_id))[-1].comparison is None
    assert [m["content"] for m in world.server.requests_for("agg")[-1].messages] == ["Why?", "Mine.", "And?"]


async def test_a_column_is_written_anew_alone(world: World) -> None:
    world.server.script("agg", Answer("Mine."))
    world.server.script("a", Answer("First."), Answer("Second."))
    first = await ended(world, await compare(world, SINGLE, ONE))
    started = await world.chat.regenerate_column(ANNA, first.id, 2, request_key="key-0002")
    await views(world.chat, started.run_id)
    turn = await world.chat.turn(ANNA, first.id)
    assert answers(turn) == ["Mine.", "Second."]
    assert turn.columns[0].attempts == (first.columns[0].run_id, started.run_id)
    assert len(world.server.requests_for("agg")) == 1
    with pytest.raises(NotFound):
        await world.chat.regenerate_column(ANNA, first.id, 3, request_key="key-0003")


async def test_F24_the_same_comparison_sent_twice_is_one(world: World) -> None:
    several = await asyncio.gather(*(compare(world, SINGLE, ONE) for _ in range(3)))
    assert len({(started.run_id, started.columns) for started in several}) == 1
    assert [started.new for started in several].count(True) == 1
    await ended(world, several[0])
    assert len(world.server.requests) == 2


async def test_F23_a_comparison_from_an_older_state_is_a_conflict(world: World) -> None:
    first = await ended(world, await compare(world, SINGLE, ONE))
    with pytest.raises(Conflict):
        await compare(world, SINGLE, ONE, key="key-0002", conversation_id=first.conversation_id)
    assert len(world.server.requests) == 2


@pytest.mark.parametrize("recipes", [(SINGLE,), (SINGLE, replace(SINGLE, title="Again")), (SINGLE,) * 5])
async def test_what_cannot_be_compared_is_refused_and_stores_nothing(world: World, recipes: tuple[Recipe, ...]) -> None:
    with pytest.raises(InputRefused):
        await compare(world, *recipes)
    assert list(await world.chat.library.entries(ANNA)) == []


async def test_nothing_else_begins_while_a_column_is_written(world: World) -> None:
    gate = Gate()
    world.server.script("a", Answer("late", gate=gate))
    started = await compare(world, SINGLE, ONE)
    await views(world.chat, started.run_id)
    with pytest.raises(Busy):
        await world.chat.regenerate(ANNA, started.turn_id, recipe=SINGLE, request_key="key-0002")
    gate.open()
    await ended(world, started)


async def test_deleting_a_conversation_stops_all_columns_first(world: World) -> None:
    gate = Gate()
    for name in ("a", "agg"):
        world.server.script(name, Answer("never", gate=gate))
    started = await compare(world, SINGLE, ONE)
    await gate.arrived(2)
    await world.chat.library.delete(ANNA, started.conversation_id)
    await world.server.idle()
    assert world.chat.running(ANNA, started.conversation_id) is None


def test_a_blind_comparison_has_its_columns_in_any_order_and_an_open_one_as_given() -> None:
    drawn = {comparing.drawn((SINGLE, ONE, OTHER), blind=True) for _ in range(200)}
    assert {tuple(sorted(one.order)) for one in drawn} == {(1, 2, 3)}
    assert len(drawn) == 6
    assert comparing.drawn((SINGLE, ONE), blind=False) == Comparison((1, 2), blind=False)


# -- voting


async def test_a_vote_is_given_changed_and_read_back(world: World) -> None:
    turn = await ended(world, await compare(world, SINGLE, ONE))
    assert (turn.vote, turn.comparison and turn.comparison.blind) == (None, True)
    await world.chat.vote(ANNA, turn.id, turn.columns[0].run_id)
    voted = (await world.chat.turn(ANNA, turn.id)).vote
    assert voted is not None
    assert (voted.choice, voted.blind) == (turn.columns[0].run_id, True)
    assert set(voted.sides) == {turn.run_id, turn.columns[0].run_id}
    await world.chat.vote(ANNA, turn.id, BAD)
    [record] = await world.chat.votes(ANNA)
    assert (record.vote.choice, record.vote.blind) == (BAD, False)


async def test_B28_only_the_owner_votes_and_only_once_all_is_written(world: World) -> None:
    gate = Gate()
    world.server.script("a", Answer("late", gate=gate))
    started = await compare(world, SINGLE, ONE)
    await views(world.chat, started.run_id)
    with pytest.raises(InputRefused):
        await world.chat.vote(ANNA, started.turn_id, TIE)
    gate.open()
    await ended(world, started)
    for attempt in (
        lambda: world.chat.vote(BEN, started.turn_id, TIE),
        lambda: world.chat.regenerate_column(BEN, started.turn_id, 2, request_key="key-0002"),
        lambda: anext(world.chat.watch(BEN, started.columns[0])),
        lambda: world.chat.stop(BEN, started.columns[0]),
    ):
        with pytest.raises(NotFound):
            await attempt()
    assert list(await world.chat.votes(BEN)) == []


# -- one call for two columns


async def test_a_single_model_takes_over_what_the_mixture_asked_it_anyhow(world: World) -> None:
    world.server.script("a", Answer("From a."))
    world.server.script("agg", Answer("Mixed."))
    turn = await ended(world, await compare(world, ONE, MIXTURE, reuse=True))
    assert answers(turn) == ["From a.", "Mixed."]
    assert len(world.server.requests_for("a")) == 1
    alone = turn.view.result
    assert alone is not None
    assert (alone.status, alone.calls, alone.cost_microusd, alone.usage) == (Status.COMPLETE, 0, None, None)
    [outcome] = alone.outcomes
    assert isinstance(outcome, Proposal)
    assert outcome.reused
    tree = await world.store.load_tree(ANNA, turn.conversation_id)
    assert [m.text for m in tree.turns[0].shown.calls[0].messages] == ["Why?"]
    await world.chat.vote(ANNA, turn.id, TIE)
    [record] = await world.chat.votes(ANNA)
    [lent] = [run for run in record.runs if run.run_id == turn.run_id]
    assert (lent.calls, lent.usage, lent.duration_ms) == (1, outcome.usage, outcome.duration_ms)


async def test_a_single_model_is_called_when_the_mixtures_call_failed(world: World) -> None:
    world.server.script("a", HttpError(500, "no"), Answer("Own."))
    turn = await ended(world, await compare(world, MIXTURE, ONE, reuse=True))
    assert answers(turn)[1] == "Own."
    assert len(world.server.requests_for("a")) == 2


async def test_a_borrower_that_is_stopped_ends_at_once_and_the_lender_goes_on(world: World) -> None:
    gate = Gate()
    world.server.script("a", Answer("From a.", gate=gate))
    started = await compare(world, MIXTURE, ONE, reuse=True)
    await gate.arrived()
    await world.chat.stop(ANNA, started.columns[0])
    gate.open()
    turn = await ended(world, started)
    assert (turn.view.status, turn.columns[0].view.status) == (Status.COMPLETE, Status.CANCELLED)


async def test_a_lender_that_is_stopped_makes_the_borrower_call_itself(world: World) -> None:
    gate = Gate()
    world.server.script("a", Answer("Never.", gate=gate), Answer("Own."))
    started = await compare(world, MIXTURE, ONE, reuse=True)
    await gate.arrived()
    await world.chat.stop(ANNA, started.run_id)
    turn = await ended(world, started)
    assert turn.view.panels[Slot(1, 1)].status is PanelStatus.STOPPED
    assert answers(turn)[1] == "Own."


async def test_draining_ends_a_borrower_too(world: World) -> None:
    gate = Gate()
    world.server.script("a", Answer("Never.", gate=gate))
    started = await compare(world, MIXTURE, ONE, reuse=True)
    await gate.arrived()
    await world.chat.drain(0)
    turn = await world.chat.turn(ANNA, started.turn_id)
    assert [column.view.status for column in (turn, *turn.columns)] == [Status.INTERRUPTED] * 2


async def test_without_reuse_every_column_calls_for_itself(world: World) -> None:
    await ended(world, await compare(world, MIXTURE, ONE))
    assert len(world.server.requests_for("a")) == 2


def asked(*recipes: Recipe) -> dict[int, tuple[Recipe, tuple[Any, ...]]]:
    return {column: (recipe, ()) for column, recipe in enumerate(recipes, 1)}


def test_only_the_very_same_call_is_lent() -> None:
    def alone(**more: Any) -> Recipe:
        return replace(ONE, aggregator=replace(ONE.aggregator, **more))

    briefed = replace(MIXTURE, layers=(Layer((Agent("b"), Agent("a", system="Be brief."))),))
    assert comparing.loans(asked(MIXTURE, ONE)) == {2: (1, Slot(1, 1))}
    assert comparing.loans(asked(ONE, OTHER, MIXTURE)) == {1: (3, Slot(1, 1)), 2: (3, Slot(1, 2))}
    assert comparing.loans(asked(briefed, replace(ONE, system="Be brief."))) == {2: (1, Slot(1, 2))}
    for other in (
        alone(sampling=Sampling(temperature=0.1)),
        alone(system="Be brief."),
        alone(model="x"),
        replace(ONE, system="Be brief."),
        SINGLE,
    ):
        assert comparing.loans(asked(MIXTURE, other)) == {}
    assert comparing.loans(asked(MIXTURE, replace(MIXTURE, layers=(*MIXTURE.layers, *MIXTURE.layers)))) == {}


async def test_all_columns_are_watched_as_one_turn_until_the_last_has_ended(world: World) -> None:
    gate = Gate()
    world.server.script("agg", Answer("Mixed."))
    for name in "bc":
        world.server.script(name, Answer(f"From {name}."))
    world.server.script("a", Answer("Of the mixture."), Answer("Alone at last.", gate=gate, hold=(1,)))
    started = await compare(world, MIXTURE, ONE)
    seen: list[TurnView] = []
    async for view in world.chat.watch_columns(ANNA, started.columns[0], every_s=0.0):
        seen.append(view)
        if view.running and not view.live and view.columns[0].view.panels[Slot(1, 1)].text:
            gate.open()
    assert answers(seen[-1]) == ["Mixed.", "Alone at last."]
    assert [view.running for view in seen[-2:]] == [True, False]
    assert any(view.columns[0].live and not view.live for view in seen)
    assert all([column.column for column in view.columns] == [2] for view in seen)


async def test_a_comparison_that_is_over_is_watched_in_one_view(world: World) -> None:
    for name in ("a", "b"):
        world.server.script(name, Answer(f"From {name}."))
    started = await compare(world, ONE, OTHER)
    turn = await ended(world, started)
    assert [view async for view in world.chat.watch_columns(ANNA, started.run_id)] == [turn]
    with pytest.raises(NotFound):
        await anext(aiter(world.chat.watch_columns(BEN, started.run_id)))


async def test_stop_ends_every_column(world: World) -> None:
    gate = Gate()
    for name in ("a", "b"):
        world.server.script(name, Answer("It never ends.", gate=gate, hold=(2,)))
    started = await compare(world, ONE, OTHER)
    await gate.arrived(2)
    with pytest.raises(NotFound):
        await world.chat.stop_columns(BEN, started.run_id)
    await world.chat.stop_columns(ANNA, started.columns[0])
    turn = await world.chat.turn(ANNA, started.turn_id)
    assert (turn.running, {view.view.status for view in turn.sides}) == (False, {Status.CANCELLED})
    gate.open()


async def test_a_comparison_branches_off_and_takes_a_turns_place(world: World) -> None:
    for name in ("a", "b"):
        world.server.script(name, *[Answer(f"{name}{n}") for n in range(1, 5)])
    first = await compare(world, ONE, OTHER)
    await ended(world, first)
    second = await compare(
        world,
        ONE,
        OTHER,
        key="key-0002",
        question="And?",
        conversation_id=first.conversation_id,
        expected_head=first.turn_id,
    )
    await ended(world, second)
    branched = await compare(world, ONE, OTHER, key="key-0003", question="Or?", after=first.turn_id)
    turn = await ended(world, branched)
    assert (turn.position, len(turn.siblings), answers(turn)) == (2, 2, ["a3", "b3"])
    sent = [m["content"] for m in world.server.requests_for("b")[-1].messages]
    assert sent == ["Why?", "b1", "Or?"]
    instead = await compare(world, ONE, OTHER, key="key-0004", question="Why not?", instead=first.turn_id)
    turn = await ended(world, instead)
    assert (turn.position, len(turn.siblings), turn.question) == (1, 2, "Why not?")
    assert [m["content"] for m in world.server.requests_for("a")[-1].messages] == ["Why not?"]


async def test_a_column_that_did_not_end_well_is_asked_only_for_what_it_lacks(world: World) -> None:
    gate = Gate()
    for name in "abc":
        world.server.script(name, Answer(f"From {name}."))
    world.server.script("agg", Answer("Never.", gate=gate, hold=(0,)), Answer("Mixed at last."))
    started = await compare(world, OTHER, MIXTURE)
    await gate.arrived(1)
    await world.chat.stop_columns(ANNA, started.run_id)
    gate.open()
    again = await world.chat.regenerate_column(ANNA, started.turn_id, 2, request_key="key-0002")
    await views(world.chat, again.run_id)
    turn = await world.chat.turn(ANNA, started.turn_id)
    assert answers(turn)[1] == "Mixed at last."
    assert [len(world.server.requests_for(name)) for name in ("a", "b", "c", "agg")] == [1, 2, 1, 2]


async def test_while_a_blind_comparison_waits_for_its_vote_only_another_blind_one_goes_on(world: World) -> None:
    for name in ("a", "b"):
        world.server.script(name, *[Answer(f"{name}{n}") for n in range(1, 5)])
    first = await compare(world, ONE, OTHER)
    await ended(world, first)
    after: dict[str, Any] = {"conversation_id": first.conversation_id, "expected_head": first.turn_id}
    calls = len(world.server.requests)
    with pytest.raises(InputRefused, match="Vote on the blind comparison first"):
        await world.chat.send(ANNA, question="And?", recipe=ONE, request_key="key-0002", **after)
    with pytest.raises(InputRefused, match="Vote on the blind comparison first"):
        await compare(world, ONE, OTHER, key="key-0003", question="And?", blind=False, **after)
    assert len(world.server.requests) == calls
    second = await compare(world, OTHER, ONE, key="key-0004", question="And?", **after)
    await ended(world, second)
    assert [m["content"] for m in world.server.requests_for("b")[-1].messages] == ["Why?", "b1", "And?"]
    turn = await world.chat.turn(ANNA, first.turn_id)
    await world.chat.vote(ANNA, first.turn_id, turn.columns[0].run_id)
    await world.chat.vote(ANNA, second.turn_id, TIE)
    third = await world.chat.send(
        ANNA, question="Or?", recipe=ONE, request_key="key-0005",
        conversation_id=first.conversation_id, expected_head=second.turn_id,
    )  # fmt: skip
    await views(world.chat, third.run_id)
    sent = [m["content"] for m in world.server.requests_for("a")[-1].messages]
    assert sent == ["Why?", "b1", "And?", "b2", "Or?"]  # the answers preferred, else the first column's
