"""Which way the path goes: through which run of a turn, and through which of the turns at one place."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from moa.core.errors import NotFound
from storage.models import RunRow, TurnRow
from storage.reading import conversation_row, turn_row


def show_run(session: Session, owner: str, turn_id: str, run_id: str) -> None:
    """Let the path go through another run of a turn's first column."""
    turn = turn_row(session, owner, turn_id)
    of_turn = RunRow.turn_id == turn.id, RunRow.column_no == 1, RunRow.owner_id == owner
    found = session.scalar(select(RunRow.id).where(RunRow.id == run_id, *of_turn))
    if found is None:
        raise NotFound("answer")
    turn.shown_run_id = found


def show_turn(session: Session, owner: str, turn_id: str) -> None:
    """Let the path end at the newest leaf below a turn."""
    turn = turn_row(session, owner, turn_id)
    conversation = conversation_row(session, owner, turn.conversation_id, lock=True)
    turns = session.execute(
        select(TurnRow.parent_id, TurnRow.id)
        .where(TurnRow.conversation_id == conversation.id, TurnRow.parent_id.is_not(None))
        .order_by(TurnRow.sibling)
    )
    newest_child = {row.parent_id: row.id for row in turns}
    head = turn.id
    while head in newest_child:
        head = newest_child[head]
    conversation.head_turn_id = head
