"""Sum and first moments of every pattern of a batch, at the speed of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.stem4d.flat_patterns import FlatPatterns


def frame_moments(patterns: NDArray[Any]) -> NDArray[np.float64]:
    """Return Σ I, Σ ky·I and Σ kx·I (frame, 3) of patterns (frame, ky, kx), in detector pixels.

    Sums of integers are exact: no order of addition, no thread and no batch can change them.
    """
    flat = FlatPatterns.of(patterns)
    moments = np.empty((flat.number, 3))
    if flat.values.dtype.kind == "f":
        _moments_of_floats(flat.values, flat.stride, *flat.shape, moments)
    else:
        sums = np.zeros(flat.shape[1], _sum_type(flat.values.dtype))
        _moments_of_counts(flat.values, flat.stride, *flat.shape, flat.swapped, sums, moments)
    if flat.upside_down:
        moments[:, 1] = (flat.shape[0] - 1) * moments[:, 0] - moments[:, 1]
    return moments


def _sum_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    # 32 bits hold the sum of 2^16 values of 16 bits, more than any row or column has.
    return np.dtype(f"{dtype.kind}{4 if dtype.itemsize < 4 else 8}")


@njit(cache=True, nogil=True)
def _moments_of_counts(
    values: NDArray[Any],
    stride: int,
    ky: int,
    kx: int,
    swapped: bool | None,
    columns: NDArray[Any],
    moments: NDArray[np.float64],
) -> None:
    wide = columns.dtype.type
    for frame in range(moments.shape[0]):
        columns[:] = 0
        total = np.int64(0)
        along_y = np.int64(0)
        for y in range(ky):
            begin = frame * stride + y * kx
            row = values[begin : begin + kx]
            in_row = wide(0)
            if swapped is None:
                for x in range(kx):
                    count = wide(row[x])
                    columns[x] += count
                    in_row += count
            else:
                for x in range(kx):
                    count = wide(np.uint16((row[x] >> 8) | (row[x] << 8)))
                    columns[x] += count
                    in_row += count
            total += np.int64(in_row)
            along_y += y * np.int64(in_row)
        along_x = np.int64(0)
        for x in range(kx):
            along_x += x * np.int64(columns[x])
        moments[frame, 0] = total
        moments[frame, 1] = along_y
        moments[frame, 2] = along_x


# Reassociation lets the sums of floats be vectorised; nothing depends on their last bit.
@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _moments_of_floats(
    values: NDArray[Any], stride: int, ky: int, kx: int, moments: NDArray[np.float64]
) -> None:
    columns = np.empty(kx)
    for frame in range(moments.shape[0]):
        columns[:] = 0
        total = 0.0
        along_y = 0.0
        for y in range(ky):
            begin = frame * stride + y * kx
            row = values[begin : begin + kx]
            in_row = 0.0
            for x in range(kx):
                columns[x] += row[x]
                in_row += row[x]
            total += in_row
            along_y += y * in_row
        along_x = 0.0
        for x in range(kx):
            along_x += x * columns[x]
        moments[frame, 0] = total
        moments[frame, 1] = along_y
        moments[frame, 2] = along_x
