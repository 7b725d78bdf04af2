"""The real huggingface_hub against a hub played on loopback; in a process of its own, for it reads HF_ENDPOINT once."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

CONTENT = b"GGUF" + bytes(3_000_000)
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from pathlib import Path
from moa.providers.embedded_hub import DownloadFailed, HubDownloader
heard = []
try:
    path = HubDownloader().download("someone/tiny", sys.argv[1], Path(sys.argv[2]), lambda *what: heard.append(what))
    print(json.dumps({"path": str(path), "heard": heard}))
except DownloadFailed as error:
    print(json.dumps({"public": error.public, "offline": error.offline}))
"""


class _Hub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if not self.path.endswith("/tiny.gguf"):
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.send_header("ETag", f'"{hashlib.sha256(CONTENT).hexdigest()}"')
        self.send_header("X-Repo-Commit", "a" * 40)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(CONTENT)

    do_HEAD = do_GET  # noqa: N815  # http.server's own name

    def log_message(self, *_: object) -> None:
        """Nothing on the test's console."""


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def download(endpoint: str, file: str, folder: Path) -> tuple[dict[str, object], str]:
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environ |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, file, str(folder / "models")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    said: dict[str, object] = json.loads(done.stdout)
    return said, done.stderr


def test_a_file_comes_with_its_progress_and_nothing_on_the_console(hub: str, tmp_path: Path) -> None:
    said, console = download(hub, "tiny.gguf", tmp_path)
    path = Path(str(said["path"]))
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(tmp_path / "models")
    assert said["heard"]
    assert said["heard"][-1] == [len(CONTENT), len(CONTENT)]  # type: ignore[index]
    assert "%|" not in console


def test_a_file_that_is_not_there_is_named(hub: str, tmp_path: Path) -> None:
    said, _ = download(hub, "other.gguf", tmp_path)
    assert "other.gguf of someone/tiny" in str(said["public"])
    assert said["offline"] is False


def test_a_hub_that_does_not_answer_is_offline(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, and never listening
        taken.bind(("127.0.0.1", 0))
        said, _ = download(f"http://127.0.0.1:{taken.getsockname()[1]}", "tiny.gguf", tmp_path)
    assert said["offline"] is True
    assert "can't be reached" in str(said["public"])
