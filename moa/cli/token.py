"""``python app.py token create --name X | list | revoke ID``: keys with which programs use the HTTP API."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from moa.chat.ports import Tokens
from moa.chat.values import Actor, Token

ONCE = "This is shown once. Send it as: Authorization: Bearer TOKEN"


def add_arguments(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Let the command take what can be said after ``token``."""
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    create = actions.add_parser("create", help="make a token and print it, once")
    create.add_argument("--name", required=True, help="what it is for, to know it by in the list")
    actions.add_parser("list", help="tell which tokens there are, and when each was last used")
    actions.add_parser("revoke", help="end a token at once").add_argument("id", metavar="ID", help="as in the list")
    return command


async def token(tokens: Tokens, actor: Actor, chosen: argparse.Namespace, console: Console, aside: Console) -> int:
    """Carry one of the actions out for the actor's own tokens, and give the exit code.

    A new token alone is printed to ``console``, so that a script can take it, the words about it to ``aside``. Raises
    InputRefused, NotFound, StoreError.
    """
    if chosen.action == "create":
        made, told = await tokens.create_token(actor, chosen.name)
        aside.print(f"Token {made.id}. {ONCE}", markup=False, highlight=False)
        console.print(told, markup=False, highlight=False, soft_wrap=True)
    elif chosen.action == "list":
        console.print(_table(await tokens.list_tokens(actor)))
    else:
        await tokens.revoke_token(actor, chosen.id)
        console.print(f"Token {chosen.id} is revoked.", markup=False, highlight=False)
    return 0


def _table(found: Sequence[Token]) -> Table:
    table = Table(title="Tokens", title_justify="left")
    table.add_column("ID", no_wrap=True, overflow="fold")
    for heading in ("Name", "Created", "Last used", "State"):
        table.add_column(heading, overflow="fold")
    for one in found:
        state = "revoked" if one.revoked else "good"
        table.add_row(one.id, Text(one.name), _moment(one.created_at), _moment(one.last_used_at), state)
    return table


def _moment(at: dt.datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "never"
