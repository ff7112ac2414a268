"""4D-STEM data in memory, or in anything that is cut like an array."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ClosedError, CreweError, PlanError, ReadError
from crewe.sources.array_parts import Edges, chunk_edges, flat_parts, grid_parts
from crewe.sources.closing import Closing
from crewe.sources.counters import Counters
from crewe.sources.file_array import FileArray
from crewe.sources.frame_count import check_frame_count, scan_needed
from crewe.sources.protocol import Frames, Known
from crewe.sources.scan import NOWHERE, Scan

LARGER_IN_MEMORY = 8
"""Parts of what is in memory already are views: larger ones cost nothing and save time."""

Region = tuple[slice, ...]


class ArraySource(Closing):
    """A DividedSource of an array (rows, columns, ky, kx) or of a stack (frame, ky, kx).

    The array is one of numpy (memory maps too; its patterns are handed out as views), a FileArray,
    or of zarr, h5py or dask, of which each part reads whole chunks. `scan` says where each frame
    belongs, row by row; None takes the rows and columns of the array. Frames that `measured` (rows,
    columns) denies were never recorded, whatever the array holds there. `on_close` is called once.
    Raises PlanError for a stack without a scan or with one that its frames do not fill (`partial`
    takes an interrupted one), ReadError for an array that cannot be 4D data and for parts that
    cannot be read.
    """

    def __init__(
        self,
        data: Any,
        scan: Scan | None = None,
        known: Known | None = None,
        *,
        name: str = "the array",
        partial: bool = False,
        measured: NDArray[np.bool_] | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        _check(data, name)
        frames = int(np.prod(data.shape[:-2]))
        if scan is None and data.ndim == 3:
            raise scan_needed(frames, name)
        self.scan = scan or Scan((int(data.shape[0]), int(data.shape[1])))
        if not partial:
            check_frame_count(frames, self.scan, name)
        self.detector_shape = (int(data.shape[-2]), int(data.shape[-1]))
        self.known = known or Known()
        self.counters = Counters()
        self.name = name
        self._data = _flattened(data)
        self._width = int(self._data.shape[1])
        self._measured = None if measured is None else np.asarray(measured, bool).ravel()
        if self._data.ndim == 4 and frames - self.scan.sync_offset > self.scan.frames_per_scan:
            raise PlanError(
                f"{name}: an array of {data.shape[0]} × {data.shape[1]} patterns holds several "
                f"scans of {self.scan.shape}: give the scan as {data.shape[0]}x{data.shape[1]}"
            )
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._on_close = on_close

    def parts(self) -> Iterator[Callable[[], Frames]]:
        """Yield one function per batch that reads it; they promise nothing of the order."""
        for region, skipped in self._regions():
            yield functools.partial(self._read, region, skipped)

    def batches(self) -> Iterator[Frames]:
        """Yield the patterns in the order of the scan."""
        for region, skipped in self._regions():
            try:
                batch = self._read(region, skipped)
            except ClosedError:
                return
            yield replace(batch, finished=self._finished(region))

    def close(self) -> None:
        """Let go of the array and of its file."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
        if self._on_close is not None:
            self._on_close()

    def _regions(self) -> Iterator[tuple[Region, int]]:
        if not self._closed.is_set():
            yield from itertools.takewhile(lambda _: not self._closed.is_set(), self._cut())

    def _cut(self) -> Iterator[tuple[Region, int]]:
        """Yield what to read at once, and how many frames of the flyback about it are not read."""
        data = self._data
        frame_bytes = int(np.prod(data.shape[-2:])) * data.dtype.itemsize
        if isinstance(data, np.ndarray) and not isinstance(data, np.memmap):
            frame_bytes = max(1, frame_bytes // LARGER_IN_MEMORY)
        chunks = _chunks(data)
        if data.ndim == 4:
            rows, columns = chunks or [range(size + 1) for size in data.shape[:2]]
            for rectangle in grid_parts(rows, columns, frame_bytes):
                yield rectangle, 0
            return
        first = None if chunks is None else chunks[0]
        parts = list(flat_parts(data.shape[0], first, self.scan, frame_bytes))
        ends = [0, *(part.start for part in parts[1:]), data.shape[0]]
        for part, begin, end in zip(parts, ends, ends[1:], strict=False):
            yield (part,), end - begin - (part.stop - part.start)

    def _read(self, region: Region, skipped: int) -> Frames:
        if self._closed.is_set():
            raise ClosedError(f"{self.name}: was closed")
        try:
            block = self._data[region]
            block = block.compute(scheduler="synchronous") if hasattr(block, "dask") else block
        except CreweError:
            raise
        except Exception as error:  # every format has its own ways to fail
            if self._closed.is_set():
                raise ClosedError(f"{self.name}: was closed") from error
            said = " ".join(f"{type(error).__name__}: {error}".split())[:160]
            raise ReadError(f"{self.name}: damaged at pattern {_words(region)} ({said})") from error
        patterns = _plain(np.asarray(block)).reshape(-1, *self.detector_shape)
        numbers = self._numbers(region)
        scans, positions = self.scan.place(numbers)
        there = positions != NOWHERE
        flyback, dropped = len(positions) - int(there.sum()) + skipped, 0
        if self._measured is not None:
            dropped = int((there & ~self._measured[numbers]).sum())
            there &= self._measured[numbers]
        kept = _selection(there)
        batch = Frames(positions[kept], patterns[kept], int(scans.max(initial=0)))
        with self._lock:
            self.counters.received += len(batch.positions) + flyback
            self.counters.used += len(batch.positions)
            self.counters.flyback += flyback
            self.counters.dropped += dropped
        return batch

    def _numbers(self, region: Region) -> NDArray[np.int64]:
        """Number the frames of a region as they were recorded."""
        axes = [np.arange(part.start, part.stop) for part in region]
        if len(axes) == 1:
            return axes[0]
        return (axes[0][:, None] * self._width + axes[1]).ravel()

    def _finished(self, region: Region) -> int:
        """Positions that are done after a region, when all before it were read."""
        if len(region) == 1:
            last = region[0].stop - 1
        else:
            (rows, columns), width = region, self._width
            ends_lines = columns.stop == width
            if rows.stop - rows.start > 1 and not ends_lines:
                last = rows.start * width - 1
            else:
                last = (rows.stop - 1) * width + columns.stop - 1
        if last < 0:
            return 0
        on_probe = int(self.scan.place(np.array([last]))[1][0]) != NOWHERE
        return self.scan.finished_before(last)[1] + on_probe


def _check(data: Any, name: str) -> None:
    shape = tuple(data.shape)
    if len(shape) not in (3, 4) or min(shape) < 1:
        kind = "one image" if len(shape) == 2 else f"an array of shape {shape}"
        raise ReadError(
            f"{name}: {kind} is no 4D data: give patterns as (rows, columns, ky, kx) or "
            "(frames, ky, kx)"
        )
    if data.dtype.kind not in "biuf":
        raise ReadError(f"{name}: patterns of type {data.dtype}: give real intensities")


def _flattened(data: Any) -> Any:
    """Merge rows and columns where that costs no copy."""
    if isinstance(data, FileArray):
        return data.stack()
    if not isinstance(data, np.ndarray) or data.ndim == 3:
        return data
    rows, columns = data.shape[:2]
    if rows > 1 and columns > 1 and data.strides[0] != data.strides[1] * columns:
        return data
    return data.reshape(-1, *data.shape[2:])


def _chunks(data: Any) -> list[Edges] | None:
    """Return the edges of the chunks along the scan; None where any cut is as good."""
    navigated = data.shape[:-2]
    if isinstance(data, np.ndarray) and data.strides[-1] != data.itemsize and _is_mapped(data):
        # Stored pixel by pixel: each pattern is strewn over the whole file.
        return [[0, size] for size in navigated]
    chunks = getattr(data, "chunks", None)
    if chunks is None:
        return None
    return [chunk_edges(int(size), chunk) for size, chunk in zip(navigated, chunks, strict=False)]


def _is_mapped(data: Any) -> bool:
    """Say whether an array, or what it is a view of, is mapped from a file."""
    while data is not None and not isinstance(data, np.memmap):
        data = getattr(data, "base", None)
    return data is not None


def _plain(block: NDArray[Any]) -> NDArray[Any]:
    """Make each pattern contiguous and of a type that compiled code takes."""
    if block.dtype == np.float16:
        return block.astype(np.float32)
    if block.dtype == np.bool_:
        block = block.view(np.uint8)
    inner = (block.shape[-1] * block.itemsize, block.itemsize)
    return block if block.strides[-2:] == inner else np.ascontiguousarray(block)


def _selection(there: NDArray[np.bool_]) -> slice | NDArray[np.bool_]:
    """Select frames, without a copy where they follow each other."""
    count = int(there.sum())
    first = int(there.argmax()) if count else 0
    whole = bool(there[first : first + count].all())
    return slice(first, first + count) if whole else there


def _words(region: Region) -> str:
    return ", ".join(f"{part.start}…{part.stop - 1}" for part in region)
