"""Bands: parallel stripes across the whole image, as of twins, layers or domains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.recipes import RecipePart
from crewe.recipes.ranges import Count, Length, Level, Share, draw_many
from crewe.simulation.low_resolution.planes import tilted_planes
from crewe.simulation.low_resolution.polygons import add_polygons

Array = NDArray[np.float64]
Image = NDArray[np.float32]


class Bands(RecipePart):
    """Ranges of bands; the paper names the kind and gives no numbers."""

    number: Count = {"integers": [1, 10]}
    width_fraction: Length = {"log_uniform": [0.02, 0.3]}
    """Width typical of an image, as a fraction of its smaller side."""
    width_spread: Length = [0.5, 1.5]
    """Width of a band as a multiple of the typical one."""
    intensity: Level = [0.2, 1.0]
    """Intensity in the middle of a band."""
    tilt: Share = [0.0, 0.9]
    """How far the intensity rises and falls from the middle to the edges of a band or, along
    the band, from the middle to the ends of the image, relative to the middle."""


def bands_image(
    part: Bands, shape: tuple[int, int], rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Draw stripes of one random direction at random places; where they overlap they add up.

    Returns the image and the facts `number`, `angle_deg` (of the stripes, from x towards y) and
    `width_px` (the typical width).
    """
    number = part.draw("number", rng)
    angle = rng.uniform(0, np.pi)
    typical = part.draw("width_fraction", rng) * min(shape)
    widths = typical * draw_many(part, "width_spread", number, rng)
    reach = 0.5 * np.hypot(*shape)
    offsets = rng.uniform(-reach, reach, number)
    levels = draw_many(part, "intensity", number, rng)
    tilts = draw_many(part, "tilt", number, rng)
    outlines, centres = stripe_outlines(shape, angle, offsets, widths)
    planes = _planes_across_or_along(centres, widths, reach, angle, levels, tilts, rng)
    image = np.zeros(shape, np.float32)
    add_polygons(image, outlines.reshape(-1, 2), 4 * np.arange(number + 1), planes)
    return image, {"number": number, "angle_deg": float(np.rad2deg(angle)), "width_px": typical}


def stripe_outlines(
    shape: tuple[int, int], angle: float, offsets: Array, widths: Array
) -> tuple[Array, Array]:
    """Return the corners (N, 4, 2) of stripes longer than the image and their middles (N, 2).

    A stripe runs along `angle` (radians from x towards y); its offset is its distance from the
    middle of the image in pixels. Corners are (y, x).
    """
    along = np.array([np.sin(angle), np.cos(angle)]) * np.hypot(*shape)
    across = np.array([np.cos(angle), -np.sin(angle)])
    middle = 0.5 * (np.array(shape) - 1)
    centres = middle + offsets[:, None] * across
    half = 0.5 * widths[:, None] * across
    near, far = centres - half, centres + half
    corners = np.stack([near - along, far - along, far + along, near + along], axis=1)
    return corners, centres


def _planes_across_or_along(
    centres: Array,
    widths: Array,
    reach: float,
    angle: float,
    levels: Array,
    tilts: Array,
    rng: Generator,
) -> Array:
    """Let the intensity change across each band or, as often, along it."""
    planes = tilted_planes(centres, widths, levels, tilts, rng)
    across = rng.random(len(levels)) < 0.5
    sign = rng.choice([-1.0, 1.0], len(levels))
    slope = sign * levels * tilts / np.where(across, 0.5 * widths, reach)
    planes[:, 3] = slope * np.where(across, np.cos(angle), np.sin(angle))
    planes[:, 4] = slope * np.where(across, -np.sin(angle), np.cos(angle))
    return planes
