"""Find every thickness curve whose steps fit the cross-sections about as well as the best one.

A comb that is one step in twenty denser fits nearly as well, so there are many summits, each
narrow: a grid finds them, a simplex climbs them. The grid is judged by how well the fractional
parts of t = mu⁻¹(SCS) point one way, C = mean of cos(2πt), which needs no trial of widths.
"""

from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.atoms.counting.comb import NOTHING, CrossSections, log_posterior, log_prior
from crewe.atoms.counting.thickness_curve import (
    CHANNELLING,
    COUNTING_WIDTH,
    CURVATURE,
    DEPTH,
    SIZE,
    WIDTH,
    Family,
    curve_means,
)
from crewe.atoms.stamps import Array

# The farthest that neighbouring cells of the grid are apart anywhere along the curve, in atoms.
CELL_ATOMS = 0.3
SUMMITS = 80
# Two curves that differ by less than this many atoms everywhere share a summit.
DISTINCT_ATOMS = 0.3
CHANNELLINGS = (0.35, 0.7, 1.1, 1.6)
DEPTHS = (4.5, 6.5, 9.5)
WIDEST = 0.45
MARKS = (0.1, 0.35, 0.65, 0.95)
"""Parts of the columns at whose cross-section curves are compared."""


def find_summits(family: Family, data: CrossSections) -> tuple[Array, Array]:
    """Curves (m, 7) at the summits of the posterior, the best first, and their log posterior."""
    cells = np.concatenate(list(_grid(family)))
    scores, starts = _screen(cells, family, data.values, data.weights, _marks(data))
    starts = starts[_distinct(scores, starts[:, 7:], SUMMITS)]
    reach = _first_steps(family, starts[:, :7])
    climbed = [
        climb(start, step, family, data, 500)
        for start, step in zip(starts[:, :7], reach, strict=True)
    ]
    heights = np.array([height for _, height in climbed])
    order = np.argsort(-heights)
    return np.array([curve for curve, _ in climbed])[order], heights[order]


def _grid(family: Family) -> Iterator[Array]:
    """Blocks of curves (n, 7) that cover the prior of size, curvature and channelling."""
    most = family.shape.size - 1
    spread = 2.5 * float(family.breadth[CURVATURE])
    bends_from, bends_to = (float(family.centre[CURVATURE]) + side * spread for side in (-1, 1))
    humps = [(0.0, float(family.centre[DEPTH]))]
    if family.breadth[CHANNELLING] > 0:
        humps += [(hump, float(np.log(depth))) for hump in CHANNELLINGS for depth in DEPTHS]
    for size, count in _sizes(family, most):
        # The middle of the curve is bent by c·G/8 atoms, with a library by c·G/4.
        reach = (bends_to - bends_from) * count / (4 if family.by_library else 8)
        n_bends = 1 + int(np.ceil(reach / CELL_ATOMS))
        bends = np.linspace(bends_from, bends_to, max(n_bends, 2))
        block = np.tile(family.centre, (len(bends) * len(humps), 1))
        block[:, SIZE] = size
        block[:, CURVATURE] = np.repeat(bends, len(humps))
        block[:, [CHANNELLING, DEPTH]] = np.tile(humps, (len(bends), 1))
        yield block


def _sizes(family: Family, most: int) -> Iterator[tuple[float, float]]:
    """First parameter of the curves of the grid and the atoms at the reference of each."""
    if not family.by_library:
        for count in np.arange(max(1.5, family.first + 0.5), most + 0.5, CELL_ATOMS):
            yield float(np.log(count)), float(count)
        return
    spread = 3.0 * float(family.breadth[SIZE])
    count = float(np.interp(np.exp(spread), family.shape, np.arange(most + 1)))
    steps = 1 + 2 * int(np.ceil(spread * count / CELL_ATOMS))
    for size in np.linspace(-spread, spread, steps):
        yield float(size), count


def _marks(data: CrossSections) -> Array:
    share = np.cumsum(data.weights) / data.weights.sum()
    return data.values[np.searchsorted(share, MARKS)]


@njit(cache=True, nogil=True)
def _screen(
    cells: Array, family: Family, values: Array, weights: Array, marks: Array
) -> tuple[Array, Array]:
    """Score (n,) of each cell; the cell with a width that suits it and its t at the marks."""
    scores = np.full(len(cells), NOTHING)
    starts = np.empty((len(cells), 7 + marks.size))
    means = np.empty(family.shape.size)
    n = weights.sum()
    for k in range(len(cells)):
        curve = cells[k]
        starts[k, :7] = curve
        last, _ = curve_means(curve, family.shape, family.by_library, means)
        if last <= family.first:
            continue
        cosine = max(_alignment(values, weights, means, family.first, last) / n, 1e-3)
        for j in range(marks.size):
            starts[k, 7 + j] = _thickness(marks[j], means, last)
        width = min(np.sqrt(-np.log(min(cosine, 0.999)) / (2 * np.pi**2)), WIDEST)
        starts[k, WIDTH] = np.log(width)
        starts[k, COUNTING_WIDTH] = np.log(width)
        # Best exponent of a von Mises density of that alignment, Mardia and Jupp (2000), 5.3.
        kappa = cosine * (2 - cosine**2) / (1 - min(cosine, 0.999) ** 2)
        gain = kappa * cosine - _log_bessel(kappa)
        scores[k] = n * gain + log_prior(starts[k, :7], family, means[1] - means[0])
    return scores, starts


