"""The compiled loops under the column model: draw columns, project images on them, overlap them.

Every image that the fit needs is a sum over columns of seven radial terms,

    g,  s·dx,  s·dy,  s·r²,  t·dx² − s,  t·dy² − s,  t·dx·dy

(value, first derivatives, width derivative, second derivatives; see `peaks`). So one loop draws
them all, one projects an image on them, and one integrates their products.
Lengths are in the unit of the pixel size; columns must be sorted by `y` for `draw`.
"""

from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from crewe.atoms.peaks import axis_factors, factored_slopes

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Grid(NamedTuple):
    """Pixel grid: rows and columns, and the pixel size along each in the unit of length."""

    rows: int
    columns: int
    step_y: float
    step_x: float


@njit(cache=True, inline="always")
def window(centre: float, radius: float, step: float, size: int) -> tuple[int, int]:
    """First and last pixel within `radius` of a centre, clipped to the image."""
    first = max(0, int(np.ceil((centre - radius) / step)))
    last = min(size - 1, int(np.floor((centre + radius) / step)))
    return first, last


@njit(cache=True)
def _draw_band(
    band: Array,
    row0: int,
    grid: Grid,
    x: Array,
    y: Array,
    width: Array,
    radius: Array,
    terms: Array,
    shape: int,
    first: int,
    last: int,
) -> None:
    for n in range(first, last):
        i0, i1 = window(y[n], radius[n], grid.step_y, grid.rows)
        i0, i1 = max(i0, row0), min(i1, row0 + band.shape[0] - 1)
        j0, j1 = window(x[n], radius[n], grid.step_x, grid.columns)
        along_y = axis_factors(shape, i0, i1, grid.step_y, y[n], width[n])
        along_x = axis_factors(shape, j0, j1, grid.step_x, x[n], width[n])
        limit = radius[n] * radius[n]
        c = terms[n]
        for i in range(i0, i1 + 1):
            dy = i * grid.step_y - y[n]
            for j in range(j0, j1 + 1):
                dx = j * grid.step_x - x[n]
                r2 = dx * dx + dy * dy
                if r2 > limit:
                    continue
                g, s, t = factored_slopes(shape, along_y[i - i0], along_x[j - j0], r2, width[n])
                band[i - row0, j] += (
                    c[0] * g
                    + s * (c[1] * dx + c[2] * dy + c[3] * r2 - c[4] - c[5])
                    + t * (c[4] * dx * dx + c[5] * dy * dy + c[6] * dx * dy)
                )


@njit(cache=True, parallel=True)
def _draw(
    image: Array,
    grid: Grid,
    x: Array,
    y: Array,
    width: Array,
    radius: Array,
    terms: Array,
    shape: int,
    bounds: Index,
    first: Index,
    last: Index,
) -> None:
    for b in prange(len(bounds) - 1):
        band = image[bounds[b] : bounds[b + 1]]
        _draw_band(band, bounds[b], grid, x, y, width, radius, terms, shape, first[b], last[b])


def draw(
    grid: Grid, x: Array, y: Array, width: Array, radius: Array, shape: int, terms: Array
) -> Array:
    """Sum of the seven radial terms of all columns, weighted by `terms` (N, 7), as an image."""
    image = np.zeros((grid.rows, grid.columns))
    if len(x):
        bounds = np.linspace(0, grid.rows, min(grid.rows, 4 * get_num_threads()) + 1).astype(int)
        reach = radius.max()
        first = np.searchsorted(y, bounds[:-1] * grid.step_y - reach)
        last = np.searchsorted(y, bounds[1:] * grid.step_y + reach)
        _draw(image, grid, x, y, width, radius, terms, shape, bounds, first, last)
    return image


@njit(cache=True, parallel=True)
def project(
    image: Array, grid: Grid, x: Array, y: Array, width: Array, radius: Array, shape: int
) -> Array:
    """Inner products of an image with g, s·dx, s·dy and s·r² of each column, (N, 4)."""
    result = np.zeros((len(x), 4))
    for n in prange(len(x)):
        i0, i1 = window(y[n], radius[n], grid.step_y, grid.rows)
        j0, j1 = window(x[n], radius[n], grid.step_x, grid.columns)
        along_y = axis_factors(shape, i0, i1, grid.step_y, y[n], width[n])
        along_x = axis_factors(shape, j0, j1, grid.step_x, x[n], width[n])
        limit = radius[n] * radius[n]
        a0 = a1 = a2 = a3 = 0.0
        for i in range(i0, i1 + 1):
            dy = i * grid.step_y - y[n]
            for j in range(j0, j1 + 1):
                dx = j * grid.step_x - x[n]
                r2 = dx * dx + dy * dy
                if r2 > limit:
                    continue
                g, s, _ = factored_slopes(shape, along_y[i - i0], along_x[j - j0], r2, width[n])
                q = image[i, j]
                a0 += g * q
                a1 += s * dx * q
                a2 += s * dy * q
                a3 += s * r2 * q
        result[n] = (a0, a1, a2, a3)
    return result


@njit(cache=True, parallel=True)
def overlaps(
    weight: Array,
    grid: Grid,
    x: Array,
    y: Array,
    width: Array,
    radius: Array,
    shape: int,
    left: Index,
    right: Index,
) -> Array:
    """Weighted integrals of the products of (g, s·dx, s·dy, s·r²) of column pairs, (M, 4, 4)."""
    result = np.zeros((len(left), 4, 4))
    for k in prange(len(left)):
        n, m = left[k], right[k]
        first_n, last_n = window(y[n], radius[n], grid.step_y, grid.rows)
        first_m, last_m = window(y[m], radius[m], grid.step_y, grid.rows)
        i0, i1 = max(first_n, first_m), min(last_n, last_m)
        first_n, last_n = window(x[n], radius[n], grid.step_x, grid.columns)
        first_m, last_m = window(x[m], radius[m], grid.step_x, grid.columns)
        j0, j1 = max(first_n, first_m), min(last_n, last_m)
        y_of_n = axis_factors(shape, i0, i1, grid.step_y, y[n], width[n])
        x_of_n = axis_factors(shape, j0, j1, grid.step_x, x[n], width[n])
        y_of_m = axis_factors(shape, i0, i1, grid.step_y, y[m], width[m])
        x_of_m = axis_factors(shape, j0, j1, grid.step_x, x[m], width[m])
        limit_n, limit_m = radius[n] * radius[n], radius[m] * radius[m]
        block = np.zeros((4, 4))
        for i in range(i0, i1 + 1):
            dyn, dym = i * grid.step_y - y[n], i * grid.step_y - y[m]
            for j in range(j0, j1 + 1):
                dxn, dxm = j * grid.step_x - x[n], j * grid.step_x - x[m]
                rn, rm = dxn * dxn + dyn * dyn, dxm * dxm + dym * dym
                if rn > limit_n or rm > limit_m:
                    continue
                g, s, _ = factored_slopes(shape, y_of_m[i - i0], x_of_m[j - j0], rm, width[m])
                g, s = weight[i, j] * g, weight[i, j] * s
                b1, b2, b3 = s * dxm, s * dym, s * rm
                a0, s, _ = factored_slopes(shape, y_of_n[i - i0], x_of_n[j - j0], rn, width[n])
                for p, a in enumerate((a0, s * dxn, s * dyn, s * rn)):
                    block[p, 0] += a * g
                    block[p, 1] += a * b1
                    block[p, 2] += a * b2
                    block[p, 3] += a * b3
        result[k] = block
    return result
