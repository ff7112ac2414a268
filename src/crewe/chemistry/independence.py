"""How many pixels of a map say the same thing twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

WIDEST_PX = 24
NEGLIGIBLE = 0.05
"""Correlation below which pixels count as independent."""
FEWEST_PAIRS = 30
LEVEL = 1.12
"""Rise of the spread, when the distance grows by half, that counts as none."""


def pixels_per_value(image: Array) -> float:
    """Area in pixels over which the small differences of a map (y, x) are correlated; 1 or more.

    The sum of the correlation over all shifts; n pixels are worth n over it. The correlation is
    read off the median absolute difference of pixels so many apart (a variogram), up to 24 pixels:
    steps between wide regions of different composition concern few pairs, and do not count. NaN
    is left out. A map without any differences, or too small to tell, returns the whole area that
    was looked at.
    """
    widest = min(WIDEST_PX, max(min(image.shape) // 3, 1))
    spread = np.array([_spread(image, lag) for lag in range(1, widest + 1)])
    level = _level(spread)
    if not level > 0:
        return float(np.pi * widest**2)
    correlation = np.clip(1 - spread / level, 0.0, 1.0)
    small = np.flatnonzero(~(correlation >= NEGLIGIBLE))
    end = int(small[0]) if small.size else widest
    lags = np.arange(1, end + 1)
    return float(1 + np.sum(2 * np.pi * lags * correlation[:end]))


def _spread(image: Array, lag: int) -> float:
    """Robust variance of the difference of pixels a lag apart along y and x; NaN for too few."""
    differences = np.concatenate(
        [(image[lag:] - image[:-lag]).ravel(), (image[:, lag:] - image[:, :-lag]).ravel()]
    )
    differences = differences[np.isfinite(differences)]
    if differences.size < FEWEST_PAIRS:
        return float("nan")
    return float(np.median(np.abs(differences))) ** 2


def _level(spread: Array) -> float:
    """Spread of pixels that are far enough apart, yet mostly in one region: where it levels off."""
    for lag in range(1, 2 * spread.size // 3):
        near, far = spread[lag - 1], spread[lag - 1 + max(lag // 2, 2)]
        if 0 < far <= LEVEL * near:
            return float(far)
    return float(spread[-1])
