"""Distances in a crystal: the nearest image, exactly, for cells of any shape."""

from __future__ import annotations

import numpy as np
from numba import njit

from crewe.physics.small_matrices import inverse
from crewe.specimens.cloud import Array


def plane_spacings(cell: Array) -> Array:
    """Return the distances between lattice planes (100), (010), (001) in Å, (3,)."""
    return 1 / np.linalg.norm(inverse(cell), axis=0)


@njit(cache=True, nogil=True)
def nearest_image(
    u: float, v: float, w: float, cell: Array, spacings: Array, reach: float, itself: bool
) -> tuple[float, float, float, float]:
    """Squared length of the shortest of (u, v, w) plus lattice vectors, and which that is.

    Coordinates are in units of the lattice vectors. If none is shorter than `reach`, `reach`²
    and zeros are returned. An image whose plane is farther than `reach` along any axis is never
    looked at, so cells of any shape are exact and few images are tried. With `itself` the zero
    vector does not count.
    """
    best, p0, q0, r0 = reach * reach, 0.0, 0.0, 0.0
    u, v, w = u - np.rint(u), v - np.rint(v), w - np.rint(w)
    limit = reach / spacings[0]
    for i in range(int(np.ceil(-limit - u)), int(np.floor(limit - u)) + 1):
        limit = np.sqrt(best) / spacings[1]
        for j in range(int(np.ceil(-limit - v)), int(np.floor(limit - v)) + 1):
            limit = np.sqrt(best) / spacings[2]
            for k in range(int(np.ceil(-limit - w)), int(np.floor(limit - w)) + 1):
                if itself and i == 0 and j == 0 and k == 0:
                    continue
                p, q, r = u + i, v + j, w + k
                x = p * cell[0, 0] + q * cell[1, 0] + r * cell[2, 0]
                y = p * cell[0, 1] + q * cell[1, 1] + r * cell[2, 1]
                z = p * cell[0, 2] + q * cell[1, 2] + r * cell[2, 2]
                squared = x * x + y * y + z * z
                if squared < best:
                    best, p0, q0, r0 = squared, p, q, r
    return best, p0, q0, r0
