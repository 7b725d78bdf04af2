"""Processes that write chats until they are killed, and say on stdout what they were told is saved.

python -m tests.storage.writer

Reads lines of JSON, {"url", "data", "seed"}, and forks a writer for each: its first line tells its process id, and
{"kind": "over"} follows once it is dead. Forked, since starting a process anew takes longer than all that it writes.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from moa.core.domain import LeftOut, Message, Role, Slot
from storage import SqlStore, open_store
from tests.storage.samples import ADA, FIRST, LAST, SECOND, agent_of, call, proposal, question, result


def acknowledge(kind: str, **what: Any) -> None:
    """One line, out before anything else is written to the database."""
    sys.stdout.buffer.write(orjson.dumps({"kind": kind, **what}) + b"\n")
    sys.stdout.buffer.flush()


async def write_turn(store: SqlStore, words: random.Random, where: dict[str, str]) -> dict[str, str]:
    """One turn from question to end; returns where the next one goes on."""
    text = f"question {words.random()} " + "天空 " * words.randrange(400)
    turn, _ = await store.begin_turn(ADA, question(text, f"key{words.getrandbits(64)}", **where))
    run = turn.shown_run_id
    acknowledge("turn", turn=turn.id, conversation=turn.conversation_id, text=text)

    def said(slot: Slot) -> str:
        return f"{slot} {words.random()} " + "blue " * words.randrange(2000)

    for slot in (FIRST, SECOND):
        sent = (Message(Role.USER, f"{text} for {slot}"),)
        await store.begin_call(ADA, run, slot, agent_of(slot), sent, LeftOut())
        acknowledge("asked", turn=turn.id, slot=str(slot), text=sent[0].text)
    growing = {slot: said(slot) for slot in (FIRST, SECOND)}
    await store.checkpoint(ADA, run, growing)
    acknowledge("growing", turn=turn.id, texts={str(slot): text for slot, text in growing.items()})
    for slot, begun in growing.items():
        done = proposal(slot, begun + said(slot))
        await store.save_call(ADA, run, replace(call(done), messages=(Message(Role.USER, f"{text} for {slot}"),)))
        acknowledge("call", turn=turn.id, slot=str(slot), text=done.text)
    answer = proposal(LAST, said(LAST))
    await store.checkpoint(ADA, run, {LAST: answer.text[:9]})
    acknowledge("growing", turn=turn.id, texts={str(LAST): answer.text[:9]})
    await store.end_run(ADA, run, result(answer))
    acknowledge("end", turn=turn.id, slot=str(LAST), text=answer.text)
    return {"conversation_id": turn.conversation_id, "expected_head": turn.id}


async def main(url: str, data: Path, seed: int) -> None:
    words = random.Random(seed)
    store = open_store(url, data)
    where: dict[str, str] = {}
    while True:
        where = await write_turn(store, words, where if words.random() < 0.7 else {})


def fork_writers() -> None:
    """Serve stdin. No thread and no connection is open here when a writer is forked."""
    for line in sys.stdin.buffer:
        wanted = orjson.loads(line)
        pid = os.fork()
        if pid == 0:
            acknowledge("pid", pid=os.getpid())
            asyncio.run(main(wanted["url"], Path(wanted["data"]), wanted["seed"]))
        os.waitpid(pid, 0)
        sys.stdout.buffer.write(b"\n")  # ends a line that the kill cut off
        acknowledge("over")


if __name__ == "__main__":
    fork_writers()
