"""Labels that are drawn around known positions: discs and Gaussians."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.errors import RecipeError


def circular_mask(
    positions: NDArray[np.floating],
    shape: tuple[int, int],
    pixel_size_angstrom: float,
    diameter_angstrom: float,
) -> NDArray[np.uint8]:
    """Mark the pixels whose centre lies within a disc around a position.

    `positions` (n, 2) in Å, y before x, from the centre of pixel (0, 0); a disc smaller than a
    pixel still marks the pixel nearest to its centre. Returns 0 and 1.
    """
    mask = np.zeros(shape, np.uint8)
    radius = _in_pixels(diameter_angstrom, pixel_size_angstrom) / 2
    _stamp_discs(mask, _pixels(positions, pixel_size_angstrom), radius)
    return mask


def gaussian_mask(
    positions: NDArray[np.floating],
    shape: tuple[int, int],
    pixel_size_angstrom: float,
    width_angstrom: float = 0.2,
) -> NDArray[np.float32]:
    """Draw a Gaussian of height one and standard deviation `width_angstrom` at each position.

    Where two overlap the higher counts, so that a maximum stays at each position. `positions`
    (n, 2) in Å, y before x. The width is that of R. Lin et al., Sci. Rep. 11, 5386 (2021),
    DOI 10.1038/s41598-021-84499-w.
    """
    mask = np.zeros(shape, np.float32)
    width = _in_pixels(width_angstrom, pixel_size_angstrom)
    _stamp_gaussians(mask, _pixels(positions, pixel_size_angstrom), width)
    return mask


def _pixels(positions: NDArray[np.floating], pixel_size: float) -> NDArray[np.float64]:
    return np.ascontiguousarray(positions, np.float64).reshape(-1, 2) / pixel_size


def _in_pixels(length: float, pixel_size: float) -> float:
    if not (pixel_size > 0 and 0 < length / pixel_size < math.inf):
        raise RecipeError(
            f"a mask of {length} Å on pixels of {pixel_size} Å: give two positive lengths"
        )
    return length / pixel_size


@njit(cache=True, nogil=True)
def _stamp_discs(mask: NDArray[np.uint8], positions: NDArray[np.float64], radius: float) -> None:
    reach = math.ceil(radius)
    ny, nx = mask.shape
    for y0, x0 in positions:
        row, column = math.floor(y0 + 0.5), math.floor(x0 + 0.5)
        for i in range(max(row - reach, 0), min(row + reach + 1, ny)):
            for j in range(max(column - reach, 0), min(column + reach + 1, nx)):
                inside = (i - y0) ** 2 + (j - x0) ** 2 <= radius**2
                if inside or (i == row and j == column):
                    mask[i, j] = 1


@njit(cache=True, nogil=True)
def _stamp_gaussians(
    mask: NDArray[np.float32], positions: NDArray[np.float64], width: float
) -> None:
    reach = math.ceil(5 * width) + 1
    ny, nx = mask.shape
    weights = np.empty(2 * reach + 1, np.float64)
    for y0, x0 in positions:
        row, column = math.floor(y0 + 0.5), math.floor(x0 + 0.5)
        for j in range(-reach, reach + 1):
            weights[j + reach] = math.exp(-((column + j - x0) ** 2) / (2 * width**2))
        for i in range(max(row - reach, 0), min(row + reach + 1, ny)):
            height = math.exp(-((i - y0) ** 2) / (2 * width**2))
            for j in range(max(column - reach, 0), min(column + reach + 1, nx)):
                value = height * weights[j - column + reach]
                if value > mask[i, j]:
                    mask[i, j] = value
