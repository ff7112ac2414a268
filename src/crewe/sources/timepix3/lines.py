"""Edges of the microscope's line signal become numbered lines, also where edges were lost.

A rising edge of the TDC begins a line and a falling one ends it. All chips share one clock: the
same edge reported by several is one edge, and it is enough that one chip reports it. Each edge
carries a trigger count, which tells how many lines went by when some were not reported.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crewe.sources.counters import Counters
from crewe.sources.timepix3.line_table import LineTable
from crewe.sources.timepix3.trigger_counts import TriggerCounts

LineEnd = Literal["edge", "dwell", "next"]

SAME_EDGE_TICKS = 384
"""0.1 µs: edges of several chips so close are one edge."""
PAUSE_TICKS = 6 << 28
"""0.42 s: an edge so far ahead of those before is believed when the next is not before it."""
NEVER = -(1 << 62)
STEPS_BACK_BELIEVED = 16
MOST_LINES_FILLED_IN = 64


class LineTracker:
    """Makes lines of TDC edges; `table` holds them, numbered row + rows × scan.

    Lost edges are counted as faults, and what they took is put back: an end from the duration of
    the line before, lines between from the trigger count and the period. With `line_end` "dwell"
    lines last `duration` ticks, with "next" until the next begins.
    """

    def __init__(
        self,
        rows: int,
        counters: Counters,
        line_end: LineEnd = "edge",
        duration: int | None = None,
    ) -> None:
        self.table = LineTable()
        self.newest = NEVER
        self.cut_short = False
        """Whether the end of the last line is a guess, because the stream ended."""
        self._rows = rows
        self._counters = counters
        self._line_end = line_end
        self._duration = duration
        self._other_duration: int | None = None
        self._open: tuple[int, int] | None = None
        self._last_number = -1
        self._last_start: tuple[int, int] | None = None
        self._counts = TriggerCounts(counters)
        self._periods: deque[int] = deque(maxlen=8)
        self._steps_back: list[tuple[int, int, int, bool]] = []
        self._suspect: tuple[int, int, int, bool] | None = None
        self._latest = [NEVER, NEVER]
        self._per_chip: dict[tuple[int, bool], int] = {}
        self._any = False

    @property
    def open_from(self) -> int:
        """Return the time from which on it is not known yet what is a line."""
        if self._open:
            return self._open[0]
        return int(self.table.end[-1]) if len(self.table) else self.newest

    def add(self, time: int, chip: int, count: int, begins: bool) -> None:
        """Take an edge: time in ticks, chip, trigger count, and whether it begins a line."""
        edge, before = (time, chip, count, begins), self._suspect
        self._suspect = None
        if before is not None:
            if time > before[0] - SAME_EDGE_TICKS:
                self._take(*before)
            else:
                self._counters.fault("a TDC edge far from all others")
        if self._any and time - self.newest > PAUSE_TICKS:
            self._suspect = edge
        else:
            self._take(*edge)

    def _take(self, time: int, chip: int, count: int, begins: bool) -> None:
        again = self._per_chip.get((chip, begins))
        self._per_chip[chip, begins] = time
        if again is not None and abs(time - again) < SAME_EDGE_TICKS:
            self._counters.fault("a TDC edge was sent twice")
            return
        if self._known(time, begins):
            return
        if time <= self.newest:
            self._step_back((time, chip, count, begins))
            return
        self._steps_back.clear()
        if begins:
            self._begin(time, count)
        else:
            self._counts.end(count)
            if self._line_end == "edge":
                self._end(time)
        self.newest = self._latest[begins] = time
        self._any = True

    def _known(self, time: int, begins: bool) -> bool:
        if abs(time - self._latest[begins]) < SAME_EDGE_TICKS:
            return True
        if time > self.newest:
            return False
        if begins and self._open and abs(time - self._open[0]) < SAME_EDGE_TICKS:
            return True
        times = self.table.begin if begins else self.table.end
        at = np.searchsorted(times, time - SAME_EDGE_TICKS, side="right")
        return bool(at < len(times) and times[at] < time + SAME_EDGE_TICKS)

    def _step_back(self, edge: tuple[int, int, int, bool]) -> None:
        self._counters.fault("TDC edges out of the order of time")
        self._steps_back.append(edge)
        if len(self._steps_back) < STEPS_BACK_BELIEVED:
            return
        self._counters.fault("the TDC clock stepped back", "a new scan is taken to begin")
        edges, self._steps_back = self._steps_back, []
        self.table = LineTable()
        self.table.forgotten = True
        self._open = self._last_start = None
        self._counts = TriggerCounts(self._counters)
        self._last_number = (self._last_number // self._rows + 1) * self._rows - 1
        self.newest, self._latest = NEVER, [NEVER, NEVER]
        self._per_chip.clear()
        self._any = False
        for again in edges:
            self._take(*again)

    def _begin(self, time: int, count: int) -> None:
        self._close_open(time)
        before = self._last_number
        number = self._number(time, count)
        self._fill_in(before, number, time)
        self._last_number, self._last_start = number, (time, number)
        if self._line_end == "dwell":
            assert self._duration is not None
            self.table.append(time, time + self._duration, number)
        else:
            self._open = (time, number)

    def _close_open(self, time: int) -> None:
        if self._line_end == "dwell" and len(self.table):
            self.table.end[-1] = min(self.table.end[-1], time)
        if self._open is None:
            return
        begin, number = self._open
        self._open = None
        if self._line_end == "next":
            self.table.append(begin, time, number)
            return
        self._counters.fault("the end of a line is missing", f"line {number}")
        if self._duration:
            self.table.append(begin, min(begin + self._duration, time), number)

    def _end(self, time: int) -> None:
        if self._open is None:
            if self._last_number >= 0:
                self._counters.fault("the beginning of a line is missing")
                self._end_without_begin(time)
            return
        begin, number = self._open
        usual = self._duration
        if usual and time - begin > 1.5 * usual and not self._lasts_longer_now(time - begin):
            self._close_open(time)
            self._counters.fault("the beginning of a line is missing")
            self._end_without_begin(time)
            return
        self._open = None
        self._duration = time - begin
        self.table.append(begin, time, number)

    def _lasts_longer_now(self, duration: int) -> bool:
        before, self._other_duration = self._other_duration, duration
        return before is not None and abs(duration - before) < 0.01 * duration

    def _end_without_begin(self, time: int) -> None:
        if not self._duration:
            return
        after = int(self.table.end[-1]) if len(self.table) else time - self._duration
        self._last_number += 1
        self.table.append(max(time - self._duration, after), time, self._last_number)

    def _number(self, time: int, count: int) -> int:
        lines = self._counts.begin(count)
        if self._last_start is None:
            return self._last_number + 1
        last_time, last_number = self._last_start
        if lines > 1 and self._periods and time - last_time < (lines - 0.5) * min(self._periods):
            self._counters.fault("trigger counts jump", f"by {lines} lines: taken as the next line")
            lines = 1
        number = max(last_number + lines, self._last_number + 1)
        if lines == 1 and number == last_number + 1:
            if self._periods and time - last_time > 4 * min(self._periods) and number % self._rows:
                self._counters.fault("a pause within a scan", f"before row {number % self._rows}")
            self._periods.append(time - last_time)
        return number

    def _fill_in(self, before: int, number: int, time: int) -> None:
        """Put lines that were not reported where the period says that they were."""
        lost = number - before - 1
        if lost < 1 or self._last_start is None:
            return
        self._counters.fault("lines without TDC edges", times=lost)
        last_time, last_number = self._last_start
        period = (time - last_time) / (number - last_number)
        even = bool(self._periods) and abs(period / min(self._periods) - 1) < 0.02
        if lost > MOST_LINES_FILLED_IN or not even or not self._duration:
            return
        for line in range(before + 1, number):
            begin = last_time + round((line - last_number) * period)
            self.table.append(begin, min(begin + self._duration, time), line)

    def finish(self) -> None:
        """End the open line, if any, as long as the one before: nothing more will come."""
        if self._open and self._duration:
            begin, number = self._open
            self.table.append(begin, begin + self._duration, number)
            self.cut_short = True
        self._open = None


def add_edges(
    tracker: LineTracker, edges: NDArray[np.int64], begin_kind: int, end_kind: int
) -> None:
    """Give a tracker all edges (time, kind, chip, count) of its two kinds."""
    for time, kind, chip, count in edges.tolist():
        if kind in (begin_kind, end_kind):
            tracker.add(time, chip, count, kind == begin_kind)
