"""Downloads from the model hub, behind a seam that tests replace."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

_T = TypeVar("_T")
Report = Callable[[int, int | None], None]

UNREACHABLE = "The model hub can't be reached. Check the connection and choose the model again."
_REFUSED = "The model hub doesn't hand out {file} of {repo}. It may have moved or need an account: name another file."
_DISK = "The file could not be written. Make room on the disk, or check the rights of the data directory."


class DownloadFailed(Exception):
    """No file came. ``public`` is plain; ``detail`` is for the operator. ``offline``: nobody answered."""

    def __init__(self, public: str, *, detail: str = "", offline: bool = False) -> None:
        super().__init__(public)
        self.public, self.detail, self.offline = public, detail, offline


class Downloader(Protocol):
    """Fetches one file."""

    def download(self, repo: str, file: str, folder: Path, report: Report) -> Path:
        """Put the file below ``folder`` and return where. Blocks: for a thread.

        ``report(bytes_done, bytes_in_all)`` is called now and then; what it raises ends the download.
        Raises DownloadFailed. The content is not checked here.
        """
        ...


class HubDownloader:
    """The hub, through huggingface_hub, which is imported at the first download only."""

    def download(self, repo: str, file: str, folder: Path, report: Report) -> Path:
        """See Downloader."""
        import httpx2
        from huggingface_hub import errors, get_hf_file_metadata, hf_hub_download, hf_hub_url

        class Bar(_Bar):
            tell = staticmethod(report)

        broken = (httpx2.TransportError, errors.XetDownloadError)
        try:
            get_hf_file_metadata(hf_hub_url(repo, file))  # one attempt: the download itself tries for half a minute
            return Path(hf_hub_download(repo, file, local_dir=folder, tqdm_class=Bar))
        except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, *broken) as error:
            raise DownloadFailed(UNREACHABLE, detail=repr(error), offline=True) from error
        except (errors.HfHubHTTPError, errors.HFValidationError, errors.FileMetadataError) as error:
            raise DownloadFailed(_REFUSED.format(file=file, repo=repo), detail=repr(error)) from error
        except OSError as error:
            raise DownloadFailed(_DISK, detail=repr(error)) from error


class _Bar:
    """What huggingface_hub expects of a progress bar, without the bar."""

    tell: Report

    def __init__(self, *_: Any, total: int | None = None, initial: int = 0, **__: Any) -> None:
        self.total, self.n = total, initial

    def update(self, count: float | None = 1) -> None:
        self.n += int(count or 0)
        self.tell(self.n, self.total)

    def update_transfer(self, _: float) -> None:
        """Bytes on the wire are fewer than the file's: not what is shown."""

    def set_postfix_str(self, *_: Any, **__: Any) -> None: ...

    def set_transfer_postfix_str(self, *_: Any, **__: Any) -> None: ...

    def refresh(self) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


class _Stopped(Exception):
    """Raised inside a download that nobody waits for any more."""


class Percent:
    """A ``Report`` that tells each whole per cent once, as 0 to 1, and ends the download when ``stop`` is set."""

    def __init__(self, size: int | None, stop: threading.Event, tell: Callable[[float], None]) -> None:
        self._size, self._stop, self._tell = size, stop, tell
        self._last = 0

    def __call__(self, done: int, in_all: int | None) -> None:
        """See Report."""
        if self._stop.is_set():
            raise _Stopped
        size = in_all or self._size
        percent = min(100, done * 100 // size) if size else 0
        if percent > self._last:
            self._last = percent
            self._tell(percent / 100)


async def in_thread(work: Callable[[], _T], stop: threading.Event) -> _T:
    """Run in a daemon thread: one that hangs on the network must not hold up the app's end.

    Sets ``stop`` when it is cancelled, and does not wait for the thread then.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only beside an error

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - the thread's boundary: its end belongs to the one who waits
            failed = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name="model download", daemon=True).start()
    try:
        return await future
    finally:
        stop.set()
