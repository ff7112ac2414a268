"""The compiled loops under the elastic model: one pass over the pixels of some image rows.

x (n, y, x) amounts, b (rows, y, x) signals, w (rows, n) weights, γ (rows,). Threads share out the
image rows `first` to `last`; sums are kept row by row and added afterwards, so that they do not
depend on the number of threads.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.floating]
Sums = NDArray[np.float64]


@njit(cache=True, nogil=True)
def predictions(x: Array, weights: Sums, gammas: Sums, found: Array, first: int, last: int) -> None:
    """A xᵞ, each row of A with its own γ."""
    for i in range(first, last):
        for j in range(x.shape[2]):
            for r in range(len(weights)):
                gamma = x.dtype.type(gammas[r])
                total = 0.0
                for e in range(len(x)):
                    total += weights[r, e] * x[e, i, j] ** gamma
                found[r, i, j] = total


@njit(cache=True, nogil=True)
def misfits(
    x: Array, b: Array, weights: Sums, gammas: Sums, sums: Sums, first: int, last: int
) -> None:
    """Squares of A xᵞ − b, summed along each row of the image."""
    for i in range(first, last):
        squares = 0.0
        for j in range(x.shape[2]):
            for r in range(len(weights)):
                gamma = x.dtype.type(gammas[r])
                total = 0.0
                for e in range(len(x)):
                    total += weights[r, e] * x[e, i, j] ** gamma
                squares += (total - b[r, i, j]) ** 2
        sums[i] = squares


@njit(cache=True, nogil=True)
def slopes(
    x: Array,
    b: Array,
    weights: Sums,
    gammas: Sums,
    gradient: Array,
    bound: Array,
    sums: Sums,
    first: int,
    last: int,
) -> None:
    """Squares as in `misfits`; fills the gradient (eq. 2) and a diagonal that bounds eq. 4."""
    elements = len(x)
    v, curve = np.empty(elements), np.empty(elements)
    slope, limit = np.empty(elements), np.empty(elements)
    for i in range(first, last):
        squares = 0.0
        for j in range(x.shape[2]):
            slope[:], limit[:] = 0, 0
            for r in range(len(weights)):
                residual, reach = _pixel(x, b, weights, gammas, r, i, j, v, curve)
                squares += residual * residual
                for e in range(elements):
                    slope[e] += residual * v[e]
                    limit[e] += abs(v[e]) * reach + max(residual * curve[e], 0.0)
            for e in range(elements):
                gradient[e, i, j] = slope[e]
                bound[e, i, j] = limit[e]
        sums[i] = squares


@njit(cache=True, nogil=True)
def curvatures(
    x: Array, b: Array, weights: Sums, gammas: Sums, blocks: Sums, first: int, last: int
) -> None:
    """Fill the Hessian (n, n, y, x), eq. 4."""
    elements = len(x)
    v, curve = np.empty(elements), np.empty(elements)
    for i in range(first, last):
        for j in range(x.shape[2]):
            blocks[:, :, i, j] = 0
            for r in range(len(weights)):
                residual, _ = _pixel(x, b, weights, gammas, r, i, j, v, curve)
                for e in range(elements):
                    blocks[e, e, i, j] += residual * curve[e]
                    for f in range(elements):
                        blocks[e, f, i, j] += v[e] * v[f]


@njit(cache=True, nogil=True)
def _pixel(
    x: Array,
    b: Array,
    weights: Sums,
    gammas: Sums,
    r: int,
    i: int,
    j: int,
    v: Sums,
    curve: Sums,
) -> tuple[float, float]:
    """Residual and Σ|v| of one row of A; fills v = γ w xᵞ⁻¹ and curve = γ(γ−1) w xᵞ⁻².

    At x = 0 curve is 0, although for γ < 2 its limit is not.
    """
    residual, reach = -float(b[r, i, j]), 0.0
    gamma = gammas[r]
    exponent = x.dtype.type(gamma - 1)
    for e in range(len(x)):
        amount = x[e, i, j]
        power = float(amount**exponent)
        residual += weights[r, e] * power * amount
        v[e] = gamma * weights[r, e] * power
        curve[e] = (gamma - 1) * v[e] / amount if amount > 0 else 0.0
        reach += abs(v[e])
    return residual, reach
