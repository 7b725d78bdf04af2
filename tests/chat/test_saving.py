"""F27: the store refuses for a while; the run goes on in memory and is saved when it can be."""

from __future__ import annotations

from collections.abc import Mapping

from moa.chat.values import Actor, SavedCall
from moa.core.domain import RunResult, Slot, Status
from moa.core.errors import StoreBusy
from storage import SqlStore
from tests.chat.conftest import ANNA, MIXTURE, World
from tests.support.gates import Watched


class Refusing(SqlStore):
    """A store that refuses to write runs until told otherwise, and counts how often it did."""

    def __init__(self, inner: SqlStore) -> None:
        super().__init__(inner.database)
        self.refuses = True
        self.refused = Watched()

    def _check(self) -> None:
        if self.refuses:
            self.refused.add()
            raise StoreBusy("The database is locked by another program.")

    async def save_call(self, actor: Actor, run_id: str, call: SavedCall) -> None:
        self._check()
        await super().save_call(actor, run_id, call)

    async def checkpoint(self, actor: Actor, run_id: str, growing: Mapping[Slot, str]) -> bool:
        self._check()
        return await super().checkpoint(actor, run_id, growing)

    async def end_run(self, actor: Actor, run_id: str, result: RunResult) -> None:
        self._check()
        await super().end_run(actor, run_id, result)


async def test_f27_a_locked_database_delays_the_save_and_loses_nothing(world: World) -> None:
    store = Refusing(world.store)
    chat = world.with_store(store)
    started = await chat.send(ANNA, question="Locked?", recipe=MIXTURE, request_key="key-0001")
    await store.refused.until(lambda n: n >= 1)
    seen = []
    async for view in chat.watch(ANNA, started.run_id, every_s=0, keepalive_s=0.01):
        seen.append(view)
        finished = view.view.answer() is not None and view.view.answer().outcome is not None  # type: ignore[union-attr]
        if finished and not view.saved:
            store.refuses = False
    assert any(not view.saved for view in seen)
    assert seen[-1].saved
    assert not seen[-1].live
    stored = (await world.chat.turn(ANNA, started.turn_id)).view
    assert stored.status is Status.COMPLETE
    assert stored.result == seen[-1].view.result
