"""Shows a run while it goes on: agents on standard error, the answer on standard output."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.live import Live

from moa.cli.lines import LabelOf, NoteOf, drawn, lines, notice, summary
from moa.core.domain import Slot
from moa.core.view import RunView


class Screen:
    """``progress``: agents are shown as long as they work. ``streamed``: the answer is written as it comes, and the
    agents give way to it, as both may go to one terminal. What is not streamed is never written twice, nor in part.
    """

    def __init__(
        self, out: TextIO, err: Console, *, progress: bool, streamed: bool, label_of: LabelOf, note_of: NoteOf
    ) -> None:
        self._out, self._err, self._streamed = out, err, streamed
        self._label_of, self._note_of = label_of, note_of
        self._progress = progress
        # Not redirected: what is printed elsewhere meanwhile must stay on its own stream.
        live = Live(console=err, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._live = live if progress else None
        self._slot: Slot | None = None
        self._written = ""

    def show(self, view: RunView) -> None:
        """The run as it stands now."""
        if self._live is not None:
            self._live.update(drawn(lines(view, self._label_of, self._note_of)))
            self._live.start(refresh=True) if not self._live.is_started else self._live.refresh()
        answer = view.answer()
        if self._streamed and answer is not None and answer.text:
            self._write(answer.slot, answer.text)

    def close(self) -> None:
        """Leave the agents as they stand; the cursor is given back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def end(self, view: RunView, text: str | None) -> None:
        """The run has ended: ``text`` is written unless it was streamed, then what all took and what is missing."""
        self.close()
        if self._written:
            self._out.write("\n")
        elif text:
            self._out.write(text + "\n")
        self._out.flush()
        if self._progress:
            self._err.print(summary(view), style="dim", markup=False, highlight=False)
        if told := notice(view):
            self._err.print(told, markup=False, highlight=False, soft_wrap=True)

    def _write(self, slot: Slot, text: str) -> None:
        self.close()
        if self._written and (slot != self._slot or not text.startswith(self._written)):
            self._out.write("\n")
            self._out.flush()
            self._err.print("The answer begins anew:", style="yellow")
            self._written = ""
        new, self._slot, self._written = text[len(self._written) :], slot, text
        self._out.write(new.replace("\r", ""))  # a carriage return would hide what stands in its line
        self._out.flush()
