"""The embedded model: a real child process with the real weights."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from moa.core.catalogue import Weights
from moa.core.errors import CallError, FinalCall
from moa.providers.embedded import EmbeddedProvider
from moa.providers.embedded_child import ChildSettings
from moa.providers.embedded_process import _environment, launch
from moa.providers.weights import WeightStore
from tests.support import embedded
from tests.support.embedded import MODEL, WHEEL, Launches, ask, needs_model

pytestmark = [pytest.mark.embedded, needs_model]
ROOT = Path(__file__).resolve().parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="watches processes as Linux shows them")
PARENT = """
import asyncio, sys
from pathlib import Path
from tests.support.embedded import Launches, MODEL, provider

async def main():
    launches = Launches()
    embedded = provider(Path(sys.argv[1]), launches=launches)
    await embedded.wait_ready(MODEL.id)
    print(launches.children[0].pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Shared:
    """One provider and what it launched."""

    def __init__(self, data: Path) -> None:
        self.launches = Launches()
        self.provider = embedded.provider(data, launches=self.launches)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    """A running model for the tests that don't harm it."""
    made = Shared(tmp_path_factory.mktemp("data"))
    await made.provider.wait_ready(MODEL.id)
    yield made
    await made.provider.aclose()


def model_file() -> Path:
    found = WeightStore({MODEL.id: MODEL}, {MODEL.id: WHEEL}, Path()).find(MODEL.id)
    assert found is not None
    return found


def head(url: str, key: str | None = None, body: bytes | None = None) -> tuple[int, dict[str, str]]:
    asked = urllib.request.Request(url, data=body, headers={"Origin": "http://other.example"})  # noqa: S310
    if key:
        asked.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(asked) as response:  # noqa: S310
            return response.status, dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers)


