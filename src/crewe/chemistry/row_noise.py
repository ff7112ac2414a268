"""Noise of an image from neighbours in its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MEDIAN_OF_NORMAL = 0.6745
"""Median of the absolute value of a normal variable of variance 1."""


def row_noise(image: NDArray[np.floating[Any]], *, skip_flat: bool = False) -> float:
    """Return the standard deviation of white noise on an image (y, x), in its unit.

    It is the median size of second differences along the rows, v − (left + right)/2, whose
    variance is 3/2 of a pixel's; edges are outliers that the median passes over. `skip_flat` leaves
    differences of exactly zero out, as of what was set to a constant. 0 where none is left.
    """
    second = image[:, 1:-1] - 0.5 * (image[:, 2:] + image[:, :-2])
    known = second[second != 0] if skip_flat else second
    if known.size == 0:
        return 0.0
    return float(np.median(np.abs(known)) / _MEDIAN_OF_NORMAL / np.sqrt(1.5))
