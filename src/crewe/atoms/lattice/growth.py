"""Follow a lattice from column to column, as it bends, stretches and goes round defects."""

import heapq
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from crewe.atoms.lattice.placement import nearest_sites, stretch
from crewe.atoms.lattice.pose import TOLERANCE, Crystal
from crewe.atoms.lattice.prediction import predict
from crewe.atoms.stamps import Array, Index, Mask

# Neighbours that may tell a column its place, those that must agree on it, those it tells.
NEIGHBOURS, FEWEST, TOLD = 24, 2, 12
# Of these nearest columns this part must be in the lattice too, or the column is a coincidence.
AROUND, SUPPORT = 8, 0.45
# Two columns this near, in parts of the least distance between sites, are not two sites.
TOO_CLOSE = 0.6


class Grown(NamedTuple):
    """Columns that were reached, N as many as points."""

    site: Index
    """Site (N,), −1 where not reached."""
    cell: Index
    """Cell (N, 2)."""
    error: Array
    """Distance (N,) in Å from where the neighbours say it is."""
    vectors: Array
    """Edges (N, 2, 2) around each column."""


def neighbours(points: Array) -> Index:
    """The nearest other points (N, K) of each, nearest first."""
    count = min(NEIGHBOURS, len(points) - 1)
    _, nearest = cKDTree(points).query(points, k=count + 1)
    return np.ascontiguousarray(nearest[:, 1:], dtype=np.int64)


def nothing_grown(count: int) -> Grown:
    """Nothing reached yet among so many columns."""
    return Grown(
        np.full(count, -1, dtype=np.int64),
        np.zeros((count, 2), dtype=np.int64),
        np.full(count, np.inf),
        np.zeros((count, 2, 2)),
    )


def sow(
    grown: Grown,
    points: Array,
    rows: Index,
    crystal: Crystal,
    origin: Array,
    vectors: Array,
    part: float = 1.0,
) -> None:
    """Index the columns `rows` on sites of a straight lattice, within a part of the tolerance."""
    site, cell, error = nearest_sites(points[rows], origin, vectors, crystal.sites)
    near = (error < part * crystal.tolerance) & (grown.site[rows] < 0)
    kept = rows[near]
    grown.site[kept], grown.cell[kept] = site[near], cell[near]
    grown.error[kept], grown.vectors[kept] = error[near], vectors


def grow(
    grown: Grown,
    points: Array,
    around: Index,
    free: Mask,
    crystal: Crystal,
    edges: Array,
    limit: float,
) -> None:
    """Index, in place, all `free` (N,) columns that follow from their indexed neighbours.

    Those with most indexed neighbours go first. Where the local lattice is stretched from the
    `edges` (2, 2) by more than `limit`, it is no longer this one. What stands alone afterwards
    is taken back.
    """
    close = TOO_CLOSE * crystal.tolerance / TOLERANCE
    setting = (crystal.sites, edges, crystal.tolerance, limit)
    _spread(*grown, points, around, free, *setting, close)
    _take_back(*grown, points, around, *setting)


@njit(cache=True, nogil=True)
def _spread(
    site: Index,
    cell: Index,
    error: Array,
    vectors: Array,
    points: Array,
    around: Index,
    free: Mask,
    sites: Array,
    edges: Array,
    tolerance: float,
    limit: float,
    close: float,
) -> None:
    queue = [(0.0, -1)]
    heapq.heappop(queue)
    for n in range(len(points)):
        if site[n] >= 0:
            _tell(n, queue, site, free, around)
    while len(queue) > 0:
        _, n = heapq.heappop(queue)
        if site[n] >= 0:
            continue
        s, i, j, miss, local, count = predict(
            n, site, cell, vectors, points, around, sites, tolerance
        )
        if count < FEWEST or miss > tolerance or stretch(edges, local) > limit:
            continue
        if _taken(n, s, i, j, site, cell, points, around, close):
            continue
        site[n], cell[n, 0], cell[n, 1], error[n] = s, i, j, miss
        vectors[n] = local
        _tell(n, queue, site, free, around)


@njit(cache=True, nogil=True)
def _tell(n: int, queue: list[tuple[float, int]], site: Index, free: Mask, around: Index) -> None:
    """Queue the free neighbours of a column, those with most indexed neighbours first."""
    for other in around[n, :TOLD]:
        if site[other] < 0 and free[other]:
            known = 0
            for third in around[other, :TOLD]:
                known += site[third] >= 0
            heapq.heappush(queue, (-float(known), other))


@njit(cache=True, nogil=True)
def _taken(
    n: int,
    s: int,
    i: int,
    j: int,
    site: Index,
    cell: Index,
    points: Array,
    around: Index,
    close: float,
) -> bool:
    """Whether another column so near that both cannot be right has this place."""
    for other in around[n]:
        if site[other] == s and cell[other, 0] == i and cell[other, 1] == j:
            apart = points[other] - points[n]
            if np.hypot(apart[0], apart[1]) < close:
                return True
    return False


@njit(cache=True, nogil=True)
def _take_back(
    site: Index,
    cell: Index,
    error: Array,
    vectors: Array,
    points: Array,
    around: Index,
    sites: Array,
    edges: Array,
    tolerance: float,
    limit: float,
) -> None:
    """Refresh the misfits; take back columns that few around them share the lattice with."""
    changed = True
    while changed:
        changed = False
        for n in range(len(points)):
            if site[n] < 0:
                continue
            s, i, j, miss, local, count = predict(
                n, site, cell, vectors, points, around, sites, tolerance
            )
            right = s == site[n] and i == cell[n, 0] and j == cell[n, 1] and count >= FEWEST
            near = around[n, :AROUND]
            support = (site[near] >= 0).sum() / len(near)
            strained = stretch(edges, local) > limit
            if not right or miss > tolerance or support < SUPPORT or strained:
                site[n], error[n], changed = -1, np.inf, True
            else:
                error[n], vectors[n] = miss, local
