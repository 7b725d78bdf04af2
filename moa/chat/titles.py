"""Titles of conversations, written by the aggregator after the first answer."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable

from moa.chat.live import LiveRun
from moa.chat.ports import Conversations
from moa.chat.values import Actor
from moa.core.domain import Agent, Message, Part, Recipe, Role, Sampling, Status
from moa.core.errors import MoaError
from moa.engine.engine import Engine

_log = logging.getLogger(__name__)
_ASKED = (
    "Write a title for this conversation, in at most six words and in the language of the question. "
    "Reply with the title alone.\n\nQuestion: {question}\n\nAnswer: {answer}\n\nTitle:"
)
_ANSWERED = (Status.COMPLETE, Status.DEGRADED)
_READ_CHARS = 600
_TITLE_CHARS = 60
_TITLE_WORDS = 12
_TOKENS = 32
_LABEL = re.compile(r"(title|제목|标题|標題|タイトル)\s*[::]\s*", re.IGNORECASE)
_AROUND = " \t*_#`>\"'“”‘’«»「」『』《》.。:"


class Titles:
    """Writes titles in the background, through the engine's own limits and deadlines. One that fails, or is no title,
    leaves the first words of the question standing."""

    def __init__(self, engine: Engine, store: Conversations, writes: Callable[[str], bool] = lambda _: True) -> None:
        """``writes`` tells whether a model, by its id, is able to."""
        self._engine, self._store, self._writes = engine, store, writes
        self._writing: set[asyncio.Task[None]] = set()

    def after(self, live: LiveRun) -> None:
        """A run has ended: if it gave its conversation the first answer, begin to write a title, and return."""
        turn, result, model = live.turn, live.result, live.record.recipe.aggregator.model
        if turn.comparison is not None and turn.comparison.blind:
            return  # a title tells what the aggregator read
        answered = any(run.status in _ANSWERED for run in turn.runs if run.id != live.record.id)
        if turn.position > 1 or len(turn.siblings) > 1 or answered or result is None or result.status not in _ANSWERED:
            return
        if self._writes(model):
            asked = messages_for(turn.question, result.answer)
            task = asyncio.create_task(self._write(live.actor, turn.conversation_id, model, asked))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def aclose(self) -> None:
        """Give up those that are being written."""
        writing = list(self._writing)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)

    async def _write(self, actor: Actor, conversation_id: str, model: str, messages: tuple[Message, ...]) -> None:
        agent = Agent(model, Part.AGGREGATOR, Sampling(temperature=0.0, max_tokens=_TOKENS))
        try:
            async with self._engine.run(Recipe("title", "Title", (), agent), messages) as run:
                await run.wait()
            if run.result is not None and run.result.status is Status.COMPLETE:
                await self._store.suggest_title(actor, conversation_id, title_of(run.result.answer))
        except MoaError as error:  # deleted meanwhile, or the database refuses for now: a title is not worth a word
            _log.info("no title was written: %s", error)
        except Exception:  # noqa: BLE001 - a defect of ours must not stay silent in a task that nobody awaits
            _log.exception("no title was written")


def messages_for(question: str, answer: str) -> tuple[Message, ...]:
    """What the model is asked: the beginnings of question and answer are enough."""
    asked = _ASKED.format(question=question[:_READ_CHARS].strip(), answer=answer[:_READ_CHARS].strip())
    return (Message(Role.USER, asked),)


def title_of(reply: str) -> str:
    """The title in a model's reply: its first line without marks around it; empty when that is no title."""
    lines = [line for line in (raw.strip(_AROUND) for raw in reply.splitlines()) if line]
    if not lines:
        return ""
    label = _LABEL.match(lines[0])
    title = (lines[0][label.end() :] if label else lines[0]).strip(_AROUND)
    return title if len(title) <= _TITLE_CHARS and len(title.split()) <= _TITLE_WORDS else ""
