"""How many lines went by, as the trigger counts of TDC edges tell."""

from __future__ import annotations

from crewe.sources.counters import Counters

COUNTS = 1 << 12


class TriggerCounts:
    """Follows the 12-bit counts of edges that begin lines, and those of edges that end them.

    Some detectors count beginnings and ends apart, some both in one count, some not at all: which
    is learnt from the first edges; until then each beginning is one line after the last.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._last: int | None = None
        self._end: int | None = None
        self._step: int | None = None
        self._twos = 0

    def end(self, count: int) -> None:
        """Take the count of an edge that ends a line."""
        self._end = count

    def begin(self, count: int) -> int:
        """Take the count of an edge that begins a line; return the lines since."""
        last, self._last = self._last, count
        if last is None:
            return 1
        gone = (count - last) % COUNTS
        self._learn(gone, last, count)
        self._end = None
        if self._step is None:
            return 1
        if gone == 0 or gone % self._step:
            self._counters.fault("trigger counts jump", f"from {last} to {count}")
            return 1
        return gone // self._step

    def _learn(self, gone: int, last: int, count: int) -> None:
        if self._step is not None:
            return
        self._twos = self._twos + 1 if gone == 2 else 0
        end = self._end
        both = end is not None and (end - last) % COUNTS == (count - end) % COUNTS == 1
        if gone == 1:
            self._step = 1
        elif both or self._twos == 3:
            self._step = 2
