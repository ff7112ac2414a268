"""Electrons that wait in a store are handed out scan by scan, when their place is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crewe.sources.counters import Counters
from crewe.sources.protocol import Events
from crewe.sources.scan import Scan
from crewe.sources.timepix3.place import FLYBACK, LATE, ON_LINE, Lines, Scanned, place
from crewe.sources.timepix3.source import in_ticks
from crewe.sources.timepix3.store import EventStore

CONFIRMING = 16
"""So many electrons after a scan's end, and not one damaged time, say that it is over."""
MOST_WAITING = 1 << 23
LONGEST_ACCEPTED = 1 << 48


class ScanClock(Protocol):
    """What knows when the lines of a scan were."""

    scale: int
    """Times are multiplied by it before they are compared."""

    def lines(self) -> tuple[Lines, bool]:
        """Return the lines, and whether they changed since they were asked for last."""
        ...

    def scan_end(self, scan: int) -> int | None:
        """Return the scaled time after which nothing of a scan comes; None while unknown."""
        ...

    def passed(self, time: int, quiet: bool) -> bool:
        """Return whether the clock itself says that a scaled time, the end of a scan, is over."""
        ...

    def finished(self, scan: int, last_position: int) -> int:
        """Return how many positions were visited; the last one given out, or −1, helps."""
        ...

    def next_scan(self, scan: int, over: bool, store: EventStore) -> int | None:
        """Return the scan that follows, None if none is known to; forget what was before."""
        ...

    def finish(self) -> None:
        """Take it that nothing more will come."""
        ...


class Gate:
    """Hands out the electrons of a store with their probe positions, one scan after the other.

    Those of a scan that has not begun to be handed out wait; those of one that is over are late.
    A scan is over when electrons came that are later than its end by the disorder of the stream.
    """

    def __init__(
        self,
        clock: ScanClock,
        scan: Scan,
        detector_shape: tuple[int, int],
        counters: Counters,
        *,
        acceptance_us: float | None = None,
        scans: int | None = None,
        first_scan: int = 0,
        whole_before: int = 0,
    ) -> None:
        self._clock, self._scan, self._shape = clock, scan, detector_shape
        self._counters = counters
        self._accepted = -1
        if acceptance_us is not None:
            ticks = max(1, in_ticks("acceptance time", acceptance_us)) * clock.scale
            self._accepted = min(ticks, LONGEST_ACCEPTED)
        self._limit, self._first_scan, self._whole_before = scans, first_scan, whole_before
        self._current = self._finished = self._confirming = 0
        self._begun = False
        self._positions, self._pixels = np.empty(0, np.int64), np.empty(0, np.uint32)

    @property
    def next_scan(self) -> int:
        """Return the number of the first scan of which nothing was handed out."""
        return self._first_scan + self._current + int(self._begun)

    @property
    def whole_scans(self) -> int:
        """Return how many scans came to their end, with those of connections before."""
        return self._whole_before + self._current

    @property
    def complete(self) -> bool:
        """Return whether as many scans as were asked for came to their end."""
        return self._limit is not None and self.whole_scans >= self._limit

    def events(
        self, store: EventStore, *, quiet: bool = False, ended: bool = False
    ) -> Iterator[Events]:
        """Yield what can be handed out; `quiet` tells that the stream rests, `ended` its end."""
        if ended:
            self._clock.finish()
        while not self.complete:
            end = self._clock.scan_end(self._current)
            batch = self._placed(store, end)
            over = end is not None and (
                self._confirming >= CONFIRMING or self._clock.passed(end, quiet)
            )
            last = int(batch.positions[-1]) if len(batch.positions) else -1
            finished = self._clock.finished(self._current, last)
            following = None
            if over or ended:
                following = self._clock.next_scan(self._current, over, store)
            if over or following is not None:
                finished = self._scan.size
            if len(batch.positions) or finished > self._finished:
                self._finished, self._begun = max(finished, self._finished), True
                yield Events(batch.positions, batch.pixels, self._shape, batch.scan, self._finished)
            if following is None and ended and self._finished == self._scan.size:
                following = self._current + 1
            if following is None:
                break
            self._current, self._finished, self._begun = following, 0, False
            store.examined, self._confirming = store.begin, 0
        store.settle()
        self._bound(store, ended)

    def _placed(self, store: EventStore, end: int | None) -> Events:
        lines, changed = self._clock.lines()
        if changed:
            store.examined, self._confirming = store.begin, 0
        positions, pixels = self._room(store.count - store.examined)
        tally = np.zeros(4, np.int64)
        scanned = Scanned(
            self._current,
            *self._scan.shape,
            self._accepted,
            self._clock.scale,
            (1 << 62) if end is None else end,
        )
        placed, kept, self._confirming, seen = place(
            store.times,
            store.pixels,
            store.examined,
            store.count,
            lines,
            scanned,
            positions,
            pixels,
            tally,
            self._confirming,
            CONFIRMING,
        )
        store.keep(kept, seen)
        self._counters.used += int(tally[ON_LINE])
        self._counters.flyback += int(tally[FLYBACK])
        if late := int(tally[LATE]):
            self._counters.late += late
            self._counters.fault("electrons of a scan that is over", times=late)
        if 2 * placed < len(positions):
            positions, pixels = positions[:placed].copy(), pixels[:placed].copy()
        else:  # they are the receiver's
            self._positions, self._pixels = np.empty(0, np.int64), np.empty(0, np.uint32)
        scan = self._first_scan + self._current
        return Events(positions[:placed], pixels[:placed], self._shape, scan)

    def _room(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        if len(self._positions) < number:
            self._positions, self._pixels = np.empty(number, np.int64), np.empty(number, np.uint32)
        return self._positions, self._pixels

    def _bound(self, store: EventStore, ended: bool) -> None:
        if ended or self.complete:
            self._counters.flyback += store.count
            store.clear()
        elif store.count > MOST_WAITING:
            given_up = store.count - MOST_WAITING // 2
            self._counters.late += given_up
            self._counters.fault(
                "too many electrons without a line",
                "no TDC edge says where they belong: is the line signal on the other TDC channel?",
            )
            store.forget_oldest(given_up)
