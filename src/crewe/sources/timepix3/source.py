"""What all sources of single electrons share."""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError, ReadError
from crewe.sources.closing import Closing
from crewe.sources.counters import Counters
from crewe.sources.protocol import Events, Known
from crewe.sources.scan import Scan
from crewe.sources.timepix3.words import TICKS_PER_US

DISORDER_US = 10_000.0
"""Electrons of one scan are awaited so long after its end."""
YEAR_US = 3e13


def in_ticks(name: str, time_us: float) -> int:
    """Return a time in ticks, at most a year; raises PlanError for none or a negative one."""
    if not time_us >= 0:
        raise PlanError(f"{name} of {time_us} µs: give a number of microseconds, 0 or more")
    return round(min(time_us, YEAR_US) * TICKS_PER_US)


class EventSource(Closing):
    """Counters, shape, and how a source of electrons is closed; see `Source`."""

    def __init__(self, scan: Scan, detector_shape: tuple[int, int]) -> None:
        self.scan = scan
        self.detector_shape = detector_shape
        self.known = Known()
        self.counters = Counters()
        self._closed = threading.Event()

    @abstractmethod
    def batches(self) -> Iterator[Events]:
        """Yield the electrons in the order of their arrival."""

    def close(self) -> None:
        """End `batches`, also from another thread."""
        self._closed.set()


class FileReader:
    """Reads a file into one buffer, piece by piece, behind what the last piece left unused.

    Raises ReadError for what cannot be opened or read and for a file of no bytes.
    """

    def __init__(self, path: Path, piece_bytes: int) -> None:
        self.path = path
        try:
            self._file = path.open("rb", buffering=0)
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise ReadError(f"{path} cannot be read: {error.strerror}") from error
        if self.size == 0:
            self._file.close()
            raise ReadError(f"{path} is empty: was the recording ever started?")
        self.buffer: NDArray[np.uint8] = np.empty(piece_bytes, np.uint8)
        self.left = 0

    def read(self) -> int:
        """Read on; return up to where the buffer is filled, no further than `left` at the end."""
        try:
            return self.left + self._file.readinto(self.buffer.data[self.left :])
        except OSError as error:
            raise ReadError(f"{self.path} cannot be read on: {error.strerror}") from error

    def keep(self, begin: int, end: int) -> None:
        """Keep the bytes that were not used for the next piece."""
        self.left = end - begin
        self.buffer[: self.left] = self.buffer[begin:end].copy()

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()
