"""Where a fitted image could hide one more column: the score test, pixel by pixel."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal
from scipy.spatial import cKDTree

from crewe.atoms.peaks import CUTOFF_WIDTHS, PEAK_CODES
from crewe.atoms.stamps import Array, Grid, Mask, draw

NORMAL_MEDIAN = 0.6745


def stamp(peak: str, width: float, grid: Grid) -> Array:
    """Peak of height 1 in the middle of an odd number of pixels, on the pixels of `grid`."""
    radius = CUTOFF_WIDTHS[peak] * width
    half_y = min(int(radius / grid.step_y) + 1, grid.rows)
    half_x = min(int(radius / grid.step_x) + 1, grid.columns)
    small = Grid(2 * half_y + 1, 2 * half_x + 1, grid.step_y, grid.step_x)
    terms = np.zeros((1, 7))
    terms[0, 0] = 1.0
    x, y = np.array([half_x * grid.step_x]), np.array([half_y * grid.step_y])
    return draw(small, x, y, np.array([width]), np.array([radius]), PEAK_CODES[peak], terms)


def score_map(residual: Array, weight: Array, peak: Array) -> tuple[Array, Array]:
    """Height over its standard error of a peak at each pixel, and that standard error, (y, x).

    All other columns are held where they are: s = Σ w·g·r / √Σ w·g² with the residual r and
    the inverse noise variance w. White noise as expected gives it a standard deviation of 1.
    """
    slope = signal.oaconvolve(weight * residual, peak[::-1, ::-1], mode="same")
    information = signal.oaconvolve(weight, np.square(peak[::-1, ::-1]), mode="same")
    error = 1 / np.sqrt(np.maximum(information, np.finfo(float).tiny))
    return slope * error, error


def excess_noise(score: Array, mask: Mask) -> float:
    """How much rougher the residual is than its noise allows, at the size of a column; ≥ 1."""
    return max(1.0, float(np.median(np.abs(score[mask]))) / NORMAL_MEDIAN)


def candidate_places(
    score: Array, mask: Mask, grid: Grid, apart: float, least: float, taken: Array
) -> Array:
    """Maxima of the score above `least`, strongest first, as (n, 2) of (x, y) in lengths.

    They lie inside `mask` and at least `apart` from one another and from the places `taken` (m, 2).
    """
    top = score == ndimage.maximum_filter(score, footprint=_disc(apart, grid), mode="nearest")
    rows, columns = np.nonzero(top & mask & (score > least))
    places = np.stack([columns * grid.step_x, rows * grid.step_y], axis=1)
    if len(taken) and len(places):
        distance, _ = cKDTree(taken).query(places)
        free = distance > apart
        places, rows, columns = places[free], rows[free], columns[free]
    return places[np.argsort(-score[rows, columns], kind="stable")]


def _disc(radius: float, grid: Grid) -> NDArray[np.bool_]:
    half_y, half_x = int(radius / grid.step_y), int(radius / grid.step_x)
    y = np.arange(-half_y, half_y + 1)[:, None] * grid.step_y
    x = np.arange(-half_x, half_x + 1)[None, :] * grid.step_x
    return np.hypot(y, x) <= radius
