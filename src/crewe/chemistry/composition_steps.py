"""The pixelwise steps of the composition fit, compiled."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Planes = NDArray[np.float32]


@njit(cache=True, nogil=True, parallel=True)
def divergence(edges: Planes, dual: Planes, penalty: float, out: Planes) -> None:
    """Write the adjoint gradient of edges minus their dual, times the penalty."""
    elements, rows, columns = out.shape
    weight = np.float32(penalty)
    for y in prange(rows):
        for e in range(elements):
            for x in range(columns):
                total = dual[0, e, y, x] - edges[0, e, y, x]
                total += dual[1, e, y, x] - edges[1, e, y, x]
                if y > 0:
                    total += edges[0, e, y - 1, x] - dual[0, e, y - 1, x]
                if x > 0:
                    total += edges[1, e, y, x - 1] - dual[1, e, y, x - 1]
                out[e, y, x] = weight * total


@njit(cache=True, nogil=True, parallel=True)
def shrink(
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
    zero = np.float32(0.0)
    new, old = np.float32(relaxation), np.float32(1.0 - relaxation)
    for y in prange(rows):
        for x in range(columns):
            length = 0.0
            for e in range(elements):
                down = smooth[e, y + 1, x] - smooth[e, y, x] if y < rows - 1 else zero
                right = smooth[e, y, x + 1] - smooth[e, y, x] if x < columns - 1 else zero
                down = new * down + old * edges[0, e, y, x] + dual[0, e, y, x]
                right = new * right + old * edges[1, e, y, x] + dual[1, e, y, x]
                dual[0, e, y, x] = down
                dual[1, e, y, x] = right
                length += scale[e] * scale[e] * (down * down + right * right)
            length = np.sqrt(length)
            kept = np.float32(1.0 - threshold / length) if length > threshold else zero
            for e in range(elements):
                for axis in range(2):
                    edges[axis, e, y, x] = kept * dual[axis, e, y, x]
                    dual[axis, e, y, x] -= edges[axis, e, y, x]


@njit(cache=True, nogil=True, parallel=True)
def fit_counts(
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
    elements, rows, columns = smooth.shape
    for y in prange(rows):
        for e in range(elements):
            pull = penalty[e]
            for x in range(columns):
                wanted = (
                    relaxation * smooth[e, y, x]
                    + (1.0 - relaxation) * fitted[e, y, x]
                    + dual[e, y, x]
                )
                rate, dark, seen = expected[e, y, x], background[e, y, x], counts[e, y, x]
                value = wanted
                if rate > 1e-12:
                    square = pull * rate
                    linear = rate * rate + pull * dark - pull * wanted * rate
                    constant = rate * dark - pull * wanted * dark - seen * rate
                    root = np.sqrt(max(linear * linear - 4.0 * square * constant, 0.0))
                    # The form without cancellation for either sign.
                    if linear > 0:
                        value = -2.0 * constant / (linear + root)
                    else:
                        value = (root - linear) / (2.0 * square)
                value = max(value, 0.0)
                fitted[e, y, x] = value
                dual[e, y, x] = wanted - value


@njit(cache=True, nogil=True, parallel=True)
def fit_squares(
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
    elements, rows, columns = smooth.shape
    for y in prange(rows):
        for e in range(elements):
            pull = penalty[e]
            for x in range(columns):
                wanted = (
                    relaxation * smooth[e, y, x]
                    + (1.0 - relaxation) * fitted[e, y, x]
                    + dual[e, y, x]
                )
                rate, weight = expected[e, y, x], 1.0 / variance[e, y, x]
                value = rate * weight * signal[e, y, x] + pull * wanted
                value = max(value / (rate * rate * weight + pull), 0.0)
                fitted[e, y, x] = value
                dual[e, y, x] = wanted - value
