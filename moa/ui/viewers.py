"""What each page shows now, so that what belongs to a conversation it has left neither follows it nor comes back.

A page's events are carried out in any order, and their answers take different times. What the reader chose last, by the
page's own clock, is what stays.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import count

_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class _View:
    conversation: str | None = None
    run: str | None = None
    stream: int = 0
    chosen_ms: float = 0.0
    known: bool = False  # what it shows; else it has only chosen


class Viewers:
    """Remembers conversation, run and newest stream of each page (Gradio's session hash), for 10,000 pages.

    A page that is forgotten loses its stream early and then shows the run as of that moment.
    """

    def __init__(self) -> None:
        self._views: OrderedDict[str, _View] = OrderedDict()
        self._numbers = count(1)

    def choose(self, page: str, at_ms: float | None) -> bool:
        """The page is to show something that was chosen at this moment (None: just now). False: it has chosen something
        else since."""
        view = self._views.get(page) or _View()
        if at_ms is not None and at_ms < view.chosen_ms:
            return False
        self._put(page, replace(view, chosen_ms=view.chosen_ms if at_ms is None else at_ms))
        return True

    def chose(self, page: str, at_ms: float | None) -> bool:
        """Whether nothing else was chosen since."""
        view = self._views.get(page)
        return view is None or at_ms is None or view.chosen_ms <= at_ms

    def show(self, page: str, conversation: str | None, run: str | None) -> None:
        """The page shows this conversation from now on (None: the first screen), and is to follow this run, if any. Its
        stream is over."""
        view = self._views.get(page) or _View()
        self._put(page, replace(view, conversation=conversation, run=run, stream=next(self._numbers), known=True))

    def shows(self, page: str, conversation: str | None) -> bool:
        """Whether the page still shows it. A page that nothing is known of is believed."""
        view = self._views.get(page)
        return view is None or not view.known or view.conversation == conversation

    def follow(self, page: str, run: str) -> int | None:
        """A new stream of the page begins; an earlier one is over. Gives its number, or None when the page is to follow
        another run than this one."""
        view = self._views.get(page) or _View()
        if view.known and view.run != run:
            return None
        stream = next(self._numbers)
        self._put(page, replace(view, stream=stream))
        return stream

    def follows(self, page: str, stream: int) -> bool:
        """Whether this stream is the page's newest."""
        view = self._views.get(page)
        return view is not None and view.stream == stream

    def _put(self, page: str, view: _View) -> None:
        self._views.pop(page, None)
        self._views[page] = view
        while len(self._views) > _PAGES:
            self._views.popitem(last=False)
