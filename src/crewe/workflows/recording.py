"""Keeping the patterns of a live detector on disk while images are made of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from crewe.errors import PlanError, WriteError
from crewe.sources import Batch, Frames, Known, Scan
from crewe.workflows.output_folder import check_folder, remove_files
from crewe.workflows.pattern_store import PatternStore

QUEUE_BYTES = 512 * 2**20
"""Patterns that may wait for the disk; then the detector's queue has to wait."""


class Recorder:
    """Writes batches of frames into a zarr folder, in a thread of its own.

    `put` hands a batch over and only waits while more than `queue_bytes` are unwritten, so nothing
    is lost and memory stays bounded. Raises WriteError where the folder cannot be used, and from
    put and close when writing has failed; what came before is then kept.
    """

    def __init__(
        self,
        path: Path,
        scan: Scan,
        detector_shape: tuple[int, int],
        known: Known | None = None,
        *,
        overwrite: bool = False,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        check_recording(path, overwrite)
        self.path = path
        self.bytes_written = 0
        self.seconds_writing = 0.0
        self._make = (scan, detector_shape, known or Known())
        self._queue_bytes = queue_bytes
        self._waiting: deque[Frames] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._ended = False
        self._error: Exception | None = None
        self._store: PatternStore | None = None
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        if overwrite:
            remove_files([path])
        self._thread.start()

    @property
    def patterns_written(self) -> int:
        """Probe positions on disk, of all scans."""
        return 0 if self._store is None else self._store.patterns_written

    @property
    def megabytes_per_second(self) -> float:
        """How fast the disk took the patterns, while it was given any."""
        return self.bytes_written / max(self.seconds_writing, 1e-9) / 1e6

    def in_words(self) -> str:
        """Say how much was written, and how fast."""
        return f"{self.bytes_written / 1e9:.2f} GB at {self.megabytes_per_second:.0f} MB/s"

    def put(self, batch: Batch) -> None:
        """Hand over a batch; wait while too much is unwritten."""
        if not isinstance(batch, Frames):
            raise PlanError("single electrons are recorded as they come: give a name on .tpx3")
        size = batch.patterns.nbytes
        with self._changed:
            self._changed.wait_for(
                lambda: self._error or self._bytes == 0 or self._bytes + size <= self._queue_bytes
            )
            self._check()
            self._waiting.append(batch)
            self._bytes += size
            self._changed.notify_all()

    def close(self, complete: bool = True, notes: dict[str, Any] | None = None) -> None:
        """Write what is waiting and end; `complete` and `notes` are kept in the folder's attrs."""
        with self._changed:
            if self._ended:
                return
            self._ended = True
            self._changed.notify_all()
        self._thread.join()
        if self._store is not None and self._error is None:
            self._writing(partial(self._store.close, complete, notes or {}))
        self._check()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(complete=kind is None)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        self._writing(self._write_all)

    def _write_all(self) -> None:
        while (batch := self._next()) is not None:
            begin = time.perf_counter()
            self._write(batch)
            self.seconds_writing += time.perf_counter() - begin
            self.bytes_written += batch.patterns.nbytes

    def _writing(self, task: Callable[[], None]) -> None:
        """Carry out what writes; an error is kept, and told to whoever puts or closes."""
        try:
            task()
        except OSError as error:
            self._fail(WriteError(f"cannot write {self.path}: {error.strerror or error}"))
        except Exception as error:
            # Whatever it is: nobody may wait for a thread that is no more.
            self._fail(error)

    def _next(self) -> Frames | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            return self._waiting.popleft() if self._waiting else None

    def _write(self, batch: Frames) -> None:
        if self._store is None:
            self._store = PatternStore(self.path, *self._make, batch.patterns.dtype)
        self._store.add(batch)
        with self._changed:
            self._bytes -= batch.patterns.nbytes
            self._changed.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._error = error
            self._waiting.clear()
            self._changed.notify_all()


def check_recording(path: Path, overwrite: bool) -> None:
    """Raise WriteError or PlanError unless patterns can be recorded to that folder."""
    if path.suffix != ".zarr":
        raise PlanError(f"frames are recorded as zarr, not {path.name}: give a name on .zarr")
    check_folder(path.parent)
    if not path.parent.is_dir():
        raise WriteError(f"cannot write {path}: the folder {path.parent} does not exist")
    if path.exists() and not overwrite:
        raise WriteError(f"{path} exists: choose another name or pass overwrite=True")
    if path.exists() and not path.is_dir():
        raise WriteError(f"{path} is a file: choose another name")
