"""Which scan and probe position a Merlin frame belongs to, by the number in its header."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crewe.sources.counters import Counters
from crewe.sources.scan import NOWHERE, Scan

LATE_BY_AT_MOST = 1024
"""A number that falls back further than so many frames begins a new acquisition."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Frames of one scan: which of a run they are, and their positions."""

    scan: int
    rows: NDArray[np.int64]
    positions: NDArray[np.int64]
    finished: int


class FrameNumbers:
    """Gives frames their positions by number, never by the count of arrivals.

    Missing numbers leave holes and are counted as dropped, those that come again or too late as
    late. An announcement, or numbers that start again, begin a new acquisition, which continues
    with the next scan. `first` is the number of the first frame of an acquisition. It is done, and
    takes no more frames, when `wanted` scans were followed from beginning to end, or (None) when
    the frames that were announced have passed.
    """

    def __init__(
        self, scan: Scan, counters: Counters, first: int = 1, wanted: int | None = None
    ) -> None:
        self.scan, self.counters, self.first, self.wanted = scan, counters, first, wanted
        self.announced = 0
        """Frames that the acquisition shall have; 0 when it does not say."""
        self._complete_before = 0
        self._base = 0
        self._open: tuple[int, int] | None = None
        self._unplaced = 0
        self._forget()

    def _forget(self) -> None:
        self._next: int | None = None
        self._first_whole = 0
        self._awaited = self._new_connection = False

    @property
    def done(self) -> bool:
        """Whether all that was wanted has passed."""
        return self._next is not None and self._limit is not None and self._next >= self._limit

    @property
    def over(self) -> bool:
        """Whether all frames have passed that the acquisition announced."""
        return 0 < self.announced <= (self._next or 0)

    @property
    def _limit(self) -> int | None:
        """Frames of this acquisition, the flyback after the last one left out, that are wanted."""
        if self.wanted is None:
            return self.announced or None
        last = self.wanted - self._complete_before + self._first_whole - 1
        rows, columns = self.scan.shape
        within = (rows - 1) * self.scan.frames_per_line + columns
        return max(1, self.scan.sync_offset + last * self.scan.frames_per_scan + within)

    def await_announcement(self) -> None:
        """Take no frames until the next acquisition is announced: they would be stale."""
        self._awaited = True

    def reconnected(self) -> None:
        """Tell that what follows came over another connection."""
        self._new_connection = True

    def unreadable(self) -> None:
        """Tell of a frame whose number cannot be known; it will be missing from the numbers."""
        self._unplaced += 1
        self.counters.received += 1
        self.counters.unreadable += 1

    def begin(self, announced: int = 0) -> Iterator[Placed]:
        """Begin a new acquisition, and yield the end of the scan that was open."""
        yield from self.end()
        if 0 < (self._next or 0) < self.announced:
            self.counters.fault("an acquisition ended early", f"after frame {self._next}")
        if self._next:
            scan, within = self.scan.finished_before(self._next)
            complete = scan + (within == self.scan.size) - self._first_whole
            self._complete_before += max(0, complete)
            self._base += scan + (within > 0)
        self._forget()
        self.announced, self._next, self._unplaced = announced, 0, 0

    def end(self) -> Iterator[Placed]:
        """Yield the end of the scan that is open: nothing of it follows."""
        if self._open is not None and self._open[1] < self.scan.size:
            nothing = np.empty(0, np.int64)
            yield Placed(self._open[0], nothing, nothing, self.scan.size)
        self._open = None

    def place(self, numbers: NDArray[np.int64]) -> Iterator[Placed]:
        """Yield where the frames of a run lie; what is late or flyback is counted and left out."""
        if self._awaited:
            self.counters.received += numbers.size
            self.counters.fault("stale frames before the start", times=numbers.size)
            self.counters.late += numbers.size
            return
        indices = numbers - self.first
        falls = np.append(np.flatnonzero(np.diff(indices) <= 0) + 1, indices.size)
        start = 0
        while start < indices.size and not self.done:
            if self._starts_again(int(indices[start])):
                yield from self.begin()
            if self._next is not None and indices[start] < self._next:
                self._late(int(numbers[start]))
                start += 1
                continue
            stop = int(falls[np.searchsorted(falls, start, "right")])
            yield from self._ascend(indices[start:stop], start)
            start = stop

    def _starts_again(self, index: int) -> bool:
        """Tell whether a number that falls back means a new acquisition rather than lateness."""
        new, self._new_connection = self._new_connection, False
        if not self._next or index >= self._next:
            return False
        from_the_first = index == 0 and (self._next > 1 or self._next == self.announced)
        return new or from_the_first or self._next - index > LATE_BY_AT_MOST

    def _late(self, number: int) -> None:
        self.counters.received += 1
        self.counters.late += 1
        self.counters.fault("frames late or twice", f"frame {number}")

    def _ascend(self, indices: NDArray[np.int64], row: int) -> Iterator[Placed]:
        """Yield the places of frames whose numbers only rise; the first is row `row` of the run."""
        indices = self._wanted_of(indices)
        self.counters.received += indices.size
        if not indices.size:
            return
        scans, positions = self.scan.place(indices)
        used = positions != NOWHERE
        self.counters.used += int(used.sum())
        self.counters.flyback += int(indices.size - used.sum())
        bounds = np.flatnonzero(np.diff(scans)) + 1
        for start, stop in pairwise([0, *bounds.tolist(), indices.size]):
            rows = start + np.flatnonzero(used[start:stop])
            scan = int(scans[start])
            now, within = self.scan.finished_before(int(indices[stop - 1]) + 1)
            finished = within if now == scan else self.scan.size
            yield from self._opened(self._base + scan, row + rows, positions[rows], finished)

    def _opened(
        self, scan: int, rows: NDArray[np.int64], positions: NDArray[np.int64], finished: int
    ) -> Iterator[Placed]:
        """Yield frames of one scan, after the end of the scan before where that was missing."""
        if self._open is not None and self._open[0] != scan:
            yield from self.end()
        if rows.size or (self._open is not None and finished > self._open[1]):
            yield Placed(scan, rows, positions, finished)
            self._open = scan, finished

    def _wanted_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those before the limit, and count the numbers before them that did not come."""
        if self._next is None:
            self._next = int(indices[0])
            scan, within = self.scan.finished_before(self._next)
            self._first_whole = scan + (within > 0)
        stop, limit = int(indices[-1]) + 1, self._limit
        if limit is not None and stop > limit:
            indices = indices[: np.searchsorted(indices, limit)]
            stop = limit
        missing = stop - self._next - indices.size - self._unplaced
        if missing > 0:
            self.counters.dropped += missing
            self.counters.fault("frames dropped", f"{missing} before frame {stop - 1 + self.first}")
        self._next, self._unplaced = stop, 0
        return indices
