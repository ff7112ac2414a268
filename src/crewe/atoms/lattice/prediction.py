"""Where a column's indexed neighbours say it is."""

import numpy as np
from numba import njit

from crewe.atoms.lattice.placement import nearest_sites
from crewe.atoms.stamps import Array, Index

# Indexed neighbours that are asked.
ASKED = 12
# What the vectors handed on weigh against those of the neighbours, in squared cells.
INERTIA = 0.5


@njit(cache=True, nogil=True)
def predict(
    n: int,
    site: Index,
    cell: Index,
    vectors: Array,
    points: Array,
    around: Index,
    sites: Array,
    tolerance: float,
) -> tuple[int, int, int, float, Array, int]:
    """Site, cell (i, j), misfit in Å, local edges and number of voices for one column.

    The neighbours that agree with the nearest, second or third indexed one, whichever has most
    on its side, are fitted by a local lattice. Across the cut that starts at a dislocation the
    two sides disagree; then the majority speaks.
    """
    known = around[n][site[around[n]] >= 0][:ASKED]
    local = np.zeros((2, 2))
    best, chosen = 0, known
    for first in known[:3]:
        agreeing = _agreeing(first, known, site, cell, vectors, points, sites, tolerance)
        if len(agreeing) > best:
            best, chosen = len(agreeing), agreeing
    if best == 0 or 2 * best < len(known):
        return -1, 0, 0, np.inf, local, 0
    local, origin = _local_lattice(chosen, site, cell, vectors, points, sites)
    s, place, miss = nearest_sites(points[n : n + 1], origin, local, sites)
    return s[0], place[0, 0], place[0, 1], miss[0], local, best


@njit(cache=True, nogil=True)
def _agreeing(
    first: int,
    known: Index,
    site: Index,
    cell: Index,
    vectors: Array,
    points: Array,
    sites: Array,
    tolerance: float,
) -> Index:
    """Those of the known columns that stand where the first of them says."""
    keep = np.zeros(len(known), dtype=np.bool_)
    for k in range(len(known)):
        other = known[k]
        u = cell[other] - cell[first] + sites[site[other]] - sites[site[first]]
        x = points[first, 0] + u[0] * vectors[first, 0, 0] + u[1] * vectors[first, 1, 0]
        y = points[first, 1] + u[0] * vectors[first, 0, 1] + u[1] * vectors[first, 1, 1]
        apart = np.hypot(points[other, 0] - x, points[other, 1] - y)
        keep[k] = apart < 1.5 * tolerance
    return known[keep]


@njit(cache=True, nogil=True)
def _local_lattice(
    rows: Index, site: Index, cell: Index, vectors: Array, points: Array, sites: Array
) -> tuple[Array, Array]:
    """Edges and origin of the lattice through some indexed columns, near the edges they have."""
    mu = mv = mx = my = 0.0
    before = np.zeros((2, 2))
    for row in rows:
        mu += (cell[row, 0] + sites[site[row], 0]) / len(rows)
        mv += (cell[row, 1] + sites[site[row], 1]) / len(rows)
        mx += points[row, 0] / len(rows)
        my += points[row, 1] / len(rows)
        before += vectors[row] / len(rows)
    uu, uv, vv = INERTIA, 0.0, INERTIA
    right = INERTIA * before
    for row in rows:
        u = cell[row, 0] + sites[site[row], 0] - mu
        v = cell[row, 1] + sites[site[row], 1] - mv
        x, y = points[row, 0] - mx, points[row, 1] - my
        uu, uv, vv = uu + u * u, uv + u * v, vv + v * v
        right[0, 0] += u * x
        right[0, 1] += u * y
        right[1, 0] += v * x
        right[1, 1] += v * y
    det = uu * vv - uv * uv
    local = np.empty((2, 2))
    local[0] = (vv * right[0] - uv * right[1]) / det
    local[1] = (uu * right[1] - uv * right[0]) / det
    origin = np.array([mx, my]) - mu * local[0] - mv * local[1]
    return local, origin
