"""Sum and first moments of the electrons at each probe position, without making patterns."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.sources import Events


def event_moments(events: Events) -> tuple[int, NDArray[np.float64]]:
    """Return the first position with electrons, and Σ 1, Σ ky, Σ kx (position, 3) from there on."""
    if events.positions.size == 0:
        return 0, np.zeros((0, 3))
    first, last = _range(events.positions)
    moments = np.zeros((last - first + 1, 3))
    _gather(events.positions, events.pixels, events.detector_shape[1], first, moments)
    return int(first), moments


@njit(cache=True, nogil=True)
def _range(positions: NDArray[np.int64]) -> tuple[int, int]:
    first = positions[0]
    last = positions[0]
    for index in range(positions.size):
        first = min(first, positions[index])
        last = max(last, positions[index])
    return first, last


@njit(cache=True, nogil=True)
def _gather(
    positions: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    width: int,
    first: int,
    moments: NDArray[np.float64],
) -> None:
    # The half keeps the product clear of whole numbers, so that no row is missed by rounding;
    # Σ kx = Σ pixel − width·Σ ky saves the remainder.
    per_pixel = 1.0 / width
    index = 0
    while index < positions.size:
        position = positions[index]
        begin = index
        sum_y = np.int64(0)
        sum_pixel = np.int64(0)
        while index < positions.size and positions[index] == position:
            pixel = np.int64(pixels[index])
            sum_y += np.int64((pixel + 0.5) * per_pixel)
            sum_pixel += pixel
            index += 1
        here = position - first
        moments[here, 0] += index - begin
        moments[here, 1] += sum_y
        moments[here, 2] += sum_pixel - width * sum_y
