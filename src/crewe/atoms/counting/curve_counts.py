"""From samples of the thickness curve to the probability of every count in every column."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.random import Generator

from crewe.atoms.counting.comb import (
    OUTLIERS,
    REACH,
    CrossSections,
    noise_variance,
    tooth_weights,
)
from crewe.atoms.counting.curve_samples import CurveSamples
from crewe.atoms.counting.thickness_curve import COUNTING_WIDTH, WIDTH, Family, curve_means
from crewe.atoms.stamps import Array

DRAWS = 400
"""Equally weighted curves that stand for all samples."""
ROUNDS = 8
NEIGHBOURS = 0.2
"""What a count's neighbours add to its frequency: counts of columns are no sharp lines."""
EVERYWHERE = 0.5
"""Columns added to each count, so that none is ruled out."""


class CountedCurves(NamedTuple):
    """What R curves say of N columns and of 0 … K atoms."""

    posterior: Array
    """Probability (N, K + 1) of each count, mean over the curves; rows sum to 1."""
    shares: Array
    """How much (R,) each curve counts; sums to 1."""
    totals: Array
    """Expected number (R,) of atoms in all columns."""
    total_variances: Array
    """Variance (R,) of that number given the curve."""
    frequencies: Array
    """Part (R, K + 1) of the columns with each count."""
    means: Array
    """The curves (R, K + 1); NaN where they no longer rise."""
    spreads: Array
    """Standard deviation (R, K + 1) of a column's cross-section."""


def count_on_curves(
    samples: CurveSamples,
    family: Family,
    data: CrossSections,
    values: Array,
    own: Array,
    rng: Generator,
) -> CountedCurves:
    """Counts of columns of cross-sections `values` (N,) with variances `own` (N,) of their own.

    `data` are the same cross-sections, perhaps gathered in bins. For each of some curves drawn
    from the samples, the frequency of each count is found by expectation-maximisation; then every
    column's posterior follows from Bayes' theorem. The answer is the mean over curves.
    """
    positions = (rng.random() + np.arange(DRAWS)) / DRAWS
    drawn = np.searchsorted(np.cumsum(samples.weights), positions)
    drawn, repeats = np.unique(np.minimum(drawn, len(samples.weights) - 1), return_counts=True)
    return _count(samples.curves[drawn], repeats / DRAWS, family, data, values, own)


@njit(cache=True, nogil=True)
def _count(
    curves: Array, shares: Array, family: Family, data: CrossSections, values: Array, own: Array
) -> CountedCurves:
    n_curves, n_counts = len(curves), family.shape.size
    posterior = np.zeros((values.size, n_counts))
    totals, total_variances = np.zeros(n_curves), np.zeros(n_curves)
    frequencies = np.zeros((n_curves, n_counts))
    means = np.full((n_curves, n_counts), np.nan)
    spreads = np.full((n_curves, n_counts), np.nan)
    mean, variance = np.empty(n_counts), np.empty(n_counts)
    for r in range(n_curves):
        curve = curves[r]
        last, step = curve_means(curve, family.shape, family.by_library, mean)
        for g in range(n_counts):
            variance[g] = noise_variance(
                mean[g], step, np.exp(curve[WIDTH]), np.exp(curve[COUNTING_WIDTH]), family.per_beam
            )
        frequency = _frequencies(data, mean, variance, family.first, last)
        frequencies[r] = frequency
        means[r, : last + 1] = mean[: last + 1]
        spreads[r, : last + 1] = np.sqrt(variance[: last + 1])
        row = np.empty(n_counts)
        for i in range(values.size):
            low, high = _responsibilities(
                values[i], own[i], mean, variance, frequency, family.first, last, row
            )
            expected, square = 0.0, 0.0
            for g in range(low, high + 1):
                posterior[i, g] += shares[r] * row[g]
                expected += row[g] * g
                square += row[g] * g * g
            totals[r] += expected
            total_variances[r] += square - expected**2
    return CountedCurves(posterior, shares, totals, total_variances, frequencies, means, spreads)


@njit(cache=True, nogil=True)
def _frequencies(data: CrossSections, mean: Array, variance: Array, first: int, last: int) -> Array:
    """Part of the columns of each count, smoothed a little over neighbours."""
    frequency = tooth_weights(mean, first, last, data)
    row = np.empty(mean.size)
    for _ in range(ROUNDS):
        held = np.zeros(mean.size)
        for i in range(data.values.size):
            low, high = _responsibilities(
                data.values[i], data.own[i], mean, variance, frequency, first, last, row
            )
            for g in range(low, high + 1):
                held[g] += data.weights[i] * row[g]
        frequency[:] = 0.0
        for g in range(first, last + 1):
            around = held[g - 1] + (held[g + 1] if g < last else 0.0)
            frequency[g] = held[g] + NEIGHBOURS * around + EVERYWHERE
        frequency /= frequency.sum()
    return frequency


@njit(cache=True, nogil=True)
def _responsibilities(
    value: float,
    own: float,
    mean: Array,
    variance: Array,
    frequency: Array,
    first: int,
    last: int,
    row: Array,
) -> tuple[int, int]:
    """Fill a column's probability of each count; return the first and last count with any.

    A column far from every tooth is one of the outliers: its count is spread over the counts
    as flatly as the nearest teeth allow.
    """
    near = min(max(int(np.searchsorted(mean[: last + 1], value)), first), last)
    if near > first and value - mean[near - 1] < mean[near] - value:
        near -= 1
    low, high = near, near
    while low > first and _in_reach(value, mean[low - 1], variance[low - 1] + own):
        low -= 1
    while high < last and _in_reach(value, mean[high + 1], variance[high + 1] + own):
        high += 1
    total = 0.0
    for g in range(low, high + 1):
        width = variance[g] + own
        row[g] = frequency[g] * np.exp(-0.5 * (value - mean[g]) ** 2 / width) / np.sqrt(width)
        # So that a count remains where all of them underflow.
        row[g] += 1e-9 * OUTLIERS
        total += row[g]
    for g in range(low, high + 1):
        row[g] /= total
    return low, high


@njit(cache=True, nogil=True)
def _in_reach(value: float, mean: float, variance: float) -> bool:
    return bool((value - mean) ** 2 < REACH * REACH * variance)
