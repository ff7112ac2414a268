"""The synthetic test: a square lattice of equal, statically displaced Gaussian columns.

Nothing here imports crewe, so that it can be judged by what it did not make.
"""

from dataclasses import dataclass

import numpy as np

SPACING = 1.96
SAMPLING = 0.15
WIDTH = 0.45
HEIGHT = 0.04
BACKGROUND = 0.01
STATIC_DISPLACEMENT = 0.05
REACH = 7.0
"""Peaks are drawn out to this many widths, where they are below 1e-10 of their height."""


@dataclass(frozen=True)
class Lattice:
    """The truth: where the columns are and what they scatter."""

    x: np.ndarray
    """Column positions in Å from the centre of pixel (0, 0), to the right."""
    y: np.ndarray
    """Column positions in Å from the centre of pixel (0, 0), downwards."""
    pixels: int
    """Edge of the square image."""

    @property
    def scs(self) -> float:
        """Scattering cross-section of every column, in Å² (equation 2.20 of the thesis)."""
        return 2 * np.pi * HEIGHT * WIDTH**2

    def inside(self, x: np.ndarray, y: np.ndarray, margin: float = 1.5) -> np.ndarray:
        """Return which positions lie at least `margin` spacings from the border of the image."""
        low, high = margin * SPACING, (self.pixels - 1) * SAMPLING - margin * SPACING
        return (x >= low) & (x <= high) & (y >= low) & (y <= high)


def square_lattice(pixels: int = 512, seed: int = 196) -> Lattice:
    """Return as many columns as fit half a spacing inside the image, 39 by 39 in 512 pixels."""
    edge = (pixels - 1) * SAMPLING
    per_side = int((edge - SPACING) // SPACING) + 1
    ideal = (np.arange(per_side) - (per_side - 1) / 2) * SPACING + edge / 2
    y, x = (axis.ravel() for axis in np.meshgrid(ideal, ideal, indexing="ij"))
    generator = np.random.default_rng(seed)
    shift_x, shift_y = generator.normal(0.0, STATIC_DISPLACEMENT, (2, x.size))
    return Lattice(x + shift_x, y + shift_y, pixels)


def stamp(centre_x: float, centre_y: float, pixels: int) -> tuple[slice, slice, np.ndarray]:
    """Return rows, columns and unit-height values of one peak, cut at the image border."""
    rows, y = _along(centre_y, pixels)
    columns, x = _along(centre_x, pixels)
    squared = (y[:, None] - centre_y) ** 2 + (x[None, :] - centre_x) ** 2
    return rows, columns, np.exp(-squared / (2 * WIDTH**2))


def _along(centre: float, pixels: int) -> tuple[slice, np.ndarray]:
    first = max(0, int(np.floor((centre - REACH * WIDTH) / SAMPLING)))
    last = min(pixels, int(np.ceil((centre + REACH * WIDTH) / SAMPLING)) + 1)
    return slice(first, last), np.arange(first, last) * SAMPLING


def expectation(lattice: Lattice) -> np.ndarray:
    """Return the noise-free image as a fraction of the beam."""
    image = np.full((lattice.pixels, lattice.pixels), BACKGROUND)
    for x, y in zip(lattice.x, lattice.y, strict=True):
        rows, columns, peak = stamp(x, y, lattice.pixels)
        image[rows, columns] += HEIGHT * peak
    return image


def electrons_per_pixel(dose: float) -> float:
    """Return the electrons that hit one pixel at a dose in e/Å²."""
    return dose * SAMPLING**2


def counts(mean_image: np.ndarray, dose: float, realisation: int) -> np.ndarray:
    """Return Poisson counts; every dose and realisation has a seed of its own."""
    generator = np.random.default_rng([round(dose), realisation])
    return generator.poisson(mean_image * electrons_per_pixel(dose)).astype(float)
