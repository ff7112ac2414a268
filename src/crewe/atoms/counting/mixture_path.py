"""Gaussian mixtures of 1, 2, … components, each started from the one before and the one after.

Forward, every gap between components (and beyond the outermost) is tried for one more, and every
component for a split in two; backward, every component for being left out. A few steps of
expectation–maximisation screen the starts, the best are followed to the end.
"""

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.atoms.counting.mixture_em import COMMON, DOSE_FITTED, em

Array = NDArray[np.float64]
Tell = Callable[[float], None]

SCREENING_ROUNDS, ROUNDS, POLISHING_ROUNDS = 2, 300, 8
SCREENING_BIN, BIN = 0.3, 0.06
"""Width of the bins of values in widths of the components, while screening and while fitting."""
FOLLOWED = 3
TOLERANCE = 1e-5
"""Gain in log-likelihood below which a fit ends."""
LEAST_WIDTH = 1e-6
"""Least width of a component, in the range of the values."""


def mixture_path(
    values: Array, most: int, mode: int = COMMON, gain: float = 0.0, tell: Tell | None = None
) -> tuple[list[Array], Array]:
    """Mixtures θ of 1 … `most` components and their log-likelihoods (most,).

    `values` (N,) in any order and of any scale; `mode` and θ as in `mixture_em`; `gain` is g where
    the mode gives it. `tell` hears the part that is done.
    """
    tell = tell or (lambda fraction: None)
    scale = float(np.abs(values).max()) or 1.0
    rising = np.sort(values) / scale
    found = [_whole(rising, [_single(rising, mode, gain / scale)], mode)]
    for count in range(2, most + 1):
        tell(0.7 * (count - 1) / most)
        found.append(_whole(rising, _extended(found[-1][0], rising), mode))
    for count in range(most - 1, 1, -1):
        tell(1.0 - 0.3 * count / most)
        other = _whole(rising, _reduced(found[count][0]), mode, followed=1)
        if other[1] > found[count - 1][1]:
            found[count - 1] = other
    tell(1.0)
    likelihoods = np.array([likelihood for _, likelihood in found]) - len(values) * np.log(scale)
    return [rescaled(theta, scale) for theta, _ in found], likelihoods


def rescaled(theta: Array, scale: float) -> Array:
    """The mixture of values that are `scale` times as large."""
    count = (len(theta) - 2) // 2
    return theta * np.concatenate([np.ones(count), np.full(count, scale), [scale**2, scale]])


def _single(rising: Array, mode: int, gain: float) -> Array:
    mean, variance = rising.mean(), max(rising.var(), 1e-12)
    if mode == COMMON or mean <= 0:
        return np.array([1.0, mean, variance, 0.0])
    if mode == DOSE_FITTED:
        gain = 0.5 * variance / mean
    return np.array([1.0, mean, max(variance - gain * mean, 0.0), gain])


def _extended(theta: Array, rising: Array) -> list[Array]:
    """Starts with one component more: one in each gap, and each component split."""
    count = (len(theta) - 2) // 2
    parts, means = theta[:count], theta[count : 2 * count]
    edges = np.concatenate([[rising[0]], means, [rising[-1]]])
    starts = []
    for place in 0.5 * (edges[1:] + edges[:-1]):
        added = np.append(parts * count, 1.0) / (count + 1)
        starts.append(_joined(added, np.append(means, place), theta))
    for k in range(count):
        width = np.sqrt(max(theta[-2] + theta[-1] * means[k], 0.0))
        apart = np.append(means, means[k] + 0.7 * width)
        apart[k] -= 0.7 * width
        halved = np.append(parts, 0.5 * parts[k])
        halved[k] /= 2
        starts.append(_joined(halved, apart, theta))
    return starts


def _reduced(theta: Array) -> list[Array]:
    """Starts with one component less."""
    count = (len(theta) - 2) // 2
    starts = []
    for k in range(count):
        parts = np.delete(theta[:count], k)
        means = np.delete(theta[count : 2 * count], k)
        starts.append(_joined(parts / max(parts.sum(), 1e-300), means, theta))
    return starts


def _joined(parts: Array, means: Array, theta: Array) -> Array:
    order = np.argsort(means)
    return np.concatenate([parts[order], means[order], theta[-2:]])


def _whole(
    rising: Array, starts: list[Array], mode: int, followed: int = FOLLOWED
) -> tuple[Array, float]:
    """The best mixture that any of the starts leads to, and its log-likelihood."""
    floor = (LEAST_WIDTH * max(rising[-1] - rising[0], 1e-9)) ** 2
    bins = binned(rising, starts[0], SCREENING_BIN)
    scores = np.array([em(*bins, one, mode, floor, 0.0, SCREENING_ROUNDS)[1] for one in starts])
    best: tuple[Array, float] | None = None
    for chosen in np.argsort(-scores, kind="stable")[:followed]:
        found = _followed(rising, starts[chosen], mode, floor)
        if best is None or found[1] > best[1]:
            best = found
    assert best is not None
    return best


def _followed(rising: Array, theta: Array, mode: int, floor: float) -> tuple[Array, float]:
    """Fit on bins that stay fine against the components, then on the values themselves."""
    for _ in range(4):
        values, weights = binned(rising, theta, BIN)
        if len(values) == len(rising):
            break
        before = theta
        theta, _ = em(values, weights, theta, mode, floor, TOLERANCE, ROUNDS)
        if np.all(widths(theta, rising) > widths(before, rising) / 1.5):
            return em(rising, np.ones(len(rising)), theta, mode, floor, TOLERANCE, POLISHING_ROUNDS)
    return em(rising, np.ones(len(rising)), theta, mode, floor, TOLERANCE, ROUNDS)


def widths(theta: Array, rising: Array) -> Array:
    """Width of a component at the least and at the largest value."""
    ends = rising[[0, -1]]
    return np.sqrt(np.maximum(theta[-2] + theta[-1] * ends, LEAST_WIDTH**2))


def binned(rising: Array, theta: Array, width: float) -> tuple[Array, Array]:
    """Means and numbers of the values in bins, `width` wide in widths of a component there.

    The mean of a bin stands for its values, so that the mean of the whole is kept. Where bins save
    less than half, the values themselves are returned.
    """
    variance = np.maximum(theta[-2] + theta[-1] * rising, LEAST_WIDTH**2)
    # equal steps of this stretched axis are equal parts of the local width
    if theta[-1] > 0:
        stretched = 2 * (np.sqrt(variance) - np.sqrt(variance[0])) / theta[-1]
    else:
        stretched = (rising - rising[0]) / np.sqrt(variance)
    if stretched[-1] / width > 0.5 * len(rising):
        return rising, np.ones(len(rising))
    return _binned(rising, stretched / width)


@njit(cache=True, nogil=True)
def _binned(rising: Array, places: Array) -> tuple[Array, Array]:
    size = int(places[-1]) + 1
    sums, numbers = np.zeros(size), np.zeros(size)
    for i in range(len(rising)):
        sums[int(places[i])] += rising[i]
        numbers[int(places[i])] += 1.0
    filled = numbers > 0
    return sums[filled] / numbers[filled], numbers[filled]
