"""Soft particles: blurred blobs of the radial form of atoms, slightly elongated."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.recipes import RecipePart
from crewe.recipes.ranges import Count, Length, Level, Share, draw_many
from crewe.simulation.low_resolution.positions import draw_positions

Array = NDArray[np.float64]
Image = NDArray[np.float32]

REACH = 6.0
"""Blobs end at so many radii, where the exponential has fallen to 0.25 % of its height."""
NODES = 768
_RADIUS = np.linspace(0, REACH, NODES + 1)
_GAUSSIAN = np.exp(-0.5 * _RADIUS**2)
_EXPONENTIAL = np.exp(-_RADIUS)
_LOGARITHM = np.log(np.maximum(_RADIUS, 1e-9))


class SoftParticles(RecipePart):
    """Ranges of soft particles. Number, elongation, heights h and power: the paper's."""

    number: Count = {"integers": [15, 85]}
    radius_fraction: Length = {"log_uniform": [0.008, 0.08]}
    """Radius rᵐ typical of an image, as a fraction of its smaller side; ours."""
    radius_spread: Length = [0.5, 1.5]
    """Radius of a particle as a multiple of the typical one; ours."""
    elongation: Length = [0.8, 1.2]
    intensity: Level = [0.2, 1.0]
    """Height of a particle; ours."""
    height: Level = [0.5, 1.0]
    """Weights h₁, h₂ and h₃ of the Gaussian, exponential and Butterworth parts."""
    power: Length = [4.0, 16.0]
    minimum_distance_px: Level = [1.0, 20.0]
    margin: Share = 0.1
    """How far beyond the image particles are placed, as a fraction of the smaller side."""


def soft_particles_image(
    part: SoftParticles, shape: tuple[int, int], rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Draw soft particles at random places: the asymmetric form of the paper's equation 17.

    Returns the image and the facts `number` and `radius_px` (the typical radius).
    doi:10.1038/s41524-023-01188-0
    """
    centres = draw_positions(part, shape, rng)
    number = len(centres)
    typical = part.draw("radius_fraction", rng) * min(shape)
    radii = typical * draw_many(part, "radius_spread", number, rng)
    radii_y = radii * draw_many(part, "elongation", number, rng)
    angles = rng.uniform(0, np.pi, number)
    heights = draw_many(part, "height", 3 * number, rng).reshape(number, 3)
    levels = draw_many(part, "intensity", number, rng)
    heights *= (levels / np.maximum(heights.sum(1), 1e-12))[:, None]
    image = np.zeros(shape, np.float32)
    blobs = np.column_stack(
        [centres, radii, radii_y, angles, draw_many(part, "power", number, rng)]
    )
    add_blobs(image, blobs, heights)
    return image, {"number": number, "radius_px": typical}


@njit(cache=True, nogil=True)
def _profile(heights: Array, power: float) -> Array:
    """Equation 17 against radius, lowered to end at zero."""
    values = np.empty(NODES + 2)
    for k in range(NODES + 1):
        butterworth = 1 / (1 + np.exp(min(2 * power * _LOGARITHM[k], 600.0)))
        values[k] = (
            heights[0] * _GAUSSIAN[k] + heights[1] * _EXPONENTIAL[k] + heights[2] * butterworth
        )
    values -= values[NODES]
    values[NODES + 1] = 0.0
    return values


@njit(cache=True, nogil=True)
def add_blobs(image: Image, blobs: Array, heights: Array) -> None:
    """Add blobs to an image: rows (y, x, radius along x′, radius along y′, angle, power).

    x′ is turned by `angle` radians from x towards y; `heights` (N, 3) are h₁, h₂, h₃.
    Lengths are in pixels. Between the nodes of its table the profile is linear.
    """
    rows, columns = image.shape
    for n in range(len(blobs)):
        y, x, radius_x, radius_y, angle, power = blobs[n]
        profile = _profile(heights[n], power)
        cosine, sine = np.cos(angle), np.sin(angle)
        half_y = REACH * np.hypot(radius_x * sine, radius_y * cosine)
        half_x = REACH * np.hypot(radius_x * cosine, radius_y * sine)
        step_u, step_v = cosine / radius_x, -sine / radius_y
        scale = NODES / REACH
        for i in range(
            max(0, int(np.ceil(y - half_y))), min(rows - 1, int(np.floor(y + half_y))) + 1
        ):
            dy = i - y
            for j in range(
                max(0, int(np.ceil(x - half_x))), min(columns - 1, int(np.floor(x + half_x))) + 1
            ):
                u = dy * sine / radius_x + (j - x) * step_u
                v = dy * cosine / radius_y + (j - x) * step_v
                node = scale * np.sqrt(u * u + v * v)
                if node < NODES:
                    k = int(node)
                    share = node - k
                    image[i, j] += np.float32(profile[k] + share * (profile[k + 1] - profile[k]))
