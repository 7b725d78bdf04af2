"""What each page shows now, so that what belongs to a conversation it has left neither follows it nor comes back."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import count

_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class _View:
    conversation: str | None
    stream: int
    intent: int = 0


class Viewers:
    """Remembers the conversation and the newest stream of each page (Gradio's session hash), for 10,000 pages.

    A page that is forgotten loses its stream early and then shows the run as of that moment.
    """

    def __init__(self) -> None:
        self._views: OrderedDict[str, _View] = OrderedDict()
        self._numbers = count(1)

    def show(self, page: str, conversation: str | None) -> None:
        """The page shows this conversation from now on (None: the first screen); its stream is over."""
        number = next(self._numbers)
        self._put(page, _View(conversation, number, number))

    def intend(self, page: str) -> int:
        """The page is about to show something else. Gives a number for ``intends``."""
        intent = next(self._numbers)
        view = self._views.get(page)
        self._put(page, replace(view, intent=intent) if view else _View(None, intent, intent))
        return intent

    def intends(self, page: str, intent: int) -> bool:
        """Whether nothing else was chosen since."""
        view = self._views.get(page)
        return view is None or view.intent == intent

    def shows(self, page: str, conversation: str | None) -> bool:
        """Whether the page still shows it. A page that nothing is known of is believed."""
        view = self._views.get(page)
        return view is None or view.conversation == conversation

    def follow(self, page: str) -> int:
        """A new stream of the page begins; an earlier one is over. Gives its number."""
        stream = next(self._numbers)
        view = self._views.get(page)
        self._put(page, replace(view, stream=stream) if view else _View(None, stream))
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
