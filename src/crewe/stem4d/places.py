"""Numbers measured at probe positions, kept as scans come, repeat and overtake each other."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.stem4d.reducer import Repeats


class Places:
    """Values (position, value) of the newest scan, or summed over all scans.

    Adding commutes: a newer scan replaces a position, an equal one is added, an older one is left
    out. `scans` tells which scan each position was last measured in, −1 none.
    """

    def __init__(self, scan_shape: tuple[int, int], values: int, repeats: Repeats) -> None:
        self.scan_shape = scan_shape
        self.values = np.zeros((scan_shape[0] * scan_shape[1], values))
        self.scans = np.full(len(self.values), -1, np.int64)
        self.version = 0
        self._row_versions = np.zeros(scan_shape[0], np.int64)
        self._summed = repeats == "sum"
        self._finished = (-1, 0)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Return which positions (rows, columns) were measured."""
        return (self.scans >= 0).reshape(self.scan_shape)

    def image(self, value: int) -> NDArray[np.float64]:
        """Return one value at all positions (rows, columns), NaN where not measured."""
        return np.where(self.scans >= 0, self.values[:, value], np.nan).reshape(self.scan_shape)

    def add(self, positions: NDArray[np.int64], values: NDArray[np.float64], scan: int) -> None:
        """Add values (position, value) measured at positions of a scan."""
        self.version += 1
        _add(self._state, positions, values, scan, self._summed, self.version)

    def add_from(self, first: int, values: NDArray[np.float64], scan: int) -> None:
        """Add values (position, value) from position `first` on; a row led by 0 is none."""
        self.version += 1
        positions = first + np.flatnonzero(values[:, 0])
        _add(self._state, positions, values[positions - first], scan, self._summed, self.version)

    def finish(self, finished: int, scan: int) -> None:
        """Mark positions below `finished` as measured; those without a value measured zero."""
        newest, before = self._finished
        if scan < newest:
            return
        before = before if scan == newest else 0
        self._finished = (scan, max(before, finished))
        self.version += 1
        if finished > before:
            positions = np.arange(before, finished)
            nothing = np.zeros((len(positions), self.values.shape[1]))
            _add(self._state, positions, nothing, scan, self._summed, self.version)

    def rows_changed_since(self, version: int) -> NDArray[np.bool_]:
        """Return which rows of the scan were touched after that version."""
        return self._row_versions > version

    @property
    def _state(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], int]:
        return self.values, self.scans, self._row_versions, self.scan_shape[1]


@njit(cache=True, nogil=True)
def _add(
    state: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], int],
    positions: NDArray[np.int64],
    new: NDArray[np.float64],
    scan: int,
    summed: bool,
    version: int,
) -> None:
    values, scans, row_versions, columns = state
    for index in range(positions.size):
        position = positions[index]
        if scan < scans[position] and not summed:
            continue
        if scan > scans[position]:
            if not summed:
                values[position] = 0
            scans[position] = scan
        for value in range(values.shape[1]):
            values[position, value] += new[index, value]
        row_versions[position // columns] = version
