"""Cramér–Rao bound of equal Gaussian columns under Poisson noise, written without crewe.

Parameters are x, y and height of every column, one common width and one background; equations 2.26
to 2.29 of T. Friedrich, PhD thesis, University of Antwerp 2023.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import inv
from scipy.sparse import coo_array

REACH = 5.0
"""Peaks are drawn out to this many widths."""


@dataclass(frozen=True)
class Model:
    """Columns as a fit of the noise-free image gives them."""

    x: np.ndarray
    """Å."""
    y: np.ndarray
    """Å."""
    height: np.ndarray
    """Fractions of the beam."""
    width: float
    """Å."""
    background: float
    """Fraction of the beam."""
    pixel_size: float
    """Å."""
    pixels: int


def cramer_rao(model: Model, dose: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest standard deviations of x in Å and of SCS in Å² of every column."""
    number = model.x.size
    jacobian, expected = _derivatives(model)
    weights = dose * model.pixel_size**2 / expected
    covariance = inv((jacobian.T @ (jacobian * weights[:, None])).toarray())
    variances = np.diag(covariance)
    heights = np.arange(2 * number, 3 * number)
    by_height, by_width = 2 * np.pi * model.width**2, 4 * np.pi * model.height * model.width
    scs = by_height**2 * variances[heights] + by_width**2 * variances[3 * number]
    scs = scs + 2 * by_height * by_width * covariance[heights, 3 * number]
    return np.sqrt(variances[:number]), np.sqrt(scs)


def _derivatives(model: Model) -> tuple[coo_array, np.ndarray]:
    """Return derivatives (pixel, parameter) of the mean image, and that image, flat."""
    number, size = model.x.size, model.pixels
    expected = np.full(size * size, model.background)
    where, which, values = (
        [np.arange(size**2)],
        [np.full(size**2, 3 * number + 1)],
        [np.ones(size**2)],
    )
    for n, (x, y, height) in enumerate(zip(model.x, model.y, model.height, strict=True)):
        pixel, away_x, away_y = _around(model, x, y)
        unit = np.exp(-(away_x**2 + away_y**2) / (2 * model.width**2))
        expected[pixel] += height * unit
        slopes = (
            height * unit * away_x / model.width**2,
            height * unit * away_y / model.width**2,
            unit,
            height * unit * (away_x**2 + away_y**2) / model.width**3,
        )
        for slope, parameter in zip(
            slopes, (n, number + n, 2 * number + n, 3 * number), strict=True
        ):
            where.append(pixel)
            which.append(np.full(pixel.size, parameter))
            values.append(slope)
    joined = (np.concatenate(values), (np.concatenate(where), np.concatenate(which)))
    return coo_array(joined, shape=(size**2, 3 * number + 2)).tocsr(), expected


def _around(model: Model, x: float, y: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pixels near a column and how far they lie from it along x and y."""
    reach = REACH * model.width
    ranges = [
        np.arange(
            max(0, int((centre - reach) / model.pixel_size)),
            min(model.pixels, int((centre + reach) / model.pixel_size) + 2),
        )
        for centre in (y, x)
    ]
    row, column = (axis.ravel() for axis in np.meshgrid(*ranges, indexing="ij"))
    return (
        row * model.pixels + column,
        column * model.pixel_size - x,
        row * model.pixel_size - y,
    )
