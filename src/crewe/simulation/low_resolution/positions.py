"""Where objects stand: random points in a box around the image, seen from above."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]

DENSEST = 0.2
"""Share of the box that spheres as wide as the smallest distance may fill; beyond about 0.3
random placing takes forever."""


def scattered_positions(
    number: int, shape: tuple[int, int], margin: float, distance: float, rng: Generator
) -> Array:
    """Scatter points in three dimensions and look at them along the beam.

    The box is as high as the larger side of the image and reaches beyond the image on all four
    sides by `margin` times the smaller side, so that objects are cut by the edge of the image
    as often as in a real one. No two points are nearer than `distance` pixels in the box; in
    projection they may be. Where so many points cannot keep that distance it is shortened.
    Returns (number, 2) as (y, x) in pixels. Paper: doi:10.1038/s41524-023-01188-0.
    """
    beyond = margin * min(shape)
    size = np.array([shape[0] + 2 * beyond, shape[1] + 2 * beyond, float(max(shape))])
    feasible = np.cbrt(DENSEST * size.prod() * 6 / (np.pi * max(number, 1)))
    nearest = min(distance, feasible)
    points = np.empty((number, 3))
    placed = 0
    while placed < number:
        candidates = rng.random((number - placed, 3)) * size
        placed = _place(points, placed, candidates, nearest * nearest)
    return points[:, :2] - beyond - 0.5


@njit(cache=True, nogil=True)
def _place(points: Array, placed: int, candidates: Array, nearest2: float) -> int:
    for candidate in candidates:
        free = True
        for k in range(placed):
            dy, dx, dz = candidate - points[k]
            if dy * dy + dx * dx + dz * dz < nearest2:
                free = False
                break
        if free:
            points[placed] = candidate
            placed += 1
    return placed
