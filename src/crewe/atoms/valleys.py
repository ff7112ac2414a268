"""Where an image shows its background: the valleys between columns, and smooth surfaces there."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import RectBivariateSpline
from scipy.spatial import cKDTree

from crewe.atoms.stamps import Array, Grid, Mask

# Of the distance from the nearest column at the deepest place of a valley: further out there are
# too few pixels, whose noise would pass into the background, and further in the tails rule.
VALLEY_SHARE = 0.75
# Smoothing kernels: standard deviation of a Gaussian whose full width at half maximum is 1.
SIGMA_PER_WIDTH = 1 / (2 * np.sqrt(2 * np.log(2)))
REACH_SIGMAS = 4.0


class Samples(NamedTuple):
    """Levels (n,) of the background at places (n, 2) of (x, y), and how many pixels each has."""

    places: Array
    levels: Array
    pixels: Array


def column_spacing(points: Array) -> float:
    """Median distance (N, 2) to the nearest neighbour; infinite for one column."""
    if len(points) < 2:
        return float("inf")
    distance, _ = cKDTree(points).query(points, k=2)
    return float(np.median(distance[:, 1]))


def valley_mask(points: Array, grid: Grid, spacing: float) -> Mask:
    """Pixels that lie as far from all columns (N, 2) of (x, y) as any around them, (y, x).

    Chosen by the places of the columns alone. A choice of the lowest pixels would choose the
    noise that lowered them: the mean of the least of n normal pixels lies 1.5 σ (n = 9) to 2.5 σ
    (n = 100) below their mean. Beyond one and a half spacings all is valley.
    """
    y, x = np.mgrid[: grid.rows, : grid.columns]
    pixels = np.stack([x.ravel() * grid.step_x, y.ravel() * grid.step_y], axis=1)
    distance, _ = cKDTree(points).query(pixels)
    distance = distance.reshape(grid.rows, grid.columns)
    size = [max(3, 2 * int(spacing / step / 2) + 1) for step in (grid.step_y, grid.step_x)]
    deepest = ndimage.maximum_filter(distance, size, mode="nearest")
    return distance >= np.minimum(VALLEY_SHARE * deepest, 1.5 * spacing)


def samples_of(values: Array, mask: Mask, grid: Grid, tile: float) -> Samples:
    """Mean values and places of the masked pixels in tiles of edge `tile`."""
    row, column = np.nonzero(mask)
    x, y = column * grid.step_x, row * grid.step_y
    across = int(grid.columns * grid.step_x / tile) + 1
    number = (y / tile).astype(int) * across + (x / tile).astype(int)
    _, number = np.unique(number, return_inverse=True)
    pixels = np.bincount(number).astype(float)
    sums = [np.bincount(number, part) for part in (x, y, values[row, column])]
    return Samples(np.stack(sums[:2], axis=1) / pixels[:, None], sums[2] / pixels, pixels)


def polynomial_surface(samples: Samples, grid: Grid, order: int) -> Array:
    """Least-squares polynomial of total degree `order` through the samples, (y, x)."""
    span = np.array([grid.columns * grid.step_x, grid.rows * grid.step_y])
    design = _terms(samples.places / span - 0.5, order)
    root = np.sqrt(samples.pixels)
    coefficients = np.linalg.lstsq(design * root[:, None], samples.levels * root, rcond=None)[0]
    y, x = np.mgrid[: grid.rows, : grid.columns]
    pixels = np.stack([x.ravel() / grid.columns, y.ravel() / grid.rows], axis=1) - 0.5
    return (_terms(pixels, order) @ coefficients).reshape(grid.rows, grid.columns)


def smooth_surface(samples: Samples, grid: Grid, scale: float, order: int) -> Array:
    """Local polynomial of total degree `order` through the samples, (y, x).

    At each place the samples count as a Gaussian of full width `scale` says; where it holds too
    few for the polynomial, it is widened. Local regression after W. S. Cleveland and S. J.
    Devlin, J. Am. Stat. Assoc. 83 (1988) 596, doi:10.1080/01621459.1988.10478639: unlike a plain
    mean it follows slopes and, from order 2 on, curvature, also at the border.
    """
    sigma = scale * SIGMA_PER_WIDTH
    y, x = (_nodes(n, step, sigma) for n, step in (grid[::2], grid[1::2]))
    tree = cKDTree(samples.places)
    levels = np.array([[_local_level(samples, tree, (u, v), sigma, order) for u in x] for v in y])
    degree = 3
    spline = RectBivariateSpline(y, x, levels, kx=degree, ky=degree)
    rows, columns = np.arange(grid.rows), np.arange(grid.columns)
    return np.ascontiguousarray(spline(rows * grid.step_y, columns * grid.step_x))


def _nodes(pixels: int, step: float, sigma: float) -> Array:
    """Places along an axis, about two thirds of `sigma` apart, at least four."""
    length = (pixels - 1) * step
    return np.linspace(0.0, length, max(4, int(np.ceil(1.5 * length / sigma)) + 1))


def _local_level(
    samples: Samples, tree: cKDTree, place: tuple[float, float], sigma: float, order: int
) -> float:
    terms = (order + 1) * (order + 2) // 2
    least = min(3 * terms, len(samples.levels))
    for _ in range(12):
        near = np.array(tree.query_ball_point(place, REACH_SIGMAS * sigma), dtype=int)
        offset = (samples.places[near] - place) / sigma
        weight = samples.pixels[near] * np.exp(-0.5 * np.sum(offset**2, axis=1))
        if len(near) >= least and _effective(weight) >= min(2 * terms, least / 2):
            break
        sigma *= 1.4
    root = np.sqrt(weight)
    design = _terms(offset, order) * root[:, None]
    return float(np.linalg.lstsq(design, samples.levels[near] * root, rcond=1e-6)[0][0])


def _effective(weight: Array) -> float:
    """How many samples of equal weight would count as much."""
    return float(weight.sum() ** 2 / max(np.sum(weight**2), 1e-300))


def _terms(places: Array, order: int) -> NDArray[np.float64]:
    """Powers x^a·y^b with a + b ≤ order, the constant first, (n, terms)."""
    x, y = places.T
    powers = [(a, total - a) for total in range(order + 1) for a in range(total + 1)]
    return np.stack([x**a * y**b for a, b in powers], axis=1)
