"""Which run each page watches now, so that a page which turned to another conversation stops following the old one."""

from __future__ import annotations

from collections import OrderedDict
from itertools import count

_PAGES = 10_000


class Viewers:
    """Remembers the newest visit of each page (Gradio's session hash), for at most 10,000 pages.

    Forgetting a page ends its streams early; it then shows the run's state as of that moment.
    """

    def __init__(self) -> None:
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._numbers = count(1)

    def enter(self, page: str) -> int:
        """A new visit; the page's earlier ones are over."""
        self._newest.pop(page, None)
        self._newest[page] = visit = next(self._numbers)
        while len(self._newest) > _PAGES:
            self._newest.popitem(last=False)
        return visit

    def is_current(self, page: str, visit: int) -> bool:
        """Whether no newer visit of this page has begun."""
        return self._newest.get(page) == visit
