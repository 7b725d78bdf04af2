"""What the test server answers: good answers, and faults as values.

A script is an ``Answer``, a ``HttpError``, a ``Reply`` (the bytes themselves), or a function of the received
request that returns one of them. The functions at the end make the faults of RELIABILITY.md.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from tests.support.gates import Gate
from tests.support.received import Received


class Ending(Enum):
    """How a response's body ends other than well."""

    CUT = "cut"  # the socket is closed in the middle of the chunked body
    RESET = "reset"  # TCP reset


@dataclass(frozen=True, slots=True)
class Pause:
    """Real time between steps: for benchmarks and demonstrations only; tests use gates."""

    seconds: float


Step = bytes | Gate | Pause | Ending


@dataclass(frozen=True, slots=True)
class Reply:
    """The response itself: each ``bytes`` is one write. ``steps`` may be endless. ``gate`` holds the head."""

    steps: Iterable[Step] = ()
    status: int = 200
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    gate: Gate | None = None

    def reply(self, request: Received) -> Reply:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class HttpError:
    """An error as providers write it: ``{"error": {"message", "type", "code"}}``, or ``body`` as it is."""

    status: int
    message: str = "scripted failure"
    type: str = "error"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def reply(self, request: Received) -> Reply:
        """The JSON error response."""
        error = {"error": {"message": self.message, "type": self.type, "code": self.code}}
        body = json.dumps(error).encode() if self.body is None else self.body
        return Reply([body], self.status, "application/json", self.headers)


_COUNTED = object()


