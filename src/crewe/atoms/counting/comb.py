"""How well a thickness curve explains cross-sections of which nobody knows the counts.

Columns gather at the curve's cross-sections of whole numbers of atoms, the teeth of a comb:

    p(s) = Σ_g w_g · N(s; mu_g, σ_g²)

How frequent each count is, is not fitted: w_g is the part of a smooth distribution of all
cross-sections that lies nearest to tooth g. So there is no number of components and no weight, and
combs of any spacing compare fairly: one whose teeth are lost in noise says p = that smooth
distribution, which explains nothing. So summits are searched for; `curve_evidence` then weighs
them with unknown frequencies.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import ndtr

from crewe.atoms.counting.thickness_curve import (
    CHANNELLING,
    COUNTING_WIDTH,
    CURVATURE,
    DEPTH,
    WIDTH,
    Family,
    curve_means,
)
from crewe.atoms.stamps import Array

# Density of columns that belong to no tooth: mixed, tilted or badly fitted ones.
OUTLIERS = 1e-3
REACH = 4.5
"""Standard deviations beyond which a tooth is not felt."""
NOTHING = -1e10
MOST_WIDTH = 1.0
CURVATURES = (-2.0, 3.0)
CHANNELLINGS = (-0.3, 4.0)
DEPTHS = (np.log(2.0), np.log(25.0))
# The smooth distribution is that of the data blurred by this part of their standard deviation:
# Silverman's width for 300 columns, which no larger number should make finer than the teeth.
BLUR = 0.34
NODES = 1024


class CrossSections(NamedTuple):
    """Cross-sections in units of the reference, ascending, and their smooth distribution."""

    values: Array
    weights: Array
    """How many columns each value stands for."""
    own: Array
    """Variance of each value by itself, beside that of all."""
    cumulative: Array
    """Smooth cumulative distribution at even distances over `span`."""
    span: tuple[float, float]


def cross_sections(values: Array, weights: Array, own: Array, anchored: bool) -> CrossSections:
    """Gather ascending values (n,), their weights and variances, and smooth their distribution.

    What the blur carries over the ends is mirrored back, or a comb whose end is that of the data
    by chance would be paid for keeping it in. If the first tooth is known to be the thinnest
    columns (`anchored`), that is no chance and the lower end stays blurred.
    """
    share = weights / weights.sum()
    mean = float(share @ values)
    blur = BLUR * float(np.sqrt(share @ (values - mean) ** 2))
    high = float(values[-1])
    low = float(values[0])
    span = (low - 4 * blur if anchored else low, high)
    nodes = np.linspace(*span, NODES)[:, None]
    # The blur of a histogram that is fine against it.
    coarse, edges = np.histogram(values, bins=400, range=span, weights=share)
    centres = (edges[1:] + edges[:-1]) / 2
    mirrors = [centres, 2 * high - centres] + ([] if anchored else [2 * low - centres])
    below = [ndtr((nodes - c) / blur) for c in mirrors]
    cumulative = np.sum(below, axis=0) @ coarse
    cumulative = (cumulative - cumulative[0]) / (cumulative[-1] - cumulative[0])
    return CrossSections(values, weights, own, cumulative, span)


@njit(cache=True, nogil=True)
def noise_variance(
    mean: float, step: float, width: float, counting_width: float, per_beam: float
) -> float:
    """Variance of cross-sections around a mean; widths in steps, see `Family.per_beam`."""
    variance = (width * step) ** 2
    if per_beam > 0.0:
        variance += per_beam * max(mean, 0.0)
    elif per_beam < 0.0:
        variance += (counting_width * step) ** 2 * max(mean, 0.0)
    return variance


@njit(cache=True, nogil=True)
def tooth_weights(means: Array, first: int, last: int, data: CrossSections) -> Array:
    """Part of the smooth distribution that lies nearest to each tooth; sums to 1."""
    weights = np.zeros(means.size)
    low, high = data.span
    scale = (data.cumulative.size - 1) / (high - low)
    before = 0.0
    for g in range(first, last + 1):
        until = 1.0
        if g < last:
            place = (0.5 * (means[g] + means[g + 1]) - low) * scale
            node = min(max(int(place), 0), data.cumulative.size - 2)
            part = min(max(place - node, 0.0), 1.0)
            step = data.cumulative[node + 1] - data.cumulative[node]
            until = data.cumulative[node] + part * step
        weights[g] = until - before
        before = until
    return weights


@njit(cache=True, nogil=True)
def comb_likelihood(
    data: CrossSections,
    means: Array,
    variances: Array,
    weights: Array,
    ends: tuple[int, int],
    anchored: bool,
    play: float,
) -> float:
    """Log density of the data under teeth `ends` (first, last) with given weights.

    Each tooth may be off its mean by a normal deviation of variance `play`, over which the density
    is integrated: no curve of a few numbers is exact, and thousands of columns would otherwise
    tell two curves apart by what neither knows. What is integrated is the parabola under the
    logarithm that expectation-maximisation climbs, so the result is a lower bound, and exact for
    teeth that do not overlap.

    If `anchored`, times the probability that at least one column is of the first tooth.
    """
    first, last = ends
    total, none_first = 0.0, 0.0
    near = first
    slope, bend = np.zeros(means.size), np.zeros(means.size)
    terms = np.empty(means.size)
    for i in range(data.values.size):
        s = data.values[i]
        while near < last and abs(means[near + 1] - s) < abs(means[near] - s):
            near += 1
        density = OUTLIERS
        low, high = near, near - 1
        for direction in (-1, 1):
            g = near if direction > 0 else near - 1
            while first <= g <= last:
                variance = variances[g] + data.own[i]
                z2 = (s - means[g]) ** 2 / variance
                if z2 > REACH * REACH:
                    break
                terms[g] = 0.3989422804014327 * weights[g] * np.exp(-0.5 * z2) / np.sqrt(variance)
                density += terms[g]
                low, high = min(low, g), max(high, g)
                g += direction
        total += data.weights[i] * np.log(density)
        for g in range(low, high + 1):
            part = terms[g] / density
            variance = variances[g] + data.own[i]
            slope[g] += data.weights[i] * part * (s - means[g]) / variance
            bend[g] += data.weights[i] * part / variance
        if anchored and low == first and high >= low:
            none_first += data.weights[i] * np.log1p(-min(terms[first] / density, 1 - 1e-12))
    if play > 0.0:
        for g in range(first, last + 1):
            total += 0.5 * slope[g] ** 2 * play / (1 + bend[g] * play)
            total -= 0.5 * np.log1p(bend[g] * play)
    if anchored:
        total += np.log(max(-np.expm1(none_first), 1e-30))
    return total


@njit(cache=True, nogil=True)
def log_prior(curve: Array, family: Family, first_mean: float) -> float:
    """Logarithm of the prior; `first_mean` is the curve's cross-section of one atom."""
    total = 0.0
    for k in range(curve.size):
        if family.breadth[k] > 0.0 and not np.isinf(family.breadth[k]):
            total -= 0.5 * ((curve[k] - family.centre[k]) / family.breadth[k]) ** 2
    for k in (WIDTH, COUNTING_WIDTH):
        if curve[k] > np.log(MOST_WIDTH):
            total -= 50 * (np.exp(curve[k]) - MOST_WIDTH) ** 2
    if not (
        CURVATURES[0] < curve[CURVATURE] < CURVATURES[1]
        and CHANNELLINGS[0] < curve[CHANNELLING] < CHANNELLINGS[1]
        and DEPTHS[0] < curve[DEPTH] < DEPTHS[1]
    ):
        return NOTHING
    if family.first_atom > 0.0:
        if first_mean <= 0.0:
            return NOTHING
        total -= 0.5 * (np.log(first_mean / family.first_atom) / family.first_atom_std) ** 2
    return total


