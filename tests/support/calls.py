"""Calls at the Provider port, for tests of what a provider makes of a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from moa.core.domain import Message, Model, Role, Sampling
from moa.core.errors import CallError
from moa.core.policy import Deadlines
from moa.engine.ports import CallRequest, Piece
from moa.providers.openai_compatible import OpenAICompatibleProvider
from tests.support.server import ProviderServer, Script

KEY = "sk-test-0123456789abcdef"


def request(
    model: str = "m", *, system: str | None = None, user: str = "Hi", sampling: Sampling = Sampling()
) -> CallRequest:
    """One question to ``test/<model>``."""
    opening = () if system is None else (Message(Role.SYSTEM, system),)
    wanted = Model(f"test/{model}", "test", model, model)
    return CallRequest(wanted, (*opening, Message(Role.USER, user)), sampling)


def provider(
    server: ProviderServer, *, key: str | None = KEY, base_url: str | None = None, connect_s: float = 2.0
) -> OpenAICompatibleProvider:
    """A provider named ``test`` that talks to the server, or to ``base_url``."""
    deadlines = Deadlines(connect_s=connect_s)
    return OpenAICompatibleProvider("test", base_url=base_url or server.base_url, key=key, deadlines=deadlines)


@asynccontextmanager
async def served(*scripts: Script, model: str = "m") -> AsyncIterator[tuple[ProviderServer, OpenAICompatibleProvider]]:
    """A server with these scripts for one model, and a provider that talks to it; both closed at the end."""
    async with ProviderServer() as server:
        if scripts:
            server.script(model, *scripts)
        client = provider(server)
        try:
            yield server, client
        finally:
            await client.aclose()


async def read(
    client: OpenAICompatibleProvider, asked: CallRequest | None = None
) -> tuple[list[Piece], CallError | None]:
    """All pieces of one call, and the error that ended it."""
    pieces: list[Piece] = []
    try:
        async with client.stream(asked or request()) as stream:
            async for piece in stream:
                pieces.append(piece)  # noqa: PERF401 - what came before an error counts
    except CallError as error:
        return pieces, error
    return pieces, None


def text(pieces: list[Piece]) -> str:
    """What the pieces say together."""
    return "".join(piece.text for piece in pieces)


def finish(pieces: list[Piece]) -> str | None:
    """The last finish reason."""
    return next((piece.finish for piece in reversed(pieces) if piece.finish), None)


@asynccontextmanager
async def plain_server(answer: bytes = b"") -> AsyncIterator[int]:
    """A TCP port that says this and closes; or nothing, until the client closes."""
    served_one = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(answer)
            await (writer.drain() if answer else reader.read())
            writer.close()
            await writer.wait_closed()
        served_one.set()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await served_one.wait()