@njit(cache=True, nogil=True)
def _thickness(value: float, means: Array, last: int) -> float:
    k = min(max(int(np.searchsorted(means[: last + 1], value)) - 1, 0), last - 1)
    return k + (value - means[k]) / (means[k + 1] - means[k])


@njit(cache=True, nogil=True)
def _alignment(values: Array, weights: Array, means: Array, first: int, last: int) -> float:
    """Sum of cos(2πt); a value far off either end of the curve counts as misaligned."""
    total = 0.0
    k = 0
    for i in range(values.size):
        while k < last - 1 and values[i] > means[k + 1]:
            k += 1
        t = k + (values[i] - means[k]) / (means[k + 1] - means[k])
        if t < first - 0.5 or t > last + 0.5:
            total -= weights[i]
        else:
            total += weights[i] * np.cos(2 * np.pi * t)
    return total


@njit(cache=True, nogil=True)
def _log_bessel(x: float) -> float:
    """Logarithm of the modified Bessel function I0 (Abramowitz and Stegun 9.8.1, 9.8.2)."""
    if x < 3.75:
        y = (x / 3.75) ** 2
        series = 0.2659732 + y * (0.0360768 + y * 0.0045813)
        series = 3.5156229 + y * (3.0899424 + y * (1.2067492 + y * series))
        return float(np.log(1 + y * series))
    y = 3.75 / x
    return float(x - 0.5 * np.log(x) + np.log(0.39894228 + y * (0.01328592 + y * 0.00225319)))


@njit(cache=True, nogil=True)
def _distinct(scores: Array, marks: Array, most: int) -> NDArray[np.int64]:
    """Indices of the best cells none of which is like a better one."""
    order = np.argsort(-scores)
    chosen = np.empty(most, np.int64)
    n = 0
    for k in order[:50000]:
        if n == most or scores[k] <= NOTHING / 2:
            break
        fresh = True
        for j in range(n):
            if np.max(np.abs(marks[k] - marks[chosen[j]])) < DISTINCT_ATOMS:
                fresh = False
                break
        if fresh:
            chosen[n] = k
            n += 1
    return chosen[:n]


def _first_steps(family: Family, starts: Array) -> Array:
    """First steps (n, 7) of a climb: about a tenth of an atom; 0 for what is fixed."""
    counts = np.exp(starts[:, SIZE]) if not family.by_library else np.full(len(starts), 20.0)
    ones = np.ones(len(starts))
    steps = np.stack(
        [0.1 / counts, 0.8 / counts, 0.08 * ones, 0.1 * ones, 0.1 * ones, 0.2 * ones, 0.2 * ones],
        axis=1,
    )
    return np.where(family.breadth > 0, steps, 0.0)


@njit(cache=True, nogil=True)
def climb(
    start: Array,
    steps: Array,
    family: Family,
    data: CrossSections,
    most_iterations: int,
) -> tuple[Array, float]:
    """Summit of the posterior near a curve, by the simplex of Nelder and Mead (1965)."""
    free = np.flatnonzero(steps)
    d = free.size
    points = np.empty((d + 1, start.size))
    heights = np.empty(d + 1)
    for i in range(d + 1):
        points[i] = start
        if i > 0:
            points[i, free[i - 1]] += steps[free[i - 1]]
        heights[i] = log_posterior(points[i], family, data)
    for _ in range(most_iterations):
        order = np.argsort(-heights)
        points, heights = points[order].copy(), heights[order].copy()
        if heights[0] - heights[d] < 1e-3:
            break
        centre = np.zeros(start.size)
        for i in range(d):
            centre += points[i] / d
        away = centre - points[d]
        best, height = centre + away, 0.0
        height = log_posterior(best, family, data)
        if height > heights[0]:
            farther = centre + 2 * away
            other = log_posterior(farther, family, data)
            if other > height:
                best, height = farther, other
        elif height <= heights[d - 1]:
            best = centre - 0.5 * away
            height = log_posterior(best, family, data)
            if height <= heights[d]:
                for i in range(1, d + 1):
                    points[i] = points[0] + 0.5 * (points[i] - points[0])
                    heights[i] = log_posterior(points[i], family, data)
                continue
        points[d], heights[d] = best, height
    top = np.argmax(heights)
    return points[top], heights[top]
