"""``python -m moa``: what goes where, what a script learns from it, and what the page finds afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from moa.chat.values import LOCAL, ConversationRecord
from moa.core.domain import Status
from storage import open_store
from tests.cli.terminal import Ended, Terminal, settings
from tests.support.app import App
from tests.support.server import Answer, Gate, HttpError, ProviderServer

ANSWER = "Because of Rayleigh scattering."


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as started:
        started.script("agg", Answer(ANSWER))
        yield started


@pytest.fixture
def terminal(tmp_path: Path, server: ProviderServer) -> Terminal:
    return Terminal(tmp_path, server)


async def stored(terminal: Terminal) -> ConversationRecord:
    """The conversation that was changed last."""
    store = open_store("", terminal.data)
    try:
        entry = (await store.list_conversations(LOCAL))[0]
        return await store.load_conversation(LOCAL, entry.id)
    finally:
        await store.aclose()


def asked(server: ProviderServer, model: str) -> list[tuple[str, str]]:
    """The last messages that a model was sent, as role and text."""
    return [(m["role"], m["content"]) for m in server.requests_for(model)[-1].messages]


# -- what is printed, and the exit code


async def test_in_a_pipe_standard_output_is_the_answer_and_nothing_else(terminal: Terminal) -> None:
    assert await terminal.run("Why is", "the sky blue?") == Ended(0, f"{ANSWER}\n", "")
    kept = await stored(terminal)
    assert [turn.question for turn in kept.turns] == ["Why is the sky blue?"]
    assert kept.turns[0].shown.status is Status.COMPLETE


async def test_what_is_missing_goes_to_standard_error_and_counts_when_strict(
    terminal: Terminal, server: ProviderServer
) -> None:
    server.script("b", HttpError(400))
    missing = "Missing: Model B (request rejected)\n"
    assert await terminal.run("Why?") == Ended(0, f"{ANSWER}\n", missing)
    assert await terminal.run("Why?", "--strict") == Ended(3, f"{ANSWER}\n", missing)


async def test_an_answer_that_breaks_off_is_never_in_a_pipe(terminal: Terminal, server: ProviderServer) -> None:
    server.script("agg", Answer("Half of an answer", break_after=2))
    server.script("spare", Answer("All of it."))
    ended = await terminal.run("Why?")
    assert (ended.code, ended.out) == (0, "All of it.\n")


async def test_no_answer_at_all_is_1_with_the_reason(terminal: Terminal, server: ProviderServer) -> None:
    server.script("a", HttpError(401))
    assert await terminal.run("-r", "alone", "Why?") == Ended(1, "", "No answer. The provider refused the key.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-r", "nope", "Why?"), "There is no recipe 'nope'; there are local, "),
        (("--aggregator", "mock/none", "Why?"), "There is no model 'mock/none' here"),
        (("--layers", "9", "Why?"), "The number of layers must be "),
        (("--layers", "two", "Why?"), "argument --layers: invalid int value: 'two'"),
        (("-c", "Why?"), "There is no conversation to go on with yet: ask without -c."),
        ((), "Write a question, e.g. "),
    ],
)
async def test_what_cannot_be_asked_is_2_and_calls_nothing(
    terminal: Terminal, server: ProviderServer, arguments: tuple[str, ...], words: str
) -> None:
    ended = await terminal.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert [request for request in server.requests if request.method == "POST"] == []


async def test_wrong_settings_are_one_line_and_2(tmp_path: Path, server: ProviderServer) -> None:
    ended = await Terminal(tmp_path, server, {"MOA_PORT": "many"}).run("Why?")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("MOA_PORT='many': ")


async def test_json_is_the_whole_run(terminal: Terminal, server: ProviderServer) -> None:
    server.script("a", Answer("Scattering.", usage={"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}))
    server.script("b", HttpError(400))
    ended = await terminal.run("--json", "Why?")
    told = json.loads(ended.out)
    kept = await stored(terminal)
    run = kept.turns[0].shown
    assert ended.code == 0
    assert (told["conversation"], told["turn"], told["run"]) == (kept.id, kept.turns[0].id, run.id)
    assert (told["question"], told["status"], told["answer"]) == ("Why?", "degraded", ANSWER)
    assert told["recipe"] == {"id": "duo", "title": "Duo", "layers": 2}
    assert told["written_by"] == "2.1"
    assert told["missing"] == [{"slot": "1.2", "label": "Model B", "why": "request rejected"}]
    (layer,) = told["layers"]
    good, bad = layer["proposals"]
    shown = ("slot", "model", "status", "text", "error", "input_tokens", "output_tokens", "cost_microusd")
    assert [good[key] for key in shown] == ["1.1", "mock/a", "done", "Scattering.", None, 7, 2, None]
    assert [bad[key] for key in ("slot", "status", "text", "output_tokens")] == ["1.2", "failed", "", None]
    assert bad["error"] == {"kind": "rejected", "text": "The provider rejected the request."}
    assert [agent["text"] for agent in told["aggregators"]] == [ANSWER]
    assert run.result is not None
    assert told["totals"]["duration_ms"] == run.result.duration_ms
    assert told["totals"]["calls"] == 3


async def test_a_reader_that_has_gone_is_no_traceback(terminal: Terminal) -> None:
    read, write = os.pipe()
    os.close(read)
    process = await terminal.start("Why?", stdout=write)
    os.close(write)
    _, err = await process.communicate()
    assert (process.returncode, err) == (141, b"")
    assert (await stored(terminal)).turns[0].shown.status is Status.COMPLETE


# -- what is asked


async def test_what_is_piped_in_comes_after_the_question(terminal: Terminal, server: ProviderServer) -> None:
    await terminal.run("-r", "alone", "Sum up:", piped="A long text.\n")
    assert asked(server, "a") == [("user", "Sum up:\n\nA long text.")]


@pytest.mark.parametrize("arguments", [("-",), ()])
async def test_the_question_may_come_from_a_pipe_alone(
    terminal: Terminal, server: ProviderServer, arguments: tuple[str, ...]
) -> None:
    assert (await terminal.run("-r", "alone", *arguments, piped="Warum?\n")).code == 0
    assert asked(server, "a") == [("user", "Warum?")]


async def test_a_mixture_is_put_together_from_models_also_those_only_listed(
    terminal: Terminal, server: ProviderServer
) -> None:
    server.models = ["found"]
    mixture = ("--proposer", "mock/found", "--proposer", "mock/b", "--aggregator", "mock/a", "--layers", "3")
    told = json.loads((await terminal.run("--json", *mixture, "Why?")).out)
    models = [[agent["model"] for agent in layer["proposals"]] for layer in told["layers"]]
    assert models == [["mock/found", "mock/b"], ["mock/found", "mock/b"]]
    assert [agent["model"] for agent in told["aggregators"]] == ["mock/a"]
    assert told["recipe"]["id"] == "custom"


async def test_going_on_takes_history_and_recipe_from_the_newest_conversation(
    terminal: Terminal, server: ProviderServer
) -> None:
    server.script("a", Answer("Blue."), Answer("Red."))
    await terminal.run("-r", "alone", "What colour is the sky?")
    await terminal.run("-c", "And at night fall?")
    history = [("user", "What colour is the sky?"), ("assistant", "Blue."), ("user", "And at night fall?")]
    assert asked(server, "a") == history
    assert [turn.question for turn in (await stored(terminal)).turns] == [history[0][1], history[2][1]]


async def test_lists_name_what_can_be_typed(terminal: Terminal, server: ProviderServer) -> None:
    server.models = ["found"]
    recipes, models = await terminal.run("--recipes"), await terminal.run("--models")
    assert "Duo, 2 layers, 3 calls (default)" in next(x for x in recipes.out.splitlines() if x.startswith("duo "))
    assert "Model A at Mock" in next(x for x in models.out.splitlines() if x.startswith("mock/a "))
    assert any(line.startswith("mock/found ") for line in models.out.splitlines())
    assert any("needs OPENAI_API_KEY" in line for line in models.out.splitlines())


# -- interrupting


async def test_ctrl_c_stores_the_run_as_cancelled_with_what_had_come(
    terminal: Terminal, server: ProviderServer
) -> None:
    gate = Gate()
    server.script("b", Answer("never ends", gate=gate, hold=(1,)))
    process = await terminal.start("Why?")
    await gate.arrived()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")
    run = (await stored(terminal)).turns[0].shown
    assert run.status is Status.CANCELLED
    await server.idle()


async def test_the_page_and_the_pages_libraries_are_left_out(terminal: Terminal) -> None:
    program = (
        "import sys; from moa.__main__ import main; main(sys.argv[1:]); "
        "print({'gradio', 'fastapi', 'starlette', 'uvicorn'} & sys.modules.keys())"
    )
    process = await terminal.start("Why?", program=("-c", program))
    out, _ = await process.communicate()
    assert out.decode() == f"{ANSWER}\nset()\n"


# -- beside the page


async def test_what_was_asked_stands_in_the_pages_list_while_it_runs(
    terminal: Terminal, tmp_path: Path, server: ProviderServer
) -> None:
    app = App(tmp_path, settings(server))
    await asyncio.to_thread(app.start)
    try:
        ended = await terminal.run("Why is the sky blue?")
        listed = json.loads(await asyncio.to_thread(lambda: urlopen(f"{app.url}/moa/conversations").read()))  # noqa: S310
    finally:
        assert await asyncio.to_thread(app.stop) == 0
    assert ended.out == f"{ANSWER}\n"
    assert [entry["title"] for entry in listed["entries"]] == ["Why is the sky blue?"]


# -- in a terminal


async def test_a_terminal_shows_the_agents_then_the_answer_as_it_comes(
    terminal: Terminal, server: ProviderServer
) -> None:
    gate = Gate()
    server.script("a", Answer("Scattering."))
    server.script("agg", Answer(ANSWER, gate=gate, hold=(2,)))
    shown = await terminal.open("Why?")
    await shown.until("Because of ")
    assert "Rayleigh" not in shown.shown
    gate.open()
    assert await shown.end() == 0
    agents, _, rest = shown.shown.rpartition("Because of ")
    assert "✓  layer 1  Model A" in agents
    assert "✓  layer 1  Model B" in agents
    assert rest.startswith("Rayleigh scattering.\n2 layers · 3 calls · ")
    assert shown.shown.count("Because of") == 1


async def test_a_terminal_is_told_when_the_answer_begins_anew(terminal: Terminal, server: ProviderServer) -> None:
    gate = Gate()
    server.script("agg", Answer("Half an answer.", gate=gate, hold=(1,), break_after=2))
    server.script("spare", Answer("All of it."))
    shown = await terminal.open("-q", "Why?")
    await shown.until("Half ")
    gate.open()
    assert await shown.end() == 0
    assert shown.shown.startswith("Half ")
    assert "\nThe answer begins anew:\nAll of it.\n" in shown.shown


async def test_a_terminal_gets_its_cursor_back_when_interrupted(terminal: Terminal, server: ProviderServer) -> None:
    gate = Gate()
    server.script("b", Answer("never ends", gate=gate, hold=(1,)))
    shown = await terminal.open("Why?")
    await gate.arrived()
    await shown.until("writes")
    shown.process.send_signal(signal.SIGINT)
    assert await shown.end() == 130
    assert shown.raw.rfind(b"\x1b[?25h") > shown.raw.rfind(b"\x1b[?25l")
