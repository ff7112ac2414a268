"""The pixelwise steps of the composition fit, compiled, each for the rows first to last − 1."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Planes = NDArray[np.float32]


@njit(cache=True, nogil=True)
def divergence(
    first: int, last: int, edges: Planes, dual: Planes, penalty: float, out: Planes
) -> None:
    """Write the adjoint gradient of edges minus their dual, times the penalty."""
    elements, _, columns = out.shape
    weight = np.float32(penalty)
    for y in range(first, last):
        for e in range(elements):
            row = out[e, y]
            row[:] = dual[0, e, y] - edges[0, e, y]
            if y > 0:
                row += edges[0, e, y - 1] - dual[0, e, y - 1]
            right = edges[1, e, y] - dual[1, e, y]
            row -= right
            row[1:] += right[: columns - 1]
            row *= weight


@njit(cache=True, nogil=True)
def shrink(
    first: int,
    last: int,
    smooth: Planes,
    edges: Planes,
    dual: Planes,
    scale: Planes,
    threshold: float,
    relaxation: float,
) -> None:
    """Shorten the gradients of all elements together and keep what was taken off as the dual.

    `scale` (element) weighs the elements in the common length.
    """
    elements, rows, columns = smooth.shape
    new, old = np.float32(relaxation), np.float32(1.0 - relaxation)
    limit = np.float32(threshold)
    for y in range(first, last):
        length = np.zeros(columns, np.float32)
        for e in range(elements):
            weight = scale[e] * scale[e]
            dual[0, e, y] += old * edges[0, e, y]
            dual[1, e, y] += old * edges[1, e, y]
            if y < rows - 1:
                dual[0, e, y] += new * (smooth[e, y + 1] - smooth[e, y])
            dual[1, e, y, : columns - 1] += new * (smooth[e, y, 1:] - smooth[e, y, : columns - 1])
            for x in range(columns):
                down, right = dual[0, e, y, x], dual[1, e, y, x]
                length[x] += weight * (down * down + right * right)
        for x in range(columns):
            # What is left of each gradient, 0 for those below the limit.
            longest = max(np.sqrt(length[x]), limit)
            length[x] = np.float32(1.0) - limit / longest
        for e in range(elements):
            for axis in range(2):
                for x in range(columns):
                    whole = dual[axis, e, y, x]
                    kept = length[x] * whole
                    edges[axis, e, y, x] = kept
                    dual[axis, e, y, x] = whole - kept


@njit(cache=True, nogil=True)
def fit_counts(
    first: int,
    last: int,
    smooth: Planes,
    fitted: Planes,
    dual: Planes,
    expected: Planes,
    penalty: Planes,
    relaxation: float,
    counts: Planes,
    background: Planes,
) -> None:
    """Move each value to where Poisson counts and the smooth iterate agree, by a quadratic."""
    elements, _, columns = smooth.shape
    new, old = np.float32(relaxation), np.float32(1.0 - relaxation)
    zero, two, four = np.float32(0.0), np.float32(2.0), np.float32(4.0)
    for y in range(first, last):
        for e in range(elements):
            pull = penalty[e]
            for x in range(columns):
                wanted = new * smooth[e, y, x] + old * fitted[e, y, x] + dual[e, y, x]
                rate, dark = expected[e, y, x], background[e, y, x]
                # Nothing is expected in vacuum: there the smooth iterate decides alone.
                square = pull * max(rate, np.float32(1e-6))
                linear = rate * rate + pull * (dark - wanted * rate)
                constant = rate * dark - pull * wanted * dark - counts[e, y, x] * rate
                root = np.sqrt(max(linear * linear - four * square * constant, zero))
                # Of both forms the one without cancellation.
                low = (root - linear) / (two * square)
                high = -two * constant / max(linear + root, np.float32(1e-30))
                value = high if linear > zero else low
                value = wanted if rate <= np.float32(1e-6) else value
                value = max(value, zero)
                fitted[e, y, x] = value
                dual[e, y, x] = wanted - value


@njit(cache=True, nogil=True)
def fit_squares(
    first: int,
    last: int,
    smooth: Planes,
    fitted: Planes,
    dual: Planes,
    expected: Planes,
    penalty: Planes,
    relaxation: float,
    signal: Planes,
    variance: Planes,
) -> None:
    """Likewise for a signal with known variances."""
    elements, _, columns = smooth.shape
    new, old = np.float32(relaxation), np.float32(1.0 - relaxation)
    for y in range(first, last):
        for e in range(elements):
            pull = penalty[e]
            for x in range(columns):
                wanted = new * smooth[e, y, x] + old * fitted[e, y, x] + dual[e, y, x]
                rate = expected[e, y, x]
                weighted = rate / variance[e, y, x]
                value = (weighted * signal[e, y, x] + pull * wanted) / (rate * weighted + pull)
                value = max(value, np.float32(0.0))
                fitted[e, y, x] = value
                dual[e, y, x] = wanted - value


@njit(cache=True, nogil=True)
def joint_variation(planes: Planes, weights: Planes) -> float:
    """Return the sum over pixels of the length of all elements' gradients together."""
    elements, rows, columns = planes.shape
    total = 0.0
    for y in range(rows):
        below = min(y + 1, rows - 1)
        for x in range(columns):
            beside = min(x + 1, columns - 1)
            length = np.float32(0.0)
            for e in range(elements):
                here = planes[e, y, x]
                down, right = planes[e, below, x] - here, planes[e, y, beside] - here
                length += weights[e] * (down * down + right * right)
            total += np.sqrt(length)
    return total
