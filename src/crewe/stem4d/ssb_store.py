"""What every kept pixel measured at every probe position, as scans come and repeat."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.stem4d.reducer import Repeats

Values = NDArray[np.float32]


class PixelStore:
    """Counts (position, pixel) of the newest scan, or summed over all scans.

    Adding commutes as in Places: a newer scan replaces a position, an equal one is added, an older
    one is left out. Sums of counts are exact up to 2²⁴.
    """

    def __init__(self, positions: int, pixels: int, repeats: Repeats) -> None:
        self.values: Values = np.zeros((positions, pixels), np.float32)
        self.scans = np.full(positions, -1, np.int64)
        self._summed = repeats == "sum"
        self._finished = (-1, 0)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which positions (position,) were measured."""
        return self.scans >= 0

    def add_frames(self, positions: NDArray[np.int64], values: Values, scan: int) -> None:
        """Add values (frame, pixel) at the position of each frame."""
        _add_frames(self.values, self.scans, positions, values, scan, self._summed)

    def add_electrons(
        self, positions: NDArray[np.int64], pixels: NDArray[np.int32], scan: int, finished: int
    ) -> None:
        """Add single electrons; positions below `finished` measured zero where none came."""
        _add_electrons(self.values, self.scans, positions, pixels, scan, self._summed)
        newest, before = self._finished
        if scan >= newest:
            before = before if scan == newest else 0
            self._finished = (scan, max(before, finished))
            _visit(self.values, self.scans, before, finished, scan, self._summed)

    def columns(self, pixels: NDArray[np.int64]) -> tuple[Values, NDArray[np.float64]]:
        """Return values (pixel, position) less their mean over what is measured, and that mean.

        Positions that were not measured hold 0: the mean says nothing about them.
        """
        result = np.empty((len(pixels), len(self.values)), np.float32)
        means = np.zeros(len(pixels))
        _transpose(self.values, self.scans, pixels, result, means)
        return result, means


@njit(cache=True, nogil=True)
def _newer(
    values: Values, scans: NDArray[np.int64], position: int, scan: int, summed: bool
) -> bool:
    """Make room for a newer scan at a position; False where a newer one is there already."""
    if scan > scans[position]:
        if not summed and scans[position] >= 0:
            values[position] = 0
        scans[position] = scan
    return bool(summed or scan == scans[position])


@njit(cache=True, nogil=True)
def _add_frames(
    values: Values,
    scans: NDArray[np.int64],
    positions: NDArray[np.int64],
    new: Values,
    scan: int,
    summed: bool,
) -> None:
    for index in range(positions.size):
        position = positions[index]
        if _newer(values, scans, position, scan, summed):
            for pixel in range(values.shape[1]):
                values[position, pixel] += new[index, pixel]


@njit(cache=True, nogil=True)
def _add_electrons(
    values: Values,
    scans: NDArray[np.int64],
    positions: NDArray[np.int64],
    pixels: NDArray[np.int32],
    scan: int,
    summed: bool,
) -> None:
    for index in range(positions.size):
        position = positions[index]
        if _newer(values, scans, position, scan, summed):
            values[position, pixels[index]] += np.float32(1)


@njit(cache=True, nogil=True)
def _visit(
    values: Values, scans: NDArray[np.int64], first: int, after: int, scan: int, summed: bool
) -> None:
    for position in range(first, after):
        _newer(values, scans, position, scan, summed)


@njit(cache=True, nogil=True)
def _transpose(
    values: Values,
    scans: NDArray[np.int64],
    pixels: NDArray[np.int64],
    result: Values,
    means: NDArray[Any],
) -> None:
    measured = 0
    for position in range(scans.size):
        measured += scans[position] >= 0
        for index in range(pixels.size):
            value = values[position, pixels[index]]
            result[index, position] = value
            means[index] += value
    for index in range(pixels.size):
        means[index] /= max(measured, 1)
        for position in range(scans.size):
            if scans[position] >= 0:
                result[index, position] -= np.float32(means[index])
