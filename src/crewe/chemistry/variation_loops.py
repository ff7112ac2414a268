"""The compiled loops under the total variation of one map.

Differences are forward ones, zero across the last row and the last column. So the dual field
(down, right) is always zero in its last row (down) and last column (right), and the row above
the first is read from the last: index −1.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.floating]
# Looking at the gap costs as much as an iteration.
ITERATIONS_PER_LOOK = 5


@njit(cache=True, nogil=True)
def length_of_gradient(u: Array) -> float:
    """Sum over pixels of the gradient's length."""
    rows, columns = u.shape
    total = 0.0
    for i in range(rows):
        here, below = u[i], u[min(i + 1, rows - 1)]
        for j in range(columns):
            down = below[j] - here[j]
            right = here[min(j + 1, columns - 1)] - here[j]
            total += np.sqrt(down * down + right * right)
    return total


@njit(cache=True, nogil=True)
def missing_alignment(u: Array, down: Array, right: Array) -> float:
    """Sum of |∇u| − p·∇u: the duality gap before its weight, never negative."""
    rows, columns = u.shape
    total = 0.0
    for i in range(rows):
        here, below = u[i], u[min(i + 1, rows - 1)]
        for j in range(columns):
            a = below[j] - here[j]
            b = here[min(j + 1, columns - 1)] - here[j]
            total += np.sqrt(a * a + b * b) - (a * down[i, j] + b * right[i, j])
    return total


@njit(cache=True, nogil=True)
def primal(v: Array, pull: Array, down: Array, right: Array, least: float, u: Array) -> None:
    """Set u = max(v − pull·Kᵀp, least), K the gradient and p the dual field (down, right)."""
    rows, columns = v.shape
    for i in range(rows):
        above, here, left = down[i - 1], down[i], right[i]
        u[i, 0] = max(v[i, 0] - pull[i, 0] * (above[0] - here[0] - left[0]), least)
        for j in range(1, columns):
            moved = v[i, j] - pull[i, j] * (above[j] - here[j] + left[j - 1] - left[j])
            u[i, j] = max(moved, least)


@njit(cache=True, nogil=True)
def climb(u: Array, rate: Array, keep: float, field: Array, ahead: Array) -> None:
    """One projected step of the dual field from the point ahead, then the next point ahead."""
    rows, columns = u.shape
    one = u.dtype.type(1)
    for i in range(rows):
        here, below = u[i], u[min(i + 1, rows - 1)]
        down, right = field[0, i], field[1, i]
        ahead_down, ahead_right = ahead[0, i], ahead[1, i]
        for j in range(columns - 1):
            a = ahead_down[j] + rate[i, j] * (below[j] - here[j])
            b = ahead_right[j] + rate[i, j] * (here[j + 1] - here[j])
            shrink = one / max(one, np.sqrt(a * a + b * b))
            a, b = a * shrink, b * shrink
            ahead_down[j] = a + keep * (a - down[j])
            ahead_right[j] = b + keep * (b - right[j])
            down[j], right[j] = a, b
        j = columns - 1
        a = max(-one, min(one, ahead_down[j] + rate[i, j] * (below[j] - here[j])))
        ahead_down[j] = a + keep * (a - down[j])
        down[j] = a


@njit(cache=True, nogil=True)
def set_steps(metric: Array, weight: float, pull: Array, rate: Array) -> None:
    """Set pull = weight/metric, and the dual step that the curvature of the pixels allows."""
    rows, columns = metric.shape
    one, four = metric.dtype.type(1), metric.dtype.type(4)
    tiny = metric.dtype.type(1e-30)
    for i in range(rows):
        for j in range(columns):
            pull[i, j] = weight / metric[i, j]
    for i in range(rows):
        for j in range(columns):
            near = max(pull[min(i + 1, rows - 1), j], pull[i, min(j + 1, columns - 1)])
            rate[i, j] = one / max(four * (pull[i, j] + near), tiny)


@njit(cache=True, nogil=True)
def half_squares(u: Array, v: Array, metric: Array) -> float:
    """½Σ d (u − v)²."""
    rows, columns = u.shape
    total = 0.0
    for i in range(rows):
        for j in range(columns):
            away = u[i, j] - v[i, j]
            total += metric[i, j] * away * away
    return 0.5 * total


@njit(cache=True, nogil=True)
def smooth_channel(
    v: Array,
    weight: float,
    metric: Array,
    least: float,
    relative: float,
    absolute: float,
    iterations: int,
    field: Array,
    u: Array,
) -> tuple[float, int]:
    """Work in place of `field` and `u`; return the gap and the iterations."""
    floor = v.dtype.type(least)
    if weight == 0:
        for i in range(len(v)):
            for j in range(v.shape[1]):
                u[i, j] = max(v[i, j], floor)
        return 0.0, 0
    pull, rate = np.empty_like(v), np.empty_like(v)
    set_steps(metric, v.dtype.type(weight), pull, rate)
    ahead = field.copy()
    speed, count, last = 1.0, 0, np.inf
    while True:
        primal(v, pull, field[0], field[1], floor, u)
        gap = weight * missing_alignment(u, field[0], field[1])
        limit = absolute
        if relative > 0:
            bound = half_squares(u, v, metric) + weight * length_of_gradient(u)
            limit = max(limit, relative * bound)
        if gap <= limit or count >= iterations:
            return gap, count
        if gap > last:
            # Momentum that carried too far: start it anew from here.
            ahead[:] = field
            speed = 1.0
        last = gap
        for _ in range(min(ITERATIONS_PER_LOOK, iterations - count)):
            faster = (1 + np.sqrt(1 + 4 * speed * speed)) / 2
            primal(v, pull, ahead[0], ahead[1], floor, u)
            climb(u, rate, v.dtype.type((speed - 1) / faster), field, ahead)
            speed = faster
            count += 1
