"""Faults as the chat's viewers and its store see them: what is shown is what is stored."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from moa.core.domain import Slot, Status
from moa.core.view import RunView
from moa.engine.ports import Endpoint
from tests.fault.laws import failure_of
from tests.fault.playing import AGAIN
from tests.fault.rooms import ANNA, Room, room
from tests.fault.test_streams import CLEAN, PARTS
from tests.support.mixtures import recipe
from tests.support.server import Answer, Gate, HttpError, no_finish

pytestmark = pytest.mark.usefixtures("nothing_left")
THREE = recipe("a", "b", "c")


def _lasting(view: RunView) -> RunView:
    """A view without what only a watcher can know: the event count and the last clock reading."""
    return replace(view, seq=0, at_ms=0)


async def test_F06_everything_down_the_question_is_kept_and_can_be_asked_again(tmp_path: Path) -> None:
    async with room(tmp_path, AGAIN) as here:
        here.at.server.default = HttpError(500, "internals")
        started = await here.send(THREE, "Is anybody there?")
        shown = (await here.views(started))[-1]
        stored = await here.stored(started)
        assert _lasting(stored.view) == _lasting(shown.view)
        assert (stored.question, stored.run_id) == ("Is anybody there?", started.run_id)
        assert stored.view.status is Status.FAILED
        assert stored.view.result is not None
        assert {f.public for f in stored.view.result.failures} == {"The provider has a problem right now."}
        assert "internals" not in repr(stored)
        here.at.server.default = Answer("Now I am.")
        here.at.engine.models_refreshed()
        again = await here.chat.regenerate(ANNA, started.turn_id, recipe=THREE, request_key="key-0002")
        last = (await here.views(again))[-1]
        assert last.view.result is not None
        assert (last.view.status, last.view.result.answer) == (Status.COMPLETE, "Now I am.")


async def test_F02_attempts_are_stored(tmp_path: Path) -> None:
    async with room(tmp_path, AGAIN) as here:
        here.at.server.script("b", HttpError(503), Answer("Fine."))
        here.at.server.script("c", HttpError(503))
        started = await here.send(THREE)
        await here.views(started)
        result = (await here.stored(started)).view.result
        assert result is not None
        assert [outcome.attempts for outcome in result.outcomes] == [1, 2, 3, 1]
        assert (result.status, result.degraded_because[0].slot) == (Status.DEGRADED, Slot(1, 3))


async def test_F12_what_broke_off_is_never_stored_as_complete(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.at.server.script("agg", no_finish("Half an"))
        started = await here.send(recipe())
        await here.views(started)
        stored = (await here.stored(started)).view
        assert stored.result is not None
        assert (stored.status, failure_of(stored.result, Slot(1, 1)).partial) == (Status.FAILED, "Half an")


async def test_F17_what_is_stored_is_what_was_shown(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        for name in ("a", "b", "c", "agg"):
            here.at.server.script(name, Answer(chunks=PARTS, reasoning="Hm\ud83d\x00"))
        started = await here.send(THREE, "Wh\x00y \ud800 \u202eso?")
        shown = (await here.views(started))[-1]
        stored = await here.stored(started)
        assert (stored.question, shown.question) == ("Why \ufffd so?",) * 2
        assert _lasting(stored.view) == _lasting(shown.view)
        assert {panel.text for panel in stored.view.panels.values()} == {CLEAN}
        assert {panel.reasoning for panel in stored.view.panels.values()} == {"Hm\ufffd"}


async def test_F19_no_key_reaches_the_database(tmp_path: Path) -> None:
    key = "sk-test-0123456789abcdef"
    async with room(tmp_path) as here:
        here.at.server.script("a", HttpError(401, f"Incorrect API key provided: {key}"))
        started = await here.send(THREE)
        await here.views(started)
        assert all(request.used_key(key) for request in here.at.server.requests)
        assert key not in repr(await here.stored(started))
    assert all(key.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


async def test_a_defect_in_a_run_ends_it_for_its_viewers_and_in_the_store(tmp_path: Path) -> None:
    class Defective:
        """A directory that breaks after the first layer."""

        def endpoint(self, model_id: str) -> Endpoint:
            if model_id == "agg":
                raise RuntimeError("a defect")
            return here.at.directory.endpoint(model_id)

    async with room(tmp_path) as here:
        here.at.engine.directory = Defective()
        started = await here.send(THREE)
        shown = (await here.views(started))[-1]
        stored = await here.stored(started)
        assert (shown.live, shown.view.status) == (False, Status.FAILED)
        assert _lasting(stored.view) == _lasting(shown.view)
        assert stored.view.result is not None
        assert len(stored.view.result.proposals) == 3


async def _long_run(here: Room, watchers: int) -> tuple[int, list[str]]:
    """A long run with viewers that never read; the bytes that came to be held, and what they see when they look."""
    gate = Gate()
    here.at.server.script("agg", Answer("word " * 2000, gate=gate, hold=(0,)))
    started = await here.send(recipe(), key=f"key-{watchers:04}")
    await gate.arrived()
    paused = [here.chat.watch(ANNA, started.run_id, every_s=0) for _ in range(watchers)]
    for view in paused[: watchers // 2]:
        await anext(view)  # half of them have read once
    tracemalloc.start()
    try:
        gate.open()
        reader = await here.views(started)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reader[-1].view.status is Status.COMPLETE
    del reader
    last = [[view async for view in watch][-1] for watch in paused]
    assert all(view.view.status is Status.COMPLETE and not view.live for view in last)
    return held, [view.view.result.answer for view in last if view.view.result is not None]


async def test_F33_viewers_that_never_read_hold_nothing_up_and_nothing_back(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        alone, _ = await _long_run(here, 0)
        crowd, answers = await _long_run(here, 200)
        assert answers == [("word " * 2000)] * 200
        assert crowd - alone <= 1024 * 1024  # 200 queues of the run's views would hold hundreds of megabytes