@njit(cache=True, nogil=True)
def teeth_of(
    curve: Array, family: Family, means: Array, variances: Array
) -> tuple[float, int, float]:
    """Fill means and variances of the teeth; return log prior, last tooth and mean step.

    The log prior is below −1e9 where the curve cannot be.
    """
    last, step = curve_means(curve, family.shape, family.by_library, means)
    if last <= family.first or not 1.0 < 1.0 / step < 1.5 * family.shape.size:
        return NOTHING, last, step
    prior = log_prior(curve, family, means[1] - means[0])
    if prior < -100.0:
        return prior + NOTHING, last, step
    width, counting = np.exp(curve[WIDTH]), np.exp(curve[COUNTING_WIDTH])
    for g in range(means.size):
        variances[g] = noise_variance(means[g], step, width, counting, family.per_beam)
    return prior, last, step


@njit(cache=True, nogil=True)
def log_posterior(curve: Array, family: Family, data: CrossSections) -> float:
    """Logarithm of prior times likelihood of a curve; −1e10 where it cannot be."""
    means, variances = np.empty(family.shape.size), np.empty(family.shape.size)
    prior, last, step = teeth_of(curve, family, means, variances)
    if prior < NOTHING / 2:
        return prior
    weights = tooth_weights(means, family.first, last, data)
    play = (family.play * step) ** 2
    ends = (family.first, last)
    return prior + comb_likelihood(data, means, variances, weights, ends, family.anchored, play)
