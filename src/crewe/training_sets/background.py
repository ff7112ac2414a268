"""Smooth patterns under an atomic image: support, thickness, contamination, stray light."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from crewe.recipes import RecipePart
from crewe.recipes.ranges import Count, Length, Level

Image = NDArray[np.float32]


class Background(RecipePart):
    """Low-frequency backgrounds, linear and not, in units of the brightest specimen pixel.

    R. Lin et al., Sci. Rep. 11, 5386 (2021), DOI 10.1038/s41598-021-84499-w, name the patterns
    and give no ranges; these are ours.
    """

    level: Level = [0.0, 0.3]
    """Constant part."""
    plane_probability: float = Field(0.5, ge=0, le=1)
    plane_height: Level = [0.05, 0.5]
    """Rise of a plane of any direction over the field."""
    hills_probability: float = Field(0.5, ge=0, le=1)
    hills: Count = {"integers": [1, 4]}
    """Number of Gaussian hills."""
    hill_height: Level = [0.05, 0.6]
    hill_width: Length = [0.15, 0.6]
    """Standard deviation of a hill, as a fraction of the field."""
    waves_probability: float = Field(0.3, ge=0, le=1)
    waves: Count = {"integers": [1, 6]}
    """Number of plane waves with random direction and phase."""
    wave_height: Level = [0.02, 0.15]
    wave_length: Length = [0.3, 2.0]
    """Length of a wave, as a fraction of the field."""


def background(part: Background, shape: tuple[int, int], rng: Generator) -> Image:
    """Draw a background image that is nowhere negative."""
    y, x = (np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in shape)
    image = np.full(shape, part.draw("level", rng), np.float32)
    if part.chance("plane_probability", rng):
        image += _plane(y, x, part, rng)
    if part.chance("hills_probability", rng):
        for _ in range(part.draw("hills", rng)):
            image += _hill(y, x, part, rng)
    if part.chance("waves_probability", rng):
        for _ in range(part.draw("waves", rng)):
            image += _wave(y, x, part, rng)
    return image


def _plane(y: Image, x: Image, part: Background, rng: Generator) -> Image:
    angle = rng.uniform(0, 2 * np.pi)
    slope_y, slope_x = np.float32(np.sin(angle)), np.float32(np.cos(angle))
    rise = slope_y * y[:, None] + slope_x * x
    lowest = (abs(slope_y) + abs(slope_x)) / 2
    return part.draw("plane_height", rng) * (rise + lowest) / (2 * lowest)


def _hill(y: Image, x: Image, part: Background, rng: Generator) -> Image:
    centre_y, centre_x = rng.uniform(-0.6, 0.6, 2)
    width = part.draw("hill_width", rng)
    across = [
        np.exp(-((axis - c) ** 2) / (2 * width**2)) for axis, c in ((y, centre_y), (x, centre_x))
    ]
    return part.draw("hill_height", rng) * np.outer(*across).astype(np.float32)


def _wave(y: Image, x: Image, part: Background, rng: Generator) -> Image:
    angle, phase = rng.uniform(0, 2 * np.pi, 2)
    k = 2 * np.pi / part.draw("wave_length", rng)
    rows, columns = np.exp(1j * (k * np.sin(angle) * y + phase)), np.exp(1j * k * np.cos(angle) * x)
    wave = np.outer(rows.real, columns.real) - np.outer(rows.imag, columns.imag)
    return part.draw("wave_height", rng) * (1 + wave).astype(np.float32)
