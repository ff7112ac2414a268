"""How probable cross-sections are under a curve when the frequencies of the counts are not known.

The frequencies have a Dirichlet prior around a smooth distribution, and are integrated out by
Laplace's method in the logarithms of the frequencies (MacKay (1998), doi:10.1023/A:1007558615313).
Particles with facets hold some counts often and others never; under smooth frequencies their few
peaks would pass for the teeth of a much coarser comb.
"""

import math

import numpy as np
from numba import njit

from crewe.atoms.counting.comb import (
    NOTHING,
    OUTLIERS,
    REACH,
    CrossSections,
    teeth_of,
    tooth_weights,
)
from crewe.atoms.counting.thickness_curve import Family
from crewe.atoms.stamps import Array, Index

LEAST_COLUMNS = 0.02
"""Columns that every count is worth in any case."""
ROUNDS = 40
EMPTY = 1e-6
"""Part of the columns below which the last counts are left away."""
SETTLED = 0.02
"""Gain of log probability in one round from which on the frequencies are taken as found."""


@njit(cache=True, nogil=True)
def log_posteriors(curves: Array, family: Family, data: CrossSections) -> Array:
    """Log of prior times evidence (n,) of curves (n, 7); about −1e10 where one cannot be."""
    result = np.empty(len(curves))
    means, variances = np.empty(family.shape.size), np.empty(family.shape.size)
    for n in range(len(curves)):
        prior, last, step = teeth_of(curves[n], family, means, variances)
        result[n] = prior
        if prior < NOTHING / 2:
            continue
        smooth = np.maximum(tooth_weights(means, family.first, last, data), 0.0)
        while last > family.first + 1 and smooth[last - 1] + smooth[last] < EMPTY:
            last -= 1
        ends, play = (family.first, last), (family.play * step) ** 2
        result[n] += log_evidence(
            data, means, variances, smooth, ends, family.anchored, play, family.smoothness
        )
    return result


@njit(cache=True, nogil=True)
def log_evidence(
    data: CrossSections,
    means: Array,
    variances: Array,
    smooth: Array,
    ends: tuple[int, int],
    anchored: bool,
    play: float,
    smoothness: Array,
) -> float:
    """Log probability of the data under teeth `ends` (first, last) of unknown frequencies.

    `smooth` are the frequencies that the prior expects, `smoothness` the numbers of columns that
    this is worth, over which the mean is taken. `anchored` and `play` as in `comb_likelihood`.
    """
    first, last = ends
    terms, low, high = _densities(data, means, variances, first, last)
    frequencies = smooth[first : last + 1].copy()
    logs = np.empty(len(smoothness))
    for k in range(len(smoothness)):
        pseudo = smoothness[k] * smooth[first : last + 1] + LEAST_COLUMNS
        frequencies[:] = pseudo / pseudo.sum()
        logs[k] = _integral(data, terms, low, high, pseudo, frequencies)
    top = logs.max()
    total = top + np.log(np.mean(np.exp(logs - top)))
    return total + _corrections(
        data, means, variances, first, terms, low, high, frequencies, anchored, play
    )


@njit(cache=True, nogil=True)
def _densities(
    data: CrossSections, means: Array, variances: Array, first: int, last: int
) -> tuple[Array, Index, Index]:
    """Normal density (n, teeth) of each value under the teeth within reach, and which these are."""
    n = data.values.size
    terms = np.empty((n, last - first + 1))
    low, high = np.empty(n, np.int64), np.empty(n, np.int64)
    near = first
    for i in range(n):
        s = data.values[i]
        while near < last and abs(means[near + 1] - s) < abs(means[near] - s):
            near += 1
        low[i], high[i] = near - first, near - first
        for direction in (-1, 1):
            g = near if direction > 0 else near - 1
            while first <= g <= last:
                variance = variances[g] + data.own[i]
                squared = (s - means[g]) ** 2 / variance
                if squared > REACH * REACH and g != near:
                    break
                terms[i, g - first] = (
                    0.3989422804014327 * np.exp(-0.5 * squared) / np.sqrt(variance)
                )
                low[i], high[i] = min(low[i], g - first), max(high[i], g - first)
                g += direction
    return terms, low, high


