"""The service end to end below the page: real store, real HTTP, scripted models."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from moa.core.domain import Proposal, Slot, Status
from moa.core.errors import Busy, Conflict, InputRefused, NotFound
from moa.core.view import PanelStatus, RunView
from moa.engine.prompts import PAPER_BLOCK
from storage import open_store
from tests.chat.conftest import ANNA, BEN, MIXTURE, SINGLE, World, views
from tests.support.server import Answer, Gate, HttpError


def told(view: RunView) -> RunView:
    """A view without what only a watcher can know: the event count and the last clock reading."""
    return replace(view, seq=0, at_ms=0)


async def test_a_turn_is_answered_stored_and_shown_the_same_after_a_restart(world: World, tmp_path: Path) -> None:
    for name in "abc":
        world.server.script(name, Answer(f"Proposal of {name}."))
    world.server.script("agg", Answer("The answer."))
    shown = await world.ask("Why?")
    assert shown.view.status is Status.COMPLETE
    assert not shown.live
    await world.store.aclose()
    again = world.with_store(open_store("", tmp_path))
    stored = await again.turn(ANNA, shown.id)
    assert told(stored.view) == told(shown.view)
    assert [p.text for _, layer in stored.view.layers() for p in layer] == [f"Proposal of {n}." for n in "abc"]
    assert (await again.library.entries(ANNA))[0].title == "Why?"


async def test_a_follow_up_shows_models_the_final_answer_and_no_proposal(world: World) -> None:
    for name in "abc":
        world.server.script(name, Answer(f"Proposal of {name}."))
    world.server.script("agg", Answer("Forty-two."), Answer("Because."))
    first = await world.ask("What is it?")
    await world.ask("Why?", first.conversation_id, "key-0002")
    history = [
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "Forty-two."},
        {"role": "user", "content": "Why?"},
    ]
    for name in "abc":
        assert world.server.requests_for(name)[1].messages == history
    block = PAPER_BLOCK + "\n1. Proposal of a.\n2. Proposal of b.\n3. Proposal of c."
    assert world.server.requests_for("agg")[1].messages == [{"role": "system", "content": block}, *history]


async def test_the_question_and_the_run_are_stored_before_any_model_is_called(world: World, tmp_path: Path) -> None:
    gate = Gate()
    for name in "abc":
        world.server.script(name, Answer("x", gate=gate))
    started = await world.chat.send(ANNA, question="Stored?", recipe=MIXTURE, request_key="key-0001")
    other = world.with_store(open_store("", tmp_path))
    seen = await other.turn(ANNA, started.turn_id)
    assert (seen.question, seen.view.status, seen.live) == ("Stored?", Status.RUNNING, True)
    await world.chat.stop(ANNA, started.run_id)


async def test_a_late_viewer_sees_everything_so_far_and_goes_on_live(world: World) -> None:
    gate = Gate()
    world.server.script("a", Answer(chunks=("one", " two", " three"), gate=gate, hold=(1,)))
    started = await world.chat.send(ANNA, question="Go", recipe=MIXTURE, request_key="key-0001")
    await gate.arrived()
    early = world.chat.watch(ANNA, started.run_id, every_s=0)
    while (await anext(early)).view.panels[Slot(1, 1)].text != "one":
        pass
    late = await anext(world.chat.watch(ANNA, started.run_id, every_s=0))
    assert late.view.panels[Slot(1, 1)].text == "one"
    assert late.live
    gate.open()
    last = (await views(world.chat, started.run_id))[-1]
    assert last.view.panels[Slot(1, 1)].text == "one two three"
    assert not last.live


async def test_what_is_shown_as_done_is_stored(world: World, tmp_path: Path) -> None:
    shown = await world.ask("Durable?")
    stored = await world.with_store(open_store("", tmp_path)).turn(ANNA, shown.id)
    assert stored.view.status is shown.view.status is Status.COMPLETE


async def test_stop_keeps_what_had_arrived_and_closes_the_connections(world: World) -> None:
    gate = Gate()
    for name in "abc":
        world.server.script(name, Answer(chunks=("half", " whole"), gate=gate, hold=(1,)))
    started = await world.chat.send(ANNA, question="Stop me", recipe=MIXTURE, request_key="key-0001")
    await gate.arrived(3)
    watch = world.chat.watch(ANNA, started.run_id, every_s=0)
    seen = await anext(watch)
    while not all(seen.view.panels[Slot(1, n)].text for n in (1, 2, 3)):
        seen = await anext(watch)
    await world.chat.stop(ANNA, started.run_id)
    await world.server.idle()
    stored = await world.chat.turn(ANNA, started.turn_id)
    assert stored.view.status is Status.CANCELLED
    assert [stored.view.panels[Slot(1, n)].text for n in (1, 2, 3)] == ["half"] * 3
    assert {p.status for p in stored.view.panels.values()} == {PanelStatus.STOPPED}
    assert seen.live


async def test_regenerate_is_another_attempt_and_the_history_follows_the_one_shown(world: World) -> None:
    world.server.script("agg", Answer("First try."), Answer("Second try."), Answer("Next."))
    first = await world.ask("Why?")
    started = await world.chat.regenerate(ANNA, first.id, recipe=MIXTURE, request_key="key-0002")
    assert (await views(world.chat, started.run_id))[-1].view.result.answer == "Second try."  # type: ignore[union-attr]
    opened = await world.chat.open(ANNA, first.conversation_id)
    assert [t.view.result.answer for t in opened.turns] == ["Second try."]  # type: ignore[union-attr]
    await world.ask("And?", first.conversation_id, "key-0003")
    assert world.server.requests_for("a")[-1].messages[1]["content"] == "Second try."


async def test_reused_proposals_are_neither_called_nor_paid_again(world: World) -> None:
    first = await world.ask("Why?")
    started = await world.chat.regenerate_answer(ANNA, first.id, request_key="key-0002")
    again = (await views(world.chat, started.run_id))[-1].view.result
    assert again is not None
    assert (again.calls, len(world.server.requests_for("a")), len(world.server.requests_for("agg"))) == (1, 1, 2)
    assert all(o.reused for o in again.outcomes if isinstance(o, Proposal) and o.slot.layer == 1)
    stored = (await world.chat.turn(ANNA, first.id)).view.result
    assert stored == again


async def test_f24_the_same_submit_twice_is_one_run(world: World) -> None:
    sends = [world.chat.send(ANNA, question="Once", recipe=SINGLE, request_key="key-0001") for _ in range(5)]
    started = await asyncio.gather(*sends)
    assert len({s.run_id for s in started}) == 1
    assert [s.new for s in started].count(True) == 1
    await views(world.chat, started[0].run_id)
    assert len(world.server.requests) == 1


async def test_f23_a_second_tab_that_saw_an_older_state_gets_a_conflict_and_nothing_is_called(world: World) -> None:
    first = await world.ask("One")
    await world.ask("Two", first.conversation_id, "key-0002")
    before = len(world.server.requests)
    with pytest.raises(Conflict):
        await world.chat.send(
            ANNA, question="Stale", recipe=SINGLE, request_key="key-0003",
            conversation_id=first.conversation_id, expected_head=first.id,
        )  # fmt: skip
    assert len(world.server.requests) == before


@pytest.mark.parametrize("question", ["", "   \n\t", "\x00\x01", "x" * 32_001])
async def test_b07_a_question_that_cannot_be_taken_stores_and_sends_nothing(world: World, question: str) -> None:
    with pytest.raises(InputRefused):
        await world.chat.send(ANNA, question=question, recipe=SINGLE, request_key="key-0001")
    assert list(await world.chat.library.entries(ANNA)) == []
    assert world.server.requests == []


async def test_b09_nothing_of_another_user_can_be_read_watched_or_stopped(world: World) -> None:
    gate = Gate()
    world.server.script("agg", Answer("secret", gate=gate))
    started = await world.chat.send(ANNA, question="Mine", recipe=SINGLE, request_key="key-0001")
    await gate.arrived()
    texts = set()
    for attempt in (
        lambda: world.chat.open(BEN, started.conversation_id),
        lambda: world.chat.turn(BEN, started.turn_id),
        lambda: world.chat.stop(BEN, started.run_id),
        lambda: anext(world.chat.watch(BEN, started.run_id)),
        lambda: world.chat.library.rename(BEN, started.conversation_id, "Theirs"),
        lambda: world.chat.library.delete(BEN, started.conversation_id),
        lambda: world.chat.regenerate(BEN, started.turn_id, recipe=SINGLE, request_key="key-0002"),
    ):
        with pytest.raises(NotFound) as refused:
            await attempt()
        texts.add(type(refused.value))
    assert world.chat.running(BEN, started.conversation_id) is None
    assert world.chat.running(ANNA, started.conversation_id) is not None
    gate.open()
    assert (await views(world.chat, started.run_id))[-1].view.result.answer == "secret"  # type: ignore[union-attr]


async def test_deleting_a_conversation_stops_its_run_first(world: World) -> None:
    gate = Gate()
    world.server.script("agg", Answer("never", gate=gate))
    started = await world.chat.send(ANNA, question="Gone", recipe=SINGLE, request_key="key-0001")
    await gate.arrived()
    await world.chat.library.delete(ANNA, started.conversation_id)
    await world.server.idle()
    assert list(await world.chat.library.entries(ANNA)) == []
    with pytest.raises(NotFound):
        await world.chat.open(ANNA, started.conversation_id)


async def test_draining_stores_what_is_left_as_interrupted_and_takes_nothing_more(world: World) -> None:
    gate = Gate()
    world.server.script("agg", Answer(chunks=("half", " whole"), gate=gate, hold=(1,)))
    started = await world.chat.send(ANNA, question="Drain", recipe=SINGLE, request_key="key-0001")
    await gate.arrived()
    watch = world.chat.watch(ANNA, started.run_id, every_s=0)
    while (await anext(watch)).view.panels[Slot(1, 1)].text != "half":
        pass
    await world.chat.drain(0)
    stored = await world.chat.turn(ANNA, started.turn_id)
    assert (stored.view.status, stored.view.result.answer) == (Status.INTERRUPTED, "half")  # type: ignore[union-attr]
    with pytest.raises(Busy):
        await world.chat.send(ANNA, question="More", recipe=SINGLE, request_key="key-0002")


async def test_a_failed_run_keeps_its_question_and_says_why(world: World) -> None:
    world.server.script("agg", HttpError(401, "bad key sk-test"))
    started = await world.chat.send(ANNA, question="Fail", recipe=SINGLE, request_key="key-0001")
    shown = (await views(world.chat, started.run_id))[-1]
    assert shown.view.status is Status.FAILED
    answer = shown.view.answer()
    assert answer is not None
    assert answer.outcome is not None
    assert "sk-test" not in repr(shown)
    assert (await world.chat.open(ANNA, started.conversation_id)).turns[0].question == "Fail"
