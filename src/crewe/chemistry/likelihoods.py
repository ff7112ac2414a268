"""How far amounts are from the counts: Poisson or least squares, with slope and curvature.

All arrays (n, y, x) of one kind. Threads share out the rows of the image; sums are kept row by
row and added afterwards, so that they do not depend on the number of threads.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.chemistry.bands import Bands, processors

Array = NDArray[Any]
Sums = NDArray[np.float64]
# Beyond this, next to nothing is expected, and single precision would overflow.
STEEPEST = 1e20


def poisson_cost(x: Array, counts: Array, background: Array) -> float:
    """Σ(x − b log(x + ε)); ∞ where something was counted at x + ε = 0."""
    sums = np.empty(x.shape[1])
    with Bands(x.shape[1], processors()) as bands:
        bands.run(lambda first, last: _costs(x, counts, background, sums, first, last))
    return float(sums.sum())


def poisson_slope(
    x: Array, counts: Array, background: Array, weight: float, gradient: Array, curvature: Array
) -> float:
    """Cost as above; adds weight·(1 − b/(x + ε)), eq. 3, and a curvature for steps.

    That is weight·max(b, x + ε)/(x + ε)²: the second derivative where it is larger than the one
    of a multiplicative (EM) step, and the latter elsewhere, since steps towards fewer counts
    would overshoot with the second derivative alone.
    """
    sums = np.empty(x.shape[1])
    arrays = (x, counts, background, float(weight), gradient, curvature, sums)
    with Bands(x.shape[1], processors()) as bands:
        bands.run(lambda first, last: _slopes(*arrays, first, last))
    return float(sums.sum())


@njit(cache=True, nogil=True)
def _costs(x: Array, counts: Array, background: Array, sums: Sums, first: int, last: int) -> None:
    for i in range(first, last):
        total = 0.0
        for e in range(len(x)):
            for j in range(x.shape[2]):
                total += x[e, i, j]
                if counts[e, i, j] > 0:
                    expected = x[e, i, j] + background[e, i, j]
                    total -= counts[e, i, j] * np.log(expected) if expected > 0 else -np.inf
        sums[i] = total


@njit(cache=True, nogil=True)
def _slopes(
    x: Array,
    counts: Array,
    background: Array,
    weight: float,
    gradient: Array,
    curvature: Array,
    sums: Sums,
    first: int,
    last: int,
) -> None:
    for i in range(first, last):
        total = 0.0
        for e in range(len(x)):
            for j in range(x.shape[2]):
                b, amount = counts[e, i, j], x[e, i, j]
                expected = float(amount + background[e, i, j])
                total += amount
                ratio, steep = 0.0, 0.0
                if expected > 0:
                    ratio = b / expected
                    steep = min(max(ratio, 1.0) / expected, STEEPEST)
                    if b > 0:
                        total -= b * np.log(expected)
                elif b > 0:
                    total += np.inf
                gradient[e, i, j] += weight * (1 - ratio)
                curvature[e, i, j] += weight * steep
        sums[i] = total


def least_poisson_cost(counts: Array, background: Array) -> float:
    """The least that `poisson_cost` can be over all x ≥ 0: at x = max(b − ε, 0)."""
    best = np.maximum(counts - background, 0)
    return poisson_cost(best, counts, background)


def squares_cost(x: Array, counts: Array, background: Array) -> float:
    """½Σ(x + ε − b)²."""
    away = (x + background - counts).ravel()
    return 0.5 * float(np.dot(away, away))
