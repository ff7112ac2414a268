"""Where objects stand: random points in a box around the image, seen from above."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.recipes import RecipePart
from crewe.specimens.points import separate_points

Array = NDArray[np.float64]

DENSEST = 0.15
"""Share of the box that spheres as wide as the smallest distance may fill; random placing
slows down beyond and jams at 0.38."""


def draw_positions(part: RecipePart, shape: tuple[int, int], rng: Generator) -> Array:
    """Scatter the `number` of objects of a part at its `minimum_distance_px` and `margin`."""
    number, margin = part.draw("number", rng), part.draw("margin", rng)
    return scattered_positions(number, shape, margin, part.draw("minimum_distance_px", rng), rng)


def scattered_positions(
    number: int, shape: tuple[int, int], margin: float, distance: float, rng: Generator
) -> Array:
    """Scatter points in three dimensions and look at them along the beam.

    The box is as high as the larger side of the image and reaches beyond the image on all four
    sides by `margin` times the smaller side, so that objects are cut by the edge of the image
    as often as in a real one. No two points are nearer than `distance` pixels in the box; in
    projection they may be. Where so many points cannot keep that distance it is shortened.
    Returns (number, 2) as (y, x) in pixels, hardly ever fewer.
    Paper: doi:10.1038/s41524-023-01188-0, "Specimen generation".
    """
    beyond = margin * min(shape)
    lengths = (shape[0] + 2 * beyond, shape[1] + 2 * beyond, float(max(shape)))
    feasible = np.cbrt(DENSEST * np.prod(lengths) * 6 / (np.pi * max(number, 1)))
    points = separate_points(number, lengths, min(distance, feasible), rng, tries_per_point=100)
    return points.positions[:, :2] - beyond - 0.5