def gone(pid: int) -> bool:
    """Wait until a process that is nobody's child here has ended."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 30)[0])
    finally:
        os.close(watched)


@pytest.mark.asyncio(loop_scope="module")
class TestRunning:
    async def test_several_streams_are_answered_at_once(self, shared: Shared) -> None:
        questions = ["What is the capital of France?", "Why is the sky blue?", "Say hello."]
        answers = await asyncio.gather(*(ask(shared.provider, question) for question in questions))
        assert all(answer.strip() for answer in answers)
        assert len(set(answers)) == 3
        assert len(shared.launches.children) == 1

    async def test_streams_overlap(self, shared: Shared) -> None:
        async with (
            shared.provider.stream(embedded.request("Tell me a story.", 64)) as first,
            shared.provider.stream(embedded.request("Count to fifty.", 64)) as second,
        ):
            assert (await anext(first)).finish is None
            assert (await anext(second)).finish is None
            assert [piece async for piece in first]
            assert [piece async for piece in second]

    async def test_a_call_right_behind_an_answer_is_served(self, shared: Shared) -> None:
        """llama.cpp closes the connection behind a streamed answer; nobody may be sent into that."""
        for _ in range(6):
            assert await ask(shared.provider, "Say hello.", 2)

    async def test_usage_is_told(self, shared: Shared) -> None:
        async with shared.provider.stream(embedded.request("Say hello.", 5)) as pieces:
            usages = [piece.usage async for piece in pieces if piece.usage]
        assert usages[-1].output_tokens == 5

    async def test_a_key_is_required_and_pages_of_other_origins_get_nothing(self, shared: Shared) -> None:
        address, key = shared.launches.children[0].address, shared.launches.settings[0].api_key
        assert address.startswith("http://127.0.0.1:")
        for path in ("/v1/models", "/props", "/slots", "/metrics", "/v1/chat/completions"):
            status, headers = await asyncio.to_thread(head, address + path)
            assert status == 401, path
            assert not headers.get("Access-Control-Allow-Origin")
        assert (await asyncio.to_thread(head, address + "/v1/chat/completions", "wrong", b"{}"))[0] == 401
        assert (await asyncio.to_thread(head, address + "/v1/models", key))[0] == 200
        assert (await asyncio.to_thread(head, address + "/"))[0] == 404  # no page of its own
        assert (await asyncio.to_thread(head, address + "/slots", key))[0] == 501

    @linux
    async def test_the_key_is_not_on_the_command_line_and_the_priority_is_low(self, shared: Shared) -> None:
        pid, key = shared.launches.children[0].pid, shared.launches.settings[0].api_key
        assert key.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert key.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        assert os.getpriority(os.PRIO_PROCESS, pid) >= min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_the_child_inherits_no_secrets() -> None:
    given = {"OPENAI_API_KEY": "sk-1", "HF_TOKEN": "hf-1", "DATABASE_URL": "postgresql://u:p@h/d", "PATH": "/bin"}
    assert _environment(given) == {"PATH": "/bin", "PYTHONPATH": str(ROOT), "GOMP_SPINCOUNT": "1000"}
    assert _environment({"GOMP_SPINCOUNT": "9"})["GOMP_SPINCOUNT"] == "9"


@linux
async def test_a_killed_child_fails_its_calls_as_retryable_and_later_ones_work(tmp_path: Path) -> None:
    launches = Launches()
    provider = embedded.provider(tmp_path, launches=launches)
    async with provider.stream(embedded.request("Tell me a long story.", 900)) as pieces:
        await anext(pieces)
        seen = provider.version
        os.kill(launches.children[0].pid, signal.SIGKILL)
        with pytest.raises(CallError) as caught:
            [piece async for piece in pieces]
    assert caught.value.retryable
    while provider.status(MODEL.id).state == "ready" and len(launches.settings) == 1:
        seen = await provider.wait_change(seen)
    assert await ask(provider, "Say hello.")
    assert len(launches.children) == 2
    pids = [child.pid for child in launches.children]
    await provider.aclose()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@linux
def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, env=environ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
    assert gone(child)


def test_the_child_ends_when_its_input_ends() -> None:
    """The portable way, which macOS and Windows rely on: here the parent lives on."""
    settings = ChildSettings(str(model_file()), "smollm2", "k", 1, 512, 1, os.getpid())
    command = [sys.executable, "-m", "moa.providers.embedded_child"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as child:  # type: ignore[call-overload]
        child.stdin.write(settings.line())
        child.stdin.flush()
        assert b'"address"' in child.stdout.readline()
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(30) == 0


@pytest.mark.parametrize("kept", [4096, 40_000_000])
async def test_a_model_file_that_is_cut_short_is_told_plainly(tmp_path: Path, kept: int) -> None:
    short = tmp_path / "short.gguf"
    with model_file().open("rb") as whole:
        short.write_bytes(whole.read(kept))
    launches = Launches()
    provider = embedded.provider(tmp_path, Weights(file=str(short)), launches)
    with pytest.raises(FinalCall, match=r"(cut short|damaged).*get it again"):
        await ask(provider, "Say hello.")
    assert provider.status(MODEL.id).state == "failed"
    await provider.aclose()


async def test_a_file_that_is_no_model_is_told_plainly_before_anything_starts(tmp_path: Path) -> None:
    wrong = tmp_path / "page.gguf"
    wrong.write_text("<html>404</html>")
    launches = Launches()
    provider = embedded.provider(tmp_path, Weights(file=str(wrong)), launches)
    assert provider.status(MODEL.id).state == "failed"
    with pytest.raises(FinalCall, match="is not a GGUF model file"):
        await ask(provider, "Say hello.")
    assert launches.settings == []
    await provider.aclose()


async def test_a_cancelled_load_leaves_no_process(tmp_path: Path) -> None:
    settings = ChildSettings(str(model_file()), "smollm2", "k", 1, 512, 1, os.getpid())
    task = asyncio.create_task(launch(settings))
    await asyncio.to_thread(lambda: None)  # let it begin
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_stream_that_is_left_frees_its_slot(tmp_path: Path) -> None:
    provider: EmbeddedProvider = embedded.provider(tmp_path, slots=1)
    async with provider.stream(embedded.request("Tell me a very long story.", 900)) as pieces:
        await anext(pieces)
    assert await ask(provider, "Say hello.")
    await provider.aclose()


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows")
async def test_it_works_on_uvloop_too(tmp_path: Path) -> None:
    import uvloop

    async def once() -> str:
        provider = embedded.provider(tmp_path)
        try:
            return await ask(provider, "Say hello.")
        finally:
            await provider.aclose()

    def run() -> str:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(once())

    assert await asyncio.to_thread(run)
