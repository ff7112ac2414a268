"""Types of columns told apart by their brightness."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from crewe.atoms.stamps import Array

NEIGHBOURS = 24
# A valley this much lower than the lower of the two hills beside it separates two types.
VALLEY = 0.3
LEAST_SHARE = 0.05


def relative_brightness(x: Array, y: Array, brightness: Array) -> Array:
    """Logarithm of each column's brightness over the geometric mean of its surroundings, (N,).

    Thickness and illumination vary slowly and drop out; the difference between elements stays.
    """
    count = min(NEIGHBOURS + 1, len(x))
    _, near = cKDTree(np.stack([x, y], axis=1)).query(np.stack([x, y], axis=1), k=count)
    level = np.log(np.maximum(brightness, 1e-3 * np.median(brightness)))
    return level - np.mean(level[near.reshape(len(x), count)], axis=1)


def brightness_types(
    x: Array, y: Array, brightness: Array, trusted: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Type of each column, 0 the brightest: the hills of the histogram of relative brightness.

    Only `trusted` columns shape the histogram; all are assigned. One type is returned unless
    the histogram has a deep valley with at least a twentieth of the columns on either side.
    """
    if trusted.sum() < 2 * NEIGHBOURS:
        return np.zeros(len(x), dtype=np.int64)
    value = relative_brightness(x, y, brightness)
    borders = _valleys(value[trusted])
    return len(borders) - np.searchsorted(borders, value)


def _valleys(value: Array) -> Array:
    low, high = np.percentile(value, [0.5, 99.5])
    if not high > low:
        return np.zeros(0)
    edges = np.linspace(low - 0.2 * (high - low), high + 0.2 * (high - low), 257)
    density, _ = np.histogram(value, edges)
    bandwidth = 0.9 * len(value) ** -0.2 * _spread(value) / (edges[1] - edges[0])
    density = ndimage.gaussian_filter1d(density.astype(float), max(bandwidth, 1.5))
    hills = np.flatnonzero((density[1:-1] >= density[:-2]) & (density[1:-1] > density[2:])) + 1
    borders: list[float] = []
    left = hills[0] if len(hills) else 0
    for right in hills[1:]:
        floor = left + int(np.argmin(density[left : right + 1]))
        if density[floor] > VALLEY * min(density[left], density[right]):
            left = left if density[left] >= density[right] else right
            continue
        border = 0.5 * (edges[floor] + edges[floor + 1])
        start = borders[-1] if borders else -np.inf
        if min(np.mean((value > start) & (value <= border)), np.mean(value > border)) > LEAST_SHARE:
            borders.append(border)
        left = right
    return np.array(borders)


def _spread(value: Array) -> float:
    """Width of the sharpest hill rather than of the whole: half the shortest half of the data."""
    ordered = np.sort(value)
    half = len(ordered) // 2
    shortest = float(np.min(ordered[half:] - ordered[: len(ordered) - half]))
    return max(min(shortest / 1.35, float(np.std(value))), 1e-9)
