"""MoA Chat: the composition root, and the only file that knows every room. ``python app.py`` starts the chat."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import logging
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from assembly import Parts, assembled, configured, is_space, offered, opened, run_job
from moa.api.callers import Callers
from moa.api.completion_routes import Offering, completion_routes
from moa.api.conversations import conversation_routes
from moa.api.exchange import exchange_routes
from moa.api.headers import SPACE_FRAMES
from moa.api.judge import judge_routes
from moa.api.ports import Render
from moa.api.results import results_routes
from moa.api.routes import health_routes, turn_routes
from moa.api.serving import Server, address_of, take_port
from moa.api.shares import share_routes
from moa.api.stalls import watching
from moa.api.web import WebOptions, allowed_hosts, build_web
from moa.api.why import why_routes
from moa.chat.judged import JudgedResults
from moa.chat.results import Results
from moa.chat.service import ChatService
from moa.chat.values import LOCAL, Actor
from moa.chat.why import Explainer
from moa.cli.check import check
from moa.cli.token import add_arguments, token
from moa.config.recipes import custom_recipe
from moa.config.requested import requested_recipe
from moa.config.settings import Settings
from moa.core.catalogue import Catalogue
from moa.core.domain import Recipe
from moa.core.errors import ConfigError, InputRefused, NotFound, StoreError
from moa.engine import pricing
from moa.engine.clock import SystemClock
from moa.providers.offer import Offer
from moa.ui import history, render, texts
from moa.ui.context import Context
from moa.ui.identity import Identity
from moa.ui.mixture import Mixture
from moa.ui.mount import mount
from moa.ui.page import build_page
from moa.ui.sharing import share_link
from moa.ui.tool import Tool
from storage import SqlStore
from storage.backup import backup, restore
from storage.moving import move

ROOT = Path(__file__).resolve().parent
DRAIN_S = 20.0
KEEP_DELETED = dt.timedelta(days=1)
PURGE_EVERY_S = 3600.0
WRONG_SETTINGS = 2
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

_log = logging.getLogger("moa")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command of the command line and give its exit code. Wrong settings end it with one line and 2."""
    parser = argparse.ArgumentParser(prog="app.py", description="MoA Chat: several models propose, one answers.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    serve_command = commands.add_parser("serve", help="start the chat (this is also what happens without a command)")
    for command in (parser, serve_command):
        command.set_defaults(run=_serve)
    check_command = commands.add_parser("check", help="tell what is configured, which keys are found, what answers")
    check_command.add_argument("--ping", action="store_true", help="also ask one token of each provider that is ready")
    check_command.set_defaults(run=_check)
    tokens = add_arguments(commands.add_parser("token", help="make, list and revoke keys for the HTTP API"))
    tokens.set_defaults(run=_token)
    for name, run, argument, told in _KEEPING:
        command = commands.add_parser(name, help=told)
        command.add_argument("target", metavar=argument)
        command.set_defaults(run=run)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return int(chosen.run(*configured(), chosen))
    except (ConfigError, StoreError, InputRefused, NotFound) as error:
        print(error.public, file=sys.stderr)
        return WRONG_SETTINGS


# -- serving


def _serve(settings: Settings, catalogue: Catalogue, _: argparse.Namespace) -> int:
    pricing.load()
    bound = take_port(settings.host, settings.port)
    try:
        store = opened(settings)
        return run_job(_served(settings, catalogue, store, bound))
    finally:
        bound.close()


def _check(settings: Settings, catalogue: Catalogue, chosen: argparse.Namespace) -> int:
    async def checked() -> int:
        async with offered(settings, catalogue) as models:
            notes = {id_: status.text for id_, status in models.embedded.statuses().items()}
            return await check(catalogue, models.registry, Console(), notes=notes, ping=chosen.ping)

    return run_job(checked())


def _token(settings: Settings, _: Catalogue, chosen: argparse.Namespace) -> int:
    store = opened(settings)
    try:
        return run_job(token(store, LOCAL, chosen, Console(), Console(stderr=True)))
    finally:
        store.database.close()


def _backup(settings: Settings, _: Catalogue, chosen: argparse.Namespace) -> int:
    backup(settings.database_url, settings.data_dir, Path(chosen.target))
    print(f"Backed up to {chosen.target}. It holds every chat: keep it where only you can read it.")
    return 0


def _restore(settings: Settings, _: Catalogue, chosen: argparse.Namespace) -> int:
    aside = restore(settings.database_url, settings.data_dir, Path(chosen.target))
    print(f"Restored {chosen.target}." + (f" What was there before is kept as {aside}." if aside else ""))
    return 0


def _move(settings: Settings, _: Catalogue, chosen: argparse.Namespace) -> int:
    for name, moved in move(settings.database_url, chosen.target).tables.items():
        print(f"{name}: {moved.rows} rows, SHA-256 {moved.sha256}")
    print("All of it arrived and was compared. Set DATABASE_URL to the new database and start the app.")
    return 0


_KEEPING = (
    ("backup", _backup, "FILE", "copy the database to a new file, also while the app runs"),
    ("restore", _restore, "FILE", "put a backup in the database's place; the old one is kept beside it"),
    ("move", _move, "URL", "copy a SQLite database to an empty PostgreSQL one, checked by counts and hashes"),
)


async def _served(settings: Settings, catalogue: Catalogue, store: SqlStore, bound: Any) -> int:
    async with assembled(settings, catalogue, store, titled=settings.titles) as parts:
        chat = parts.chat
        background = [asyncio.create_task(job) for job in (parts.registry.refresh(), _purge(store), chat.sweep())]
        try:
            await store.recover()
            web = _web(settings, parts, port=bound.getsockname()[1])
            server = Server(web, started=lambda: _started(settings, bound), drain=lambda: chat.drain(DRAIN_S))
            parts.embedded.start()
            with watching():
                await server.serve(sockets=[bound])
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked twice, it still closes what it holds
            for task in background:
                task.cancel()
    return 0


async def _purge(store: SqlStore) -> None:
    """Remove for good what was deleted more than a day ago, now and every hour."""
    while True:
        try:
            await store.purge_deleted(KEEP_DELETED)
        except StoreError as error:
            _log.warning("deleted conversations are not purged yet: %s", error)
        await asyncio.sleep(PURGE_EVERY_S)


def _web(settings: Settings, parts: Parts, *, port: int) -> Any:
    catalogue, store, chat, judging, models = parts.catalogue, parts.store, parts.chat, parts.judging, parts.models
    on_space = is_space(settings.environ)
    loopback = settings.host in _LOOPBACK
    hops = settings.proxy_hops or int(settings.share)  # Gradio's tunnel is a proxy
    identity = Identity(single_owner=loopback and not hops, embedded=on_space)
    callers = Callers(store, LOCAL if identity.single_owner else None)
    hosts = allowed_hosts(settings.host, settings.allowed_hosts, loopback=loopback, shared=settings.share)
    votes = Results(chat.votes, store.voted_proposals, models.label)
    opinions = JudgedResults(store.list_judgements, models.label)
    framed_by = SPACE_FRAMES if on_space else "'none'"
    web = build_web(
        WebOptions(ROOT / "static", hosts, proxy_hops=hops, on_space=on_space),
        identify=identity,
        routers=[
            turn_routes(chat.turn, _rendered(models), identity),
            why_routes(chat.turn, Explainer(), identity),
            health_routes(lambda: _health(chat, models)),
            conversation_routes(chat.library, identity, page=history.page, hits=history.hits),
            exchange_routes(chat.exchange, identity, label_of=models.label),
            judge_routes(judging, identity, models.choices, models.label),
            results_routes(
                votes.comparisons,
                identity,
                ROOT / "static" / "results.html",
                load_judged=opinions.judged,
                framed_by=framed_by,
            ),
            share_routes(chat.library, identity, render=_rendered(models), page=ROOT / "static" / "shared.html"),
            completion_routes(chat.answering, callers, _offering(catalogue, models), SystemClock()),
        ],
        mcp=callers if settings.mcp else None,
    )
    context = Context(
        chat=chat,
        identity=identity,
        models=models,
        recipes=catalogue.recipes,
        default_recipe=catalogue.default_recipe,
        make_recipe=lambda base, mixture: _recipe(base, mixture, models),
        hint=texts.EMBEDDED_HINT if models.small else None,
    )
    tool = Tool(chat.answering, callers.actor, catalogue.recipes, catalogue.default_recipe) if settings.mcp else None
    mount(web, build_page(context, tool), host=settings.host, port=port, mcp=settings.mcp)
    return web


def _offering(catalogue: Catalogue, models: Offer) -> Offering:
    recipe_for = partial(requested_recipe, catalogue, models.exists)
    return Offering(catalogue.recipes, models.choices, models.label, recipe_for)


def _rendered(models: Offer) -> Render:
    return lambda turn: render.turn_json(turn, models.label)


def _recipe(base: Recipe, mixture: Mixture, models: Offer) -> Recipe:
    picks = [{"model": p.model, "count": p.count, **({"label": p.label} if p.label else {})} for p in mixture.picked]
    return custom_recipe(
        models.exists,
        base=base,
        proposers=picks,
        aggregator=mixture.aggregator,
        layers=mixture.layers,
        temperature=mixture.temperature,
        system=mixture.system,
    )


async def _health(chat: ChatService, models: Offer) -> dict[str, str]:
    try:
        await chat.library.entries(Actor("health"), limit=1)
    except StoreError:
        return {"status": "unavailable", "store": "unavailable", "model": models.state}
    return {"status": "ok", "store": "ok", "model": models.state}


def _started(settings: Settings, bound: Any) -> None:
    address = address_of(bound)
    print(f"MoA Chat is at {address}  (stop it with Ctrl+C)", flush=True)
    jobs: list[Callable[[], object]] = []
    if settings.open_browser and _has_display(settings.environ):
        jobs.append(lambda: webbrowser.open(address))
    if settings.share:
        jobs.append(lambda: _share(bound.getsockname()[1]))
    for job in jobs:  # daemons: neither a browser nor a tunnel may keep the app from ending
        threading.Thread(target=job, daemon=True).start()


def _has_display(environ: Mapping[str, str]) -> bool:
    on_linux = sys.platform.startswith("linux")
    return not on_linux or any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _share(port: int) -> None:
    link = share_link("127.0.0.1", port)
    if link:
        print(f"Public link, good while the app runs: {link}", flush=True)
    else:
        print("No public link could be made: Gradio's share server can't be reached.", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
