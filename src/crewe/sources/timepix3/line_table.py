"""The lines of a scan in time, as far as they are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BEGIN, END, NUMBER = range(3)


class LineTable:
    """Lines in the order of time; grows at one end and forgets at the other."""

    def __init__(self) -> None:
        self._rows: NDArray[np.int64] = np.empty((3, 1024), np.int64)
        self._first = self._last = 0
        self.forgotten = False

    def __len__(self) -> int:
        return self._last - self._first

    @property
    def begin(self) -> NDArray[np.int64]:
        """Return where each line begins, in ticks."""
        return self._rows[BEGIN, self._first : self._last]

    @property
    def end(self) -> NDArray[np.int64]:
        """Return where each line ends, in ticks."""
        return self._rows[END, self._first : self._last]

    @property
    def number(self) -> NDArray[np.int64]:
        """Return the number of each line: row + rows × scan."""
        return self._rows[NUMBER, self._first : self._last]

    def append(self, begin: int, end: int, number: int) -> None:
        """Add a line behind the last."""
        if self._last == self._rows.shape[1]:
            self._make_room()
        self._rows[:, self._last] = begin, end, number
        self._last += 1

    def forget_below(self, number: int) -> None:
        """Forget lines of lower numbers."""
        lines = int(np.searchsorted(self.number, number))
        self._first += lines
        self.forgotten = self.forgotten or lines > 0

    def _make_room(self) -> None:
        kept = self._rows[:, self._first : self._last].copy()
        size = max(1024, 2 * kept.shape[1])
        self._rows = np.empty((3, size), np.int64)
        self._rows[:, : kept.shape[1]] = kept
        self._first, self._last = 0, kept.shape[1]
