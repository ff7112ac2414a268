"""Two-dimensional transforms of the three radial functions that make up an atom's image.

With r in units of r_m and q = k·r_m, transforms ∫ f exp(−2πi k·r) d²r in units of r_m².
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CreweError

Array = NDArray[np.float64]
LOWEST_ORDER, HIGHEST_ORDER = 3.0, 32.0
ORDERS = 72
STEPS_PER_Q = 192
LAST_Q = 16.0


def gaussian_transform(q: Any) -> Array:
    """Transform of exp(−r²/2)."""
    result: Array = 2 * np.pi * np.exp(-2 * (np.pi * np.asarray(q)) ** 2)
    return result


def exponential_transform(q: Any) -> Array:
    """Transform of exp(−r)."""
    result: Array = 2 * np.pi * (1 + (2 * np.pi * np.asarray(q)) ** 2) ** -1.5
    return result


def butterworth_transform(q: Any, order: float) -> Array:
    """Transform of 1/(1 + r²ⁿ) for an order n of 3…32, to 3·10⁻⁴ of its value at q = 0.

    It has no closed form and is interpolated in a table made at the first call. Beyond q = 16 it is
    zero. Raises CreweError for other orders.
    """
    if not LOWEST_ORDER <= order <= HIGHEST_ORDER:
        raise CreweError(
            f"Butterworth orders are {LOWEST_ORDER:g}…{HIGHEST_ORDER:g}, got {order:g}"
        )
    # Even steps of 1/n: the smoothness of the edge, hence the fall of the transform, goes with 1/n.
    place = (1 / LOWEST_ORDER - 1 / order) / (1 / LOWEST_ORDER - 1 / HIGHEST_ORDER) * (ORDERS - 1)
    below = min(int(place), ORDERS - 2)
    part = place - below
    table = _butterworth_table()
    row = (1 - part) * table[below] + part * table[below + 1]
    result: Array = np.interp(q, np.arange(len(row)) / STEPS_PER_Q, row, right=0.0)
    return result


def butterworth_integral(order: Any) -> Array:
    """∫ 1/(1 + r²ⁿ) d²r = π·(π/n)/sin(π/n), in closed form."""
    x = np.pi / np.asarray(order, dtype=np.float64)
    result: Array = np.pi * x / np.sin(x)
    return result


@lru_cache(maxsize=1)
def _butterworth_table() -> Array:
    """Hankel transforms by Gauss-Legendre quadrature, as (order, q)."""
    from scipy.special import j0

    radius, weight = _quadrature()
    orders = 1 / np.linspace(1 / LOWEST_ORDER, 1 / HIGHEST_ORDER, ORDERS)
    functions = weight * radius / (1 + radius ** (2 * orders[:, None]))
    q = np.arange(int(LAST_Q * STEPS_PER_Q) + 1) / STEPS_PER_Q
    table = 2 * np.pi * functions @ j0(2 * np.pi * np.outer(radius, q))
    # Processors differ in the last bits of such sums; rounded, images are the same on all.
    result: Array = np.round(table, 8)
    return result


def _quadrature() -> tuple[Array, Array]:
    """Nodes and weights on [0, 12], densest around the edge at r = 1."""
    pieces = [(0.0, 0.7, 60), (0.7, 1.4, 160), (1.4, 3.0, 160), (3.0, 12.0, 200)]
    nodes, weights = [], []
    for start, stop, count in pieces:
        x, w = np.polynomial.legendre.leggauss(count)
        nodes.append(start + (stop - start) * (x + 1) / 2)
        weights.append((stop - start) / 2 * w)
    return np.concatenate(nodes), np.concatenate(weights)
