"""Planes of positive intensity that keep objects from looking flat."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]


def tilted_planes(
    centres: Array, radii: Array, levels: Array, tilts: Array, rng: Generator
) -> Array:
    """Give each object a plane of intensity of random direction.

    Returns rows (level, y, x, slope_y, slope_x) as `polygons.add_polygon` takes them. Around
    its centre (y, x) a plane has its `level`; at the distance `radius` it is higher or lower by
    `level × tilt`, so with a tilt up to 1 it is nowhere negative on the object.
    """
    angles = rng.uniform(0, 2 * np.pi, len(levels))
    slopes = levels * tilts / np.maximum(radii, 0.5)
    return np.column_stack([levels, centres, slopes * np.sin(angles), slopes * np.cos(angles)])