@njit(cache=True, nogil=True)
def _integral(
    data: CrossSections, terms: Array, low: Index, high: Index, pseudo: Array, frequencies: Array
) -> float:
    """Laplace's integral over the frequencies, which are left at their likeliest values."""
    teeth, columns = pseudo.size, data.weights.sum() + pseudo.sum()
    before = -1e300
    held = np.empty(teeth)
    for _ in range(ROUNDS):
        held[:] = pseudo
        height = np.sum(pseudo * np.log(frequencies))
        for i in range(data.values.size):
            density = OUTLIERS
            for g in range(low[i], high[i] + 1):
                density += frequencies[g] * terms[i, g]
            height += data.weights[i] * np.log(density)
            share = data.weights[i] / density
            for g in range(low[i], high[i] + 1):
                held[g] += share * frequencies[g] * terms[i, g]
        if height - before < SETTLED:
            break
        before = height
        frequencies[:] = held / held.sum()
    bend = _bend(data, terms, low, high, pseudo, frequencies, columns)
    height += math.lgamma(pseudo.sum())
    for g in range(teeth):
        height += _beyond_stirling(held[g]) - math.lgamma(pseudo[g])
    # Frequencies relative to one of them measure √teeth times those orthogonal to their sum.
    size = 0.5 * (teeth - 1) * np.log(2 * np.pi) + 0.5 * np.log(teeth)
    return height + size - 0.5 * np.linalg.slogdet(bend)[1]


@njit(cache=True, nogil=True)
def _beyond_stirling(x: float) -> float:
    """What Laplace's method lacks for a count held by few columns: ln Γ(x) less Stirling's."""
    return math.lgamma(x) - (x - 0.5) * np.log(x) + x - 0.9189385332046727


@njit(cache=True, nogil=True)
def _bend(
    data: CrossSections,
    terms: Array,
    low: Index,
    high: Index,
    pseudo: Array,
    frequencies: Array,
    columns: float,
) -> Array:
    """Negative second derivatives by the log frequencies; 1 along their common shift."""
    teeth = pseudo.size
    bend = np.full((teeth, teeth), 1.0 / teeth)
    for g in range(teeth):
        bend[g, g] += pseudo[g]
        for h in range(teeth):
            bend[g, h] -= columns * frequencies[g] * frequencies[h]
    row = np.empty(teeth)
    for i in range(data.values.size):
        density = OUTLIERS
        for g in range(low[i], high[i] + 1):
            row[g] = frequencies[g] * terms[i, g]
            density += row[g]
        share = data.weights[i] / density**2
        for g in range(low[i], high[i] + 1):
            for h in range(low[i], high[i] + 1):
                bend[g, h] += share * row[g] * row[h]
    return bend


@njit(cache=True, nogil=True)
def _corrections(
    data: CrossSections,
    means: Array,
    variances: Array,
    first: int,
    terms: Array,
    low: Index,
    high: Index,
    frequencies: Array,
    anchored: bool,
    play: float,
) -> float:
    """What play of the means and a known thinnest column add."""
    teeth = frequencies.size
    slope, bend = np.zeros(teeth), np.zeros(teeth)
    none_first = 0.0
    for i in range(data.values.size):
        density = OUTLIERS
        for g in range(low[i], high[i] + 1):
            density += frequencies[g] * terms[i, g]
        for g in range(low[i], high[i] + 1):
            part = data.weights[i] * frequencies[g] * terms[i, g] / density
            variance = variances[first + g] + data.own[i]
            slope[g] += part * (data.values[i] - means[first + g]) / variance
            bend[g] += part / variance
        if low[i] == 0:
            part = frequencies[0] * terms[i, 0] / density
            none_first += data.weights[i] * np.log1p(-min(part, 1 - 1e-12))
    total = 0.0
    if play > 0.0:
        for g in range(teeth):
            total += 0.5 * slope[g] ** 2 * play / (1 + bend[g] * play)
            total -= 0.5 * np.log1p(bend[g] * play)
    if anchored:
        total += np.log(max(-np.expm1(none_first), 1e-30))
    return total
