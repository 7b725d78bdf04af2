"""The sidebar's list: conversations by day. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from moa.chat.values import ConversationEntry
from moa.ui import texts
from moa.ui.contract import EntryJson, HistoryJson


def history(entries: Sequence[ConversationEntry], *, current: str | None, now: dt.datetime) -> HistoryJson:
    """The list as the sidebar shows it. Days are those of ``now``'s time zone."""
    return HistoryJson(entries=[_entry(entry, current, now) for entry in entries])


def day(when: dt.datetime, now: dt.datetime) -> str:
    """ "Today", "Yesterday" or the date, such as "12 November 2026"."""
    local = when.astimezone(now.tzinfo).date()
    match (now.date() - local).days:
        case 0:
            return texts.TODAY
        case 1:
            return texts.YESTERDAY
        case _:
            return f"{local.day} {local:%B %Y}"


def _entry(entry: ConversationEntry, current: str | None, now: dt.datetime) -> EntryJson:
    return EntryJson(
        id=entry.id,
        title=entry.title,
        day=day(entry.updated_at, now),
        running=entry.running,
        current=entry.id == current,
    )
