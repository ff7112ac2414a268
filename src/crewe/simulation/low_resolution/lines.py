"""Draw lines of a width, with the soft edge of one pixel that sampling a sharp edge gives."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Image = NDArray[np.float32]


@njit(cache=True, nogil=True)
def cover_segment(
    coverage: Image, y0: float, x0: float, y1: float, x1: float, width: float, strength: float
) -> None:
    """Raise the coverage of pixels on a segment with round ends to that of the segment.

    The profile across is a box of `width` pixels smeared over one pixel, so that its integral
    is the width. Overlapping segments do not add up: the larger coverage stays.
    """
    rows, columns = coverage.shape
    reach = 0.5 * width + 0.5
    along_y, along_x = y1 - y0, x1 - x0
    length2 = along_y * along_y + along_x * along_x
    inverse = 1 / length2 if length2 > 0 else 0.0
    for i in range(
        max(0, int(np.ceil(min(y0, y1) - reach))),
        min(rows - 1, int(np.floor(max(y0, y1) + reach))) + 1,
    ):
        low, high = min(x0, x1) - reach, max(x0, x1) + reach
        if along_y * along_y > 1e-12 * length2:
            middle = x0 + (i - y0) * along_x / along_y
            half = reach * np.sqrt(length2) / abs(along_y)
            low, high = max(low, middle - half), min(high, middle + half)
        for j in range(max(0, int(np.ceil(low))), min(columns - 1, int(np.floor(high))) + 1):
            t = ((i - y0) * along_y + (j - x0) * along_x) * inverse
            t = min(max(t, 0.0), 1.0)
            distance = np.hypot(i - y0 - t * along_y, j - x0 - t * along_x)
            share = min(reach - distance, 1.0, width)
            if share * strength > coverage[i, j]:
                coverage[i, j] = np.float32(share * strength)


@njit(cache=True, nogil=True)
def cover_path(coverage: Image, path: Array, width: float, strength: float) -> None:
    """Raise the coverage along a path (N, 2) of points (y, x) in pixels."""
    for k in range(len(path) - 1):
        cover_segment(
            coverage, path[k, 0], path[k, 1], path[k + 1, 0], path[k + 1, 1], width, strength
        )
