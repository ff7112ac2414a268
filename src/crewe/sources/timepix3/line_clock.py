"""When the lines of scans were, as edges of the microscope's line signal tell."""

from __future__ import annotations

import numpy as np

from crewe.sources.scan import Scan
from crewe.sources.timepix3.lines import LineTracker
from crewe.sources.timepix3.place import Lines
from crewe.sources.timepix3.store import EventStore


class LineClock:
    """ScanClock of the lines that a tracker finds; a scan ends `disorder` ticks after its last."""

    scale = 1

    def __init__(self, tracker: LineTracker, scan: Scan, disorder: int) -> None:
        self._tracker, self._rows, self._columns = tracker, *scan.shape
        self._disorder = disorder
        self._seen: tuple[int, int] | None = None
        self._ended = False

    def lines(self) -> tuple[Lines, bool]:
        """Return the lines, and whether they changed since they were asked for last."""
        table = self._tracker.table
        after_all = 1 << 62
        open_from = after_all if self._ended else self._tracker.open_from
        lines = Lines(table.begin, table.end, table.number, table.forgotten, open_from, 0, 0, 0, 0)
        seen = (int(table.number[-1]) if len(table) else -1, open_from)
        changed, self._seen = seen != self._seen, seen
        return lines, changed

    def _first_line_from(self, number: int) -> int | None:
        numbers = self._tracker.table.number
        at = int(np.searchsorted(numbers, number))
        return at if at < len(numbers) else None

    def scan_end(self, scan: int) -> int | None:
        """Return the time after which nothing of a scan comes; None until its last line ended."""
        at = self._first_line_from((scan + 1) * self._rows - 1)
        if at is None:
            return None
        table = self._tracker.table
        last = table.number[at] // self._rows == scan
        return int(table.end[at] if last else table.begin[at]) + self._disorder

    def passed(self, time: int, quiet: bool) -> bool:
        """Return whether an edge came after the end of a scan, or the stream rests."""
        return quiet or self._tracker.newest >= time

    def finished(self, scan: int, last_position: int) -> int:
        """Return the positions of the lines of a scan up to the last that ended."""
        numbers = self._tracker.table.number
        if not len(numbers):
            return 0
        ended = int(numbers[-1]) + 1 - self._tracker.cut_short
        rows = ended - scan * self._rows
        return max(0, min(rows, self._rows)) * self._columns

    def next_scan(self, scan: int, over: bool, store: EventStore) -> int | None:
        """Return the next scan when this one is over or has been followed by a line of the next."""
        if not over and self._first_line_from((scan + 1) * self._rows) is None:
            return None
        self._tracker.table.forget_below((scan + 1) * self._rows)
        return scan + 1

    def finish(self) -> None:
        """Take it that nothing more will come."""
        self._tracker.finish()
        self._ended = True
