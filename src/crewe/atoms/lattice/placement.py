"""The compiled arithmetic of a lattice laid on points: turn, stretch, nearest sites, brightness."""

import numpy as np
from numba import njit

from crewe.atoms.stamps import Array, Index


@njit(cache=True, nogil=True)
def turned(edges: Array, angle: float, hand: int) -> Array:
    """Edges (2, 2), mirrored in x where `hand` is −1, turned from x towards y."""
    c, s = np.cos(angle), np.sin(angle)
    vectors = np.empty((2, 2))
    for n in range(2):
        x, y = edges[n, 0], hand * edges[n, 1]
        vectors[n, 0], vectors[n, 1] = c * x - s * y, s * x + c * y
    return vectors


@njit(cache=True, nogil=True)
def correlation(first: Array, second: Array) -> float:
    """Pearson's correlation, 0 where one of the two does not vary."""
    a, b = first - first.mean(), second - second.mean()
    size = np.sqrt((a * a).sum() * (b * b).sum())
    return (a * b).sum() / size if size > 1e-12 else 0.0


@njit(cache=True, nogil=True)
def nearest_sites(
    points: Array, origin: Array, vectors: Array, sites: Array
) -> tuple[Index, Index, Array]:
    """Nearest site (N,) of points (N, 2), its cell (N, 2), and the distance (N,) in Å."""
    (ax, ay), (bx, by) = vectors[0], vectors[1]
    det = ax * by - ay * bx
    site = np.zeros(len(points), dtype=np.int64)
    cell = np.zeros((len(points), 2), dtype=np.int64)
    error = np.full(len(points), np.inf)
    for n in range(len(points)):
        x, y = points[n, 0] - origin[0], points[n, 1] - origin[1]
        u, v = (x * by - y * bx) / det, (y * ax - x * ay) / det
        for s in range(len(sites)):
            i, j = round(u - sites[s, 0]), round(v - sites[s, 1])
            du, dv = u - sites[s, 0] - i, v - sites[s, 1] - j
            distance = np.hypot(du * ax + dv * bx, du * ay + dv * by)
            if distance < error[n]:
                error[n], site[n], cell[n, 0], cell[n, 1] = distance, s, i, j
    return site, cell, error


@njit(cache=True, nogil=True)
def stretch(edges: Array, vectors: Array) -> float:
    """Largest principal stretch, less 1, from one pair of vectors to another, as a number ≥ 0."""
    det = edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0]
    p = (edges[1, 1] * vectors[0] - edges[0, 1] * vectors[1]) / det
    q = (edges[0, 0] * vectors[1] - edges[1, 0] * vectors[0]) / det
    half = 0.5 * ((p * p).sum() + (q * q).sum())
    area = abs(p[0] * q[1] - p[1] * q[0])
    root = np.sqrt(max(half * half - area * area, 0.0))
    return max(np.sqrt(half + root) - 1, 1 - np.sqrt(max(half - root, 0.0)))
