"""The compiled loops of a Gaussian mixture: expectation, maximisation, and their acceleration.

A mixture of K components is one vector θ (2K + 2,): the parts, the rising means, the variance s
that all share, and the gain g; component k has the variance s + g·mean_k. Electrons counted at a
dose D per unit of cross-section scatter with g = 1/D; a common width has g = 0.

A. P. Dempster, N. M. Laird and D. B. Rubin, J. R. Stat. Soc. B 39 (1977) 1; the acceleration is
R. Varadhan and C. Roland, Scand. J. Stat. 35 (2008) 335, doi:10.1111/j.1467-9469.2007.00585.x,
scheme S3 kept monotone.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]

COMMON, DOSE_GIVEN, DOSE_FITTED, MEANS_GIVEN = 0, 1, 2, 3
"""Which of θ is fitted: all but g; all but g; all; parts and s."""

# Components further from a value than this many widths have no part in it (e⁻³² of a near one).
REACH = 8.0
LEAST_PART = 1e-12
HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


@njit(cache=True, nogil=True)
def variances_of(theta: Array, floor: float) -> Array:
    """Variance (K,) of each component, at least `floor`."""
    count = (len(theta) - 2) // 2
    return np.maximum(theta[-2] + theta[-1] * theta[count : 2 * count], floor)


@njit(cache=True, nogil=True)
def expectation(values: Array, weights: Array, theta: Array, floor: float, sums: Array) -> float:
    """Fill `sums` (3, K) with Σ wr, Σ wr(x − μ), Σ wr(x − μ)²; returns the log-likelihood.

    `values` (N,) rise and occur `weights` (N,) times; r is the posterior of a component.
    """
    count = (len(theta) - 2) // 2
    parts, means = theta[:count], theta[count : 2 * count]
    variances = variances_of(theta, floor)
    constant = np.log(np.maximum(parts, LEAST_PART)) - 0.5 * np.log(variances) - HALF_LOG_TWO_PI
    reach = REACH * math.sqrt(variances[0])
    density = np.empty(count)
    sums[:] = 0.0
    likelihood = 0.0
    first = last = 0
    for i in range(len(values)):
        # of the widest component that can reach the value
        wide = max(theta[-2] + theta[-1] * (values[i] + reach), variances[0])
        reach = REACH * math.sqrt(wide)
        while first < count and means[first] < values[i] - reach:
            first += 1
        while last < count and means[last] <= values[i] + reach:
            last += 1
        # one more on either side, so that a value far from all still belongs to some
        low, high = max(first - 1, 0), min(last + 1, count)
        largest = -np.inf
        for k in range(low, high):
            density[k] = constant[k] - 0.5 * (values[i] - means[k]) ** 2 / variances[k]
            largest = max(largest, density[k])
        total = 0.0
        for k in range(low, high):
            density[k] = math.exp(density[k] - largest)
            total += density[k]
        likelihood += weights[i] * (largest + math.log(total))
        scale = weights[i] / total
        for k in range(low, high):
            part, away = density[k] * scale, values[i] - means[k]
            sums[0, k] += part
            sums[1, k] += part * away
            sums[2, k] += part * away * away
    return likelihood


@njit(cache=True, nogil=True)
def maximisation(theta: Array, sums: Array, mode: int, floor: float) -> Array:
    """θ under which the expected log-likelihood is larger than under `theta`, sorted by mean."""
    count = (len(theta) - 2) // 2
    new = theta.copy()
    new[:count] = sums[0] / sums[0].sum()
    filled = np.maximum(sums[0], 1e-300)
    centres, squares = sums[1] / filled, sums[2] / filled
    means = theta[count : 2 * count]
    if mode != MEANS_GIVEN:
        # within a component, and from its old mean to its centre
        inner = np.maximum(squares - centres**2, 0.0)
        for k in range(count):
            away = _best_distance(means[k] + centres[k], inner[k], theta[-2], theta[-1], floor)
            if sums[0, k] > LEAST_PART:
                new[count + k] = means[k] + centres[k] - away
        squares = inner + (means + centres - new[count : 2 * count]) ** 2
    if mode == COMMON or (mode == MEANS_GIVEN and theta[-1] == 0.0):
        new[-2] = max(np.sum(sums[0] * squares) / sums[0].sum(), floor)
    else:
        _fit_variances(new, sums[0], squares, mode, floor)
    if mode != MEANS_GIVEN:
        _sort(new, count)
    return new


@njit(cache=True, nogil=True)
def _best_distance(centre: float, inner: float, shared: float, gain: float, floor: float) -> float:
    """Distance from the best mean up to the centre of the component's values.

    The mean μ maximises −ln v − (inner + (centre − μ)²)/v with v = shared + gain·μ: with a gain, a
    quadratic equation of which one root keeps v positive.
    """
    if gain == 0.0:
        return 0.0
    variance = max(shared + gain * centre, floor)
    linear = 2 * variance + gain * gain
    root = math.sqrt(4 * variance**2 + gain**4 + 4 * gain**2 * inner)
    return 2 * gain * (variance - inner) / (linear + root)


@njit(cache=True, nogil=True)
def _fit_variances(theta: Array, amounts: Array, squares: Array, mode: int, floor: float) -> None:
    """Fisher scoring of s (and g), each step halved until it does not lower the likelihood."""
    count = (len(theta) - 2) // 2
    means = theta[count : 2 * count]
    cost = _variance_cost(theta, amounts, squares, floor)
    for _ in range(5):
        variances = variances_of(theta, floor)
        weights = amounts / variances**2
        shared, gain = _weighted_line(means, squares, weights, theta[-1], mode)
        shared_step, gain_step = shared - theta[-2], gain - theta[-1]
        before = cost
        step = 1.0
        while step > 1e-3:
            trial = theta.copy()
            trial[-2] = max(theta[-2] + step * shared_step, 0.0)
            trial[-1] = max(theta[-1] + step * gain_step, 0.0)
            new_cost = _variance_cost(trial, amounts, squares, floor)
            if new_cost < cost:
                theta[-2], theta[-1], cost = trial[-2], trial[-1], new_cost
                break
            step /= 2
        if before - cost < 1e-10 * abs(before):
            return


@njit(cache=True, nogil=True)
def _variance_cost(theta: Array, amounts: Array, squares: Array, floor: float) -> float:
    variances = variances_of(theta, floor)
    return float(np.sum(amounts * (np.log(variances) + squares / variances)))


@njit(cache=True, nogil=True)
def _weighted_line(
    means: Array, squares: Array, weights: Array, gain: float, mode: int
) -> tuple[float, float]:
    """Least-squares line through the squares: (s, g), neither negative."""
    total = weights.sum()
    if mode != DOSE_FITTED:
        return max(np.sum(weights * (squares - gain * means)) / total, 0.0), gain
    middle, height = np.sum(weights * means) / total, np.sum(weights * squares) / total
    spread = np.sum(weights * (means - middle) ** 2)
    slope = np.sum(weights * (means - middle) * (squares - height)) / max(spread, 1e-300)
    shared = height - slope * middle
    if slope < 0.0:
        return height, 0.0
    if shared < 0.0:
        second = np.sum(weights * means**2)
        return 0.0, max(np.sum(weights * means * squares) / max(second, 1e-300), 0.0)
    return shared, slope


@njit(cache=True, nogil=True)
def _sort(theta: Array, count: int) -> None:
    order = np.argsort(theta[count : 2 * count])
    theta[:count] = theta[:count][order]
    theta[count : 2 * count] = theta[count : 2 * count][order]


@njit(cache=True, nogil=True)
def em(
    values: Array,
    weights: Array,
    theta: Array,
    mode: int,
    floor: float,
    tolerance: float,
    most: int,
) -> tuple[Array, float]:
    """Raise the log-likelihood from `theta` until three steps gain less than `tolerance` (nats).

    `values` (N,) must rise. Returns θ and its log-likelihood, never below that of the start; at
    most `most` rounds of three steps each are done.
    """
    sums = np.zeros((3, (len(theta) - 2) // 2))
    best = expectation(values, weights, theta, floor, sums)
    for _ in range(most):
        one = maximisation(theta, sums, mode, floor)
        expectation(values, weights, one, floor, sums)
        two = maximisation(one, sums, mode, floor)
        reached = expectation(values, weights, two, floor, sums)
        leap = _leap(theta, one, two, floor, mode)
        other = np.zeros_like(sums)
        leapt = expectation(values, weights, leap, floor, other)
        if leapt > reached:
            two, reached, sums = leap, leapt, other
        gain = reached - best
        theta, best = two, reached
        if gain < tolerance:
            break
    return theta, best


@njit(cache=True, nogil=True)
def _leap(start: Array, one: Array, two: Array, floor: float, mode: int) -> Array:
    """Where the steps from `start` by `one` to `two` seem to lead; `two` if that cannot be."""
    count = (len(start) - 2) // 2
    first, bend = one - start, two - 2 * one + start
    size = math.sqrt(np.sum(bend**2))
    if size == 0.0:
        return two
    length = max(math.sqrt(np.sum(first**2)) / size, 1.0)
    leap = start + 2 * length * first + length**2 * bend
    leap[:count] = np.maximum(leap[:count], LEAST_PART)
    leap[:count] /= leap[:count].sum()
    leap[-2] = max(leap[-2], 0.25 * two[-2])
    leap[-1] = max(leap[-1], 0.25 * two[-1]) if mode == DOSE_FITTED else two[-1]
    if mode == MEANS_GIVEN:
        leap[count : 2 * count] = two[count : 2 * count]
    for k in range(count - 1):
        if leap[count + k + 1] < leap[count + k]:
            return two
    return leap