@dataclass(frozen=True, slots=True)
class Answer:
    """A chat completion, streamed as OpenAI does (or whole, when the request asks for no stream).

    ``chunks``: the parts themselves, their number, or None for one a word.
    ``usage``: counted words by default, sent when asked for; None: never sent; else sent as it is.
    ``gate`` stands before each chunk whose index is in ``hold`` (None: before each; ``len(parts)`` is the
    finish). ``head_gate`` stands before the response's head. ``break_after`` chunks the stream ends by ``ending``.
    ``finish`` None: no finish reason is sent. ``split``: bytes a write. ``comments``: keep-alives before each chunk.
    ``together``: one write for all chunks. ``first_s`` and ``gap_s`` are real time, for benchmarks only.
    """

    text: str = "Hello."
    chunks: int | tuple[str, ...] | None = None
    reasoning: str = ""
    reasoning_field: str = "reasoning_content"
    finish: str | None = "stop"
    usage: Any = _COUNTED
    done: bool = True
    gate: Gate | None = None
    hold: tuple[int, ...] | None = None
    head_gate: Gate | None = None
    break_after: int | None = None
    ending: Ending = Ending.CUT
    newline: str = "\n"
    bom: bool = False
    multi_line: bool = False
    split: int | None = None
    together: bool = False
    comments: int = 0
    first_s: float = 0.0
    gap_s: float = 0.0

    @property
    def parts(self) -> tuple[str, ...]:
        """The content chunks."""
        if isinstance(self.chunks, tuple):
            return self.chunks
        if self.chunks is None:
            return tuple(re.findall(r"\s*\S+\s*|\s+", self.text))
        size = max(1, -(-len(self.text) // self.chunks))
        return tuple(self.text[i : i + size] for i in range(0, len(self.text), size))

    def reply(self, request: Received) -> Reply:
        """The response to this request."""
        if not request.json.get("stream"):
            return Reply([self._whole(request)], content_type="application/json", gate=self.head_gate)
        steps = _rewritten(self._steps(request), self.split, self.together)
        return Reply(steps, gate=self.head_gate)

    def _steps(self, request: Received) -> Iterator[Step]:
        if self.first_s:
            yield Pause(self.first_s)
        opening = "\ufeff" if self.bom else ""
        yield opening.encode() + self._event(request, [_choice({"role": "assistant", "content": ""})])
        if self.reasoning:
            yield self._event(request, [_choice({self.reasoning_field: self.reasoning})])
        for index, part in enumerate(self.parts):
            if index == self.break_after:
                yield self.ending
            yield from self._before(index)
            yield self._event(request, [_choice({"content": part})])
        if self.break_after is not None and self.break_after >= len(self.parts):
            yield self.ending
        yield from self._before(len(self.parts))
        yield from self._end(request)

    def _before(self, index: int) -> Iterator[Step]:
        if self.comments:
            yield f": keep-alive{self.newline * 2}".encode() * self.comments
        if self.gap_s and index:
            yield Pause(self.gap_s)
        if self.gate is not None and (self.hold is None or index in self.hold):
            yield self.gate

    def _end(self, request: Received) -> Iterator[Step]:
        if self.finish is not None:
            yield self._event(request, [_choice({}, self.finish)])
        asked = (request.json.get("stream_options") or {}).get("include_usage")
        if self.usage is not _COUNTED and self.usage is not None:
            yield self._event(request, [], self.usage)
        elif self.usage is _COUNTED and asked:
            yield self._event(request, [], self._counted(request))
        if self.done:
            yield f"data: [DONE]{self.newline * 2}".encode()

    def _counted(self, request: Received) -> dict[str, int]:
        prompt = sum(len(str(m.get("content")).split()) for m in request.messages)
        output = len(self.parts)
        return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}

    def _event(self, request: Received, choices: list[Any], usage: Any = None) -> bytes:
        chunk = {"id": "c1", "object": "chat.completion.chunk", "model": request.model, "choices": choices}
        if usage is not None:
            chunk["usage"] = usage
        return event(chunk, newline=self.newline, multi_line=self.multi_line)

    def _whole(self, request: Received) -> bytes:
        message = {"role": "assistant", "content": self.text}
        usage = self._counted(request) if self.usage is _COUNTED else self.usage
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        head = {"id": "c1", "object": "chat.completion", "created": 1, "model": request.model}
        return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


Script = Reply | HttpError | Answer | Callable[[Received], "Reply | HttpError | Answer"]


def _choice(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _rewritten(steps: Iterator[Step], split: int | None, together: bool) -> Iterator[Step]:
    """The same bytes in other writes: joined first, then split."""
    for is_bytes, group in itertools.groupby(steps, lambda step: isinstance(step, bytes)):
        if not is_bytes or not (split or together):
            yield from group
            continue
        data = b"".join(step for step in group if isinstance(step, bytes))
        size = split or len(data)
        yield from (data[i : i + size] for i in range(0, len(data), size))


def event(data: Any, *, newline: str = "\n", multi_line: bool = False) -> bytes:
    """One SSE event that carries ``data`` as JSON; lone surrogates survive as escapes."""
    text = json.dumps(data, indent=1 if multi_line else None)
    return ("".join(f"data: {line}{newline}" for line in text.split("\n")) + newline).encode()


def content(text: str) -> bytes:
    """The event of one content chunk."""
    return event({"choices": [_choice({"content": text})]})


def html_page() -> Reply:
    """F14: status 200 and a web page."""
    return Reply([b"<!doctype html><html><body>Sign in</body></html>"], content_type="text/html")


def json_body(body: Any, status: int = 200) -> Reply:
    """F14: a JSON body where a stream was asked for."""
    return Reply([json.dumps(body).encode()], status, "application/json")


def empty_body() -> Reply:
    """F14: a stream's head and nothing more."""
    return Reply()


def done_only() -> Reply:
    """F14: nothing but ``[DONE]``."""
    return Reply([b"data: [DONE]\n\n"])


def choices(value: Any) -> Reply:
    """F14: ``choices`` is null, [] or worse."""
    return Reply([event({"choices": value}), b"data: [DONE]\n\n"])


def malformed_json(after: int = 1) -> Reply:
    """F13: ``after`` good chunks, then JSON that breaks off."""
    return Reply([*[content("word ")] * after, b'data: {"choices": [{"del\n\n'])


def bad_utf8(after: int = 1) -> Reply:
    """F13: ``after`` good chunks, then bytes that are no UTF-8."""
    return Reply([*[content("word ")] * after, content("XX").replace(b"XX", b"\xff\xfe")])


def error_event(
    message: str = "scripted failure", code: str | int | None = None, type_: str = "server_error", after: int = 0
) -> Reply:
    """An error object inside a stream that began well."""
    error = event({"error": {"message": message, "type": type_, "code": code}})
    return Reply([*[content("word ")] * after, error])


def reset(after: int = 0) -> Answer:
    """F11: TCP reset after ``after`` chunks."""
    return Answer("word " * (after + 1), break_after=after, ending=Ending.RESET)


def reset_before_head() -> Reply:
    """F11: TCP reset instead of a response."""
    return Reply([Ending.RESET])


def cut(after: int = 1) -> Answer:
    """F11: the chunked body breaks off after ``after`` chunks."""
    return Answer("word " * (after + 1), break_after=after, ending=Ending.CUT)


def no_finish(text: str = "Half an") -> Answer:
    """F12: a clean end of the body without a finish reason."""
    return Answer(text, finish=None, done=False, usage=None)


def hang(gate: Gate) -> Answer:
    """F08: nothing comes, not even a head, until the gate opens."""
    return Answer(head_gate=gate)


def hang_after(chunks: int, gate: Gate, text: str = "one two three four") -> Answer:
    """F09: ``chunks`` words come, and the rest when the gate opens."""
    return Answer(text, gate=gate, hold=(chunks,))


def endless_output(word: str = "word ") -> Reply:
    """F16: content for ever."""
    return Reply(itertools.repeat(content(word)))


def endless_line() -> Reply:
    """F16: one line that never ends."""
    return Reply(itertools.chain([b"data: "], itertools.repeat(b"x" * 65_536)))


def big_event(size_bytes: int = 10_000_000) -> Reply:
    """F16: one event of this size."""
    return Reply([content("x" * size_bytes), b"data: [DONE]\n\n"])


def with_head(script: Reply | HttpError | Answer, request: Received, **changes: Any) -> Reply:
    """The script's reply with another head: ``status``, ``headers``, ``content_type`` or ``gate``."""
    return replace(script.reply(request), **changes)
