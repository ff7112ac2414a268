"""When the lines of scans were, if nothing but the dwell time tells."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from crewe.errors import PlanError
from crewe.sources.counters import Counters
from crewe.sources.scan import Scan
from crewe.sources.timepix3.gate import CONFIRMING
from crewe.sources.timepix3.place import Lines
from crewe.sources.timepix3.store import EventStore
from crewe.sources.timepix3.words import TICKS_PER_US

FINEST = 512
"""A dwell time is kept as a fraction of ticks with no larger denominator."""
LONGEST_SCAN = 1 << 60
FAR_BY = 4
"""Few electrons so many times as far ahead as any before are taken for damage."""
LOOKED_AT = 4096
"""Among so many electrons that wait the earliest is looked for."""


class DwellClock:
    """ScanClock of a scan that follows its dwell time from the time `start` (ticks) on.

    Flyback counts in dwell times. Raises PlanError for a scan without a dwell time.
    """

    def __init__(self, scan: Scan, counters: Counters, disorder: int, start: int = 0) -> None:
        if scan.dwell_time_us is None:
            raise PlanError("electrons are placed by the dwell time, which is unknown: give it")
        # The shortest decimal that reads as the number given: 0.1 µs is a tenth, not its float.
        exact = Fraction(repr(float(scan.dwell_time_us))) * TICKS_PER_US
        dwell = exact.limit_denominator(FINEST)
        self.scale, self._dwell = dwell.denominator, dwell.numerator
        longest = self._dwell * max(scan.frames_per_scan, scan.shape[1] ** 2)
        if longest > LONGEST_SCAN or self._dwell < 1:
            raise PlanError(f"a dwell time of {scan.dwell_time_us} µs: no scan was ever made so")
        self._scan, self._counters = scan, counters
        self._disorder = min(disorder * self.scale, self._dwell * scan.frames_per_scan)
        self._furthest = -1
        self._ended = False
        self._widest = 0
        self.start_at(start)

    def start_at(self, start: int) -> None:
        """Take a time (ticks) for the start of frame 0."""
        origin = start * self.scale + self._scan.sync_offset * self._dwell
        none = np.empty(0, np.int64)
        self._lines = Lines(
            none,
            none,
            none,
            False,
            0,
            origin,
            self._scan.shape[1] * self._dwell,
            self._scan.frames_per_line * self._dwell,
            self._scan.frames_per_scan * self._dwell,
        )

    def lines(self) -> tuple[Lines, bool]:
        """Return the lines, which never change."""
        return self._lines, False

    def scan_end(self, scan: int) -> int | None:
        """Return the scaled time after which nothing of a scan comes."""
        begin = self._lines.origin + scan * self._lines.per_scan
        return begin + self._scan.shape[0] * self._lines.per_line + self._disorder

    def passed(self, time: int, quiet: bool) -> bool:
        """Return False: electrons alone tell the time."""
        return False

    def finished(self, scan: int, last_position: int) -> int:
        """Return the position given out last; all of them when it ended within the last line."""
        self._furthest = max(self._furthest, last_position)
        last_line = self._scan.size - self._scan.shape[1]
        if self._ended and self._furthest >= last_line:
            return self._scan.size
        return max(self._furthest, 0)

    def next_scan(self, scan: int, over: bool, store: EventStore) -> int | None:
        """Return the next scan that waiting electrons belong to."""
        following = scan + 1 if over and not self._ended else None
        if store.waiting:
            following = self._next_among(store, scan)
            far = following - scan > max(1, FAR_BY * self._widest)
            if not far or store.waiting >= CONFIRMING:
                self._widest = max(self._widest, following - scan)
            else:
                self._counters.unreadable += store.waiting
                self._counters.fault("times far from all others", times=store.waiting)
                store.clear()
                following = None if self._ended else scan + 1
        self._furthest = -1
        return following

    def _next_among(self, store: EventStore, scan: int) -> int:
        """Return the first scan after one that electrons which wait belong to."""
        times = store.times[store.begin : min(store.count, store.begin + LOOKED_AT)]
        # Not all were looked at: late ones among them must not hold up the others.
        begin = self._lines.origin + (scan + 1) * self._lines.per_scan
        ahead = times[times >= -(-begin // self.scale)]
        if not ahead.size:
            return scan + 1
        return (int(ahead.min()) * self.scale - self._lines.origin) // self._lines.per_scan

    def finish(self) -> None:
        """Take it that nothing more will come."""
        self._ended = True
