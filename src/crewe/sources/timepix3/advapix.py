"""AdvaPix Timepix3 files (.t3p): one 16-byte record per electron.

A record holds, little-endian, pixel index (uint32), time of arrival in 25 ns (uint64), overflow
(uint8), fine time (uint8) and time over threshold (uint16). The probe is placed by the dwell time,
counted from time zero of the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.errors import PlanError, ReadError
from crewe.sources.protocol import Events
from crewe.sources.scan import Scan
from crewe.sources.timepix3.dwell_runs import DwellRuns
from crewe.sources.timepix3.source import DISORDER_US, EventSource, FileReader, in_ticks
from crewe.sources.timepix3.store import EventStore
from crewe.sources.timepix3.words import TICKS_PER_FINE_TIME

RECORD = np.dtype(
    [("pixel", "<u4"), ("toa", "<u8"), ("overflow", "u1"), ("ftoa", "u1"), ("tot", "<u2")]
)
TICKS_PER_TOA = 96
LATEST_TOA = 1 << 44
"""Five days: a later time of arrival is damage."""
BLOCK = 256
OVERFLOWN, FINE_TIME_TOO_LONG, IMPOSSIBLE = range(3)


@njit(cache=True)
def _plain(
    records: NDArray[np.int64],
    first: int,
    number: int,
    pixels_of_detector: int,
    fine: int,
    times: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    filled: int,
) -> bool:
    """Decode records; return whether nothing was odd about any. Has no branch, so is quick."""
    source, target = np.uint64(2 * first), np.uint64(filled)
    odd = 0
    for k in range(np.uint64(number)):
        at = source + np.uint64(2) * k
        low, high = records[at], records[at + np.uint64(1)]
        pixel, toa = low & 0xFFFFFFFF, ((low >> 32) & 0xFFFFFFFF) | (high << 32)
        fine_time = (high >> 40) & 0xFF
        times[target + k] = toa * TICKS_PER_TOA - fine_time * fine
        pixels[target + k] = pixel
        odd += (
            (pixel >= pixels_of_detector)
            | ((high & 0xFFFFFFFF) >= LATEST_TOA >> 32)
            | (((high >> 32) & 0xFF) != 0)
            | (fine_time > 15)
        )
    return odd == 0


@njit(cache=True, nogil=True)
def decode_records(
    records: NDArray[np.int64],
    pixels_of_detector: int,
    fine: int,
    times: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    filled: int,
    odd: NDArray[np.int64],
) -> int:
    """Decode records (two words each); return up to where the arrays are filled.

    `fine` is the number of ticks in one step of the fine time. `odd` counts records with overflow,
    with a fine time that is none (taken as 0) and those left out: no such pixel or time.
    """
    n = len(records) // 2
    for first in range(0, n, BLOCK):
        number = min(BLOCK, n - first)
        if _plain(records, first, number, pixels_of_detector, fine, times, pixels, filled):
            filled += number
            continue
        for i in range(first, first + number):
            low, high = records[2 * i], records[2 * i + 1]
            pixel, toa = low & 0xFFFFFFFF, ((low >> 32) & 0xFFFFFFFF) | (high << 32)
            if pixel >= pixels_of_detector or (high & 0xFFFFFFFF) >= LATEST_TOA >> 32:
                odd[IMPOSSIBLE] += 1
                continue
            fine_time = (high >> 40) & 0xFF
            if fine_time > 15:
                odd[FINE_TIME_TOO_LONG] += 1
                fine_time = np.int64(0)
            odd[OVERFLOWN] += ((high >> 32) & 0xFF) != 0
            times[filled] = toa * TICKS_PER_TOA - fine_time * fine
            pixels[filled] = pixel
            filled += 1
    return filled


class AdvaPixFile(EventSource):
    """Source of the electrons in an AdvaPix Timepix3 file, in constant memory.

    The probe position is floor(time/dwell time), exactly, placed by `scan` with its flyback. The
    time is ToA·25 ns − fToA·25/16 ns: the fine time of a Timepix3 counts from the electron to the
    next tick of the 25 ns clock; `fine_time=False` leaves it out, as riCOM does. Electrons later
    than `acceptance_us` after the start of their position are left out (section 3.4.2 of
    https://doi.org/10.1017/S1431927622000617) and counted with the flyback. A scan is handed out
    to its end and `disorder_us` beyond before the next; it ends after `scans` scans if given. Times
    that start again begin a new scan, with a fault; single ones set back further than
    `disorder_us` are counted as late.

    Raises ReadError for a file that cannot be read, PlanError for a scan without dwell time.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        scan: Scan,
        *,
        detector_shape: tuple[int, int] = (256, 256),
        acceptance_us: float | None = None,
        fine_time: bool = True,
        disorder_us: float = DISORDER_US,
        scans: int | None = None,
        piece_bytes: int = 1 << 21,
    ) -> None:
        super().__init__(scan, detector_shape)
        if min(detector_shape) < 1 or piece_bytes < RECORD.itemsize:
            raise PlanError(f"a detector of {detector_shape}, read {piece_bytes} bytes at a time")
        self._gate = DwellRuns(
            scan,
            detector_shape,
            self.counters,
            in_ticks("disorder", disorder_us),
            from_zero=True,
            acceptance_us=acceptance_us,
            scans=scans,
        )
        self._fine = TICKS_PER_FINE_TIME if fine_time else 0
        self._reader = FileReader(Path(path), piece_bytes)
        if self._reader.size < RECORD.itemsize:
            self._reader.close()
            raise ReadError(f"{path} holds {self._reader.size} bytes; one electron takes 16")

    def batches(self) -> Iterator[Events]:
        """Yield the electrons in the order of their arrival; once."""
        reader, store = self._reader, EventStore()
        try:
            while not self._closed.is_set():
                end = reader.read()
                if end == reader.left:
                    break
                used = end // RECORD.itemsize * RECORD.itemsize
                self._decode(reader.buffer[:used].view(np.int64), store)
                reader.keep(used, end)
                yield from self._gate.events(store)
                if self._gate.complete:
                    return
            if not self._closed.is_set():
                self._end_within_record(reader.left)
                yield from self._gate.events(store, ended=True)
        finally:
            reader.close()

    def _decode(self, records: NDArray[np.int64], store: EventStore) -> None:
        number = len(records) // 2
        store.make_room(number)
        odd = np.zeros(3, np.int64)
        ky, kx = self.detector_shape
        store.count = decode_records(
            records, ky * kx, self._fine, store.times, store.pixels, store.count, odd
        )
        self.counters.received += number
        self.counters.unreadable += int(odd[IMPOSSIBLE])
        for kind, text in (
            (OVERFLOWN, "electrons with an overflow flag"),
            (FINE_TIME_TOO_LONG, "fine times above 15, taken as 0"),
            (IMPOSSIBLE, "records of a pixel or time that cannot be"),
        ):
            if odd[kind]:
                self.counters.fault(text, times=int(odd[kind]))

    def _end_within_record(self, left: int) -> None:
        if left:
            self.counters.received += 1
            self.counters.unreadable += 1
            self.counters.fault("the file ends within a record", f"{left} bytes are left over")
