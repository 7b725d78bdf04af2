"""Server-sent events in, parsed JSON out: incremental, bounded, for chat completion streams only.

The stream's grammar is the HTML standard's (section 9.2.6): lines end in LF, CRLF or CR; a BOM may come first; an
event's ``data`` lines are joined by LF; a blank line ends the event. Event names, ids and comments are dropped.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

MAX_EVENT_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_END = b"[DONE]"


class SseParser:
    """Feed it what the socket gives, in pieces of any size.

    ``done`` is set by ``[DONE]``, after which nothing is read. ``fault`` says, for the operator, why the stream
    can't be read any further: a line or event over ``MAX_EVENT_BYTES``, or data that is no JSON in UTF-8.
    """

    __slots__ = ("_after_cr", "_between", "_data", "_data_bytes", "_first", "_rest", "_rest_bytes", "done", "fault")

    def __init__(self) -> None:
        self.done = False
        self.fault: str | None = None
        self._first = True
        self._between = False
        self._after_cr = False
        self._rest: list[bytes] = []
        self._rest_bytes = 0
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, data: bytes) -> list[Any]:
        """The values of the events that these bytes complete, up to a fault or the end."""
        if self._between and _is_one_event(data):
            try:
                return [orjson.loads(data[5:])]
            except orjson.JSONDecodeError:
                pass  # [DONE], or what only the general way can judge
        events = self._feed(data)
        self._between = not (self._rest or self._data or self._first or self._after_cr or self.done or self.fault)
        return events

    def end(self) -> list[Any]:
        """At the end of the body: the last event, if only its blank line is missing."""
        if self.done or self.fault:
            return []
        events = self.feed(b"\n\n")
        self.fault = None  # a body that ends within an event has just broken off
        return events

    def _feed(self, data: bytes) -> list[Any]:
        if b"\r" in data or self._after_cr:
            data = self._with_lf(data)
        *lines, rest = data.split(b"\n")
        if lines and self._rest:
            lines[0] = b"".join(self._rest) + lines[0]
            self._rest.clear()
            self._rest_bytes = 0
        if lines and self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(_BOM)
        events = self._read(lines)
        if rest:
            self._keep(rest)
        return events

    def _with_lf(self, data: bytes) -> bytes:
        """CRLF and CR become LF, also where a CRLF is split between two reads."""
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, rest: bytes) -> None:
        self._rest.append(rest)
        self._rest_bytes += len(rest)
        if self._rest_bytes > MAX_EVENT_BYTES:
            self._rest.clear()
            self.fault = self.fault or f"a line of more than {MAX_EVENT_BYTES} bytes"

    def _read(self, lines: list[bytes]) -> list[Any]:
        events: list[Any] = []
        for line in lines:
            if self.done or self.fault:
                break
            if not line:
                if self._data:
                    self._dispatch(events)
            elif line.startswith(b"data:"):
                self._data.append(line[5:])
                self._data_bytes += len(line)
                if self._data_bytes > MAX_EVENT_BYTES:
                    self.fault = f"an event of more than {MAX_EVENT_BYTES} bytes"
        return events

    def _dispatch(self, events: list[Any]) -> None:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        self._data_bytes = 0
        if data.strip() == _END:
            self.done = True
        elif data.strip():
            try:
                events.append(orjson.loads(data))
            except orjson.JSONDecodeError:
                self._read_leniently(data, events)

    def _read_leniently(self, data: bytes, events: list[Any]) -> None:
        """orjson refuses lone surrogates, which are half of an emoji whose other half comes in the next event."""
        try:
            events.append(json.loads(data))
        except (ValueError, RecursionError) as error:
            self.fault = f"an event that is no JSON: {type(error).__name__}"


def _is_one_event(data: bytes) -> bool:
    """Whether a read is one data line and its end, by far the commonest."""
    return (
        data.find(b"\n") == len(data) - 2
        and data.endswith(b"\n")
        and data.startswith(b"data:")
        and b"\r" not in data
        and len(data) < MAX_EVENT_BYTES
    )
