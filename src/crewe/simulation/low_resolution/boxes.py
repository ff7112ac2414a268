"""Boxes: rectangles, upright or turned, as of lamellae, pillars and devices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from crewe.recipes import RecipePart
from crewe.recipes.ranges import Count, Length, Level, Share, draw_many
from crewe.simulation.low_resolution.planes import tilted_planes
from crewe.simulation.low_resolution.polygons import add_polygons
from crewe.simulation.low_resolution.positions import draw_positions

Array = NDArray[np.float64]
Image = NDArray[np.float32]


class Boxes(RecipePart):
    """Ranges of boxes; the paper names the kind and gives no numbers."""

    number: Count = {"integers": [1, 15]}
    side_fraction: Length = {"log_uniform": [0.03, 0.4]}
    """Each side as a fraction of the smaller side of the image."""
    upright_probability: float = Field(default=0.5, ge=0, le=1)
    """Probability that all boxes of an image stand upright; else each is turned by itself."""
    intensity: Level = [0.2, 1.0]
    """Intensity at the centre of a box."""
    tilt: Share = [0.0, 0.9]
    """How far the plane rises and falls over the box, relative to the centre."""
    minimum_distance_px: Level = [1.0, 20.0]
    margin: Share = 0.1
    """How far beyond the image boxes are placed, as a fraction of the smaller side."""


def boxes_image(
    part: Boxes, shape: tuple[int, int], rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Draw rectangles at random places, each under its own plane of intensity.

    Returns the image and the facts `number` and `upright`.
    """
    centres = draw_positions(part, shape, rng)
    number = len(centres)
    sides = min(shape) * draw_many(part, "side_fraction", 2 * number, rng).reshape(number, 2)
    upright = part.chance("upright_probability", rng)
    angles = np.zeros(number) if upright else rng.uniform(0, np.pi, number)
    levels, tilts = draw_many(part, "intensity", number, rng), draw_many(part, "tilt", number, rng)
    planes = tilted_planes(centres, 0.5 * np.hypot(*sides.T), levels, tilts, rng)
    image = np.zeros(shape, np.float32)
    outlines = rectangle_outlines(centres, sides, angles).reshape(-1, 2)
    add_polygons(image, outlines, 4 * np.arange(number + 1), planes)
    return image, {"number": number, "upright": upright}


def rectangle_outlines(centres: Array, sides: Array, angles: Array) -> Array:
    """Return the corners (N, 4, 2) as (y, x) of rectangles with sides (N, 2) along y′ and x′.

    x′ is turned by `angle` radians from x towards y.
    """
    signs = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]])
    corners = signs * sides[:, None, :]
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    v, u = corners[..., 0], corners[..., 1]
    return centres[:, None, :] + np.stack([u * sine + v * cosine, u * cosine - v * sine], axis=-1)
