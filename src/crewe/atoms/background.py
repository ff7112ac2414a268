"""Backgrounds as a mesh of knots with bilinear interpolation between them.

One knot is a constant, 2×2 knots a plane with a twist, more of them a local background;
so every background is the same few sparse products.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from scipy import sparse

from crewe.atoms.peaks import axis_factors, factored_slopes
from crewe.atoms.stamps import Array, Grid, Index, window


class Mesh(NamedTuple):
    """Knots along y and x; the outermost lie on the outermost pixels."""

    knots_y: int
    knots_x: int


def choose_mesh(kind: str, grid: Grid, spacing: float) -> Mesh:
    """Mesh of a `constant`, `plane` or `local` background (knots about `spacing` apart)."""
    if kind == "constant":
        return Mesh(1, 1)
    if kind == "plane":
        return Mesh(2, 2)
    length_y, length_x = (grid.rows - 1) * grid.step_y, (grid.columns - 1) * grid.step_x
    return Mesh(max(2, round(length_y / spacing) + 1), max(2, round(length_x / spacing) + 1))


def _hats(pixels: int, knots: int) -> sparse.csr_array:
    """Linear interpolation from knots to pixels, (pixels, knots)."""
    if knots == 1:
        return sparse.csr_array(np.ones((pixels, 1)))
    position = np.arange(pixels) * (knots - 1) / (pixels - 1)
    left = np.minimum(position.astype(int), knots - 2)
    share = position - left
    rows = np.repeat(np.arange(pixels), 2)
    data = np.stack([1 - share, share], axis=1).ravel()
    return sparse.csr_array(
        (data, (rows, np.stack([left, left + 1], axis=1).ravel())), shape=(pixels, knots)
    )


def draw_background(grid: Grid, mesh: Mesh, knots: Array) -> Array:
    """Image of a background whose knots have the values `knots` (knots_y * knots_x)."""
    if mesh == (1, 1):
        return np.full((grid.rows, grid.columns), knots[0])
    along_y = _hats(grid.rows, mesh.knots_y) @ knots.reshape(mesh)
    return np.ascontiguousarray((_hats(grid.columns, mesh.knots_x) @ along_y.T).T)


def project_background(image: Array, mesh: Mesh) -> Array:
    """Inner product of an image with every knot's hat, (knots_y * knots_x,)."""
    along_y = _hats(image.shape[0], mesh.knots_y).T @ image
    return (_hats(image.shape[1], mesh.knots_x).T @ along_y.T).T.ravel()


def background_overlaps(weight: Array, mesh: Mesh) -> sparse.csr_array:
    """Weighted inner products of the hats with one another, (knots, knots)."""
    hats_y, hats_x = (_hats(n, k) for n, k in zip(weight.shape, mesh, strict=True))
    index = np.arange(mesh.knots_y * mesh.knots_x).reshape(mesh)
    rows, columns, data = [], [], []
    for shift_y in range(-1, 2):
        for shift_x in range(-1, 2):
            here_y, there_y = _shifted(mesh.knots_y, shift_y)
            here_x, there_x = _shifted(mesh.knots_x, shift_x)
            if not len(here_y) or not len(here_x):
                continue
            product_y = hats_y[:, here_y].multiply(hats_y[:, there_y])
            product_x = hats_x[:, here_x].multiply(hats_x[:, there_x])
            rows.append(index[np.ix_(here_y, here_x)].ravel())
            columns.append(index[np.ix_(there_y, there_x)].ravel())
            data.append((product_x.T @ (product_y.T @ weight).T).T.ravel())
    size = index.size
    entries = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(entries, shape=(size, size))


def _shifted(size: int, shift: int) -> tuple[Index, Index]:
    here = np.arange(max(0, -shift), min(size, size - shift))
    return here, here + shift


@njit(cache=True, parallel=True)
def _cross(
    weight: Array,
    grid: Grid,
    x: Array,
    y: Array,
    width: Array,
    radius: Array,
    shape: int,
    knots_y: int,
    knots_x: int,
    reach_y: int,
    reach_x: int,
) -> tuple[Array, Index]:
    count = reach_y * reach_x
    values = np.zeros((len(x), 4, count))
    knot = np.zeros((len(x), count), np.int64)
    scale_y = (knots_y - 1) / max(grid.rows - 1, 1)
    scale_x = (knots_x - 1) / max(grid.columns - 1, 1)
    for n in prange(len(x)):
        i0, i1 = window(y[n], radius[n], grid.step_y, grid.rows)
        j0, j1 = window(x[n], radius[n], grid.step_x, grid.columns)
        a0 = max(0, min(int(i0 * scale_y), knots_y - reach_y))
        b0 = max(0, min(int(j0 * scale_x), knots_x - reach_x))
        for a in range(reach_y):
            for b in range(reach_x):
                knot[n, a * reach_x + b] = (a0 + a) * knots_x + b0 + b
        along_y = axis_factors(shape, i0, i1, grid.step_y, y[n], width[n])
        along_x = axis_factors(shape, j0, j1, grid.step_x, x[n], width[n])
        limit = radius[n] * radius[n]
        for i in range(i0, i1 + 1):
            dy = i * grid.step_y - y[n]
            a = min(int(i * scale_y), max(knots_y - 2, 0))
            v = i * scale_y - a
            for j in range(j0, j1 + 1):
                dx = j * grid.step_x - x[n]
                r2 = dx * dx + dy * dy
                if r2 > limit:
                    continue
                g, s, _ = factored_slopes(shape, along_y[i - i0], along_x[j - j0], r2, width[n])
                b = min(int(j * scale_x), max(knots_x - 2, 0))
                u = j * scale_x - b
                for p in range(min(2, knots_y)):
                    for q in range(min(2, knots_x)):
                        hat = (v if p else 1 - v) * (u if q else 1 - u) * weight[i, j]
                        k = (a - a0 + p) * reach_x + b - b0 + q
                        values[n, 0, k] += g * hat
                        values[n, 1, k] += s * dx * hat
                        values[n, 2, k] += s * dy * hat
                        values[n, 3, k] += s * r2 * hat
    return values, knot


def cross_overlaps(
    weight: Array,
    grid: Grid,
    x: Array,
    y: Array,
    width: Array,
    radius: Array,
    shape: int,
    mesh: Mesh,
) -> tuple[Array, Index]:
    """Weighted inner products of (g, s·dx, s·dy, s·r²) of each column with the hats it touches.

    Returns values (N, 4, R) and the knot number of each, (N, R).
    """
    spans = 2 * radius.max() / np.array([grid.step_y, grid.step_x])
    reach = [
        int(min(k, np.ceil(span * (k - 1) / max(n - 1, 1)) + 3))
        for k, n, span in zip(mesh, (grid.rows, grid.columns), spans, strict=True)
    ]
    return _cross(weight, grid, x, y, width, radius, shape, *mesh, *reach)
