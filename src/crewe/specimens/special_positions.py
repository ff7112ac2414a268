"""From a random point to a site of a space group: special positions and orbits."""

from __future__ import annotations

import numpy as np
from numba import njit

from crewe.specimens.cloud import Array
from crewe.specimens.nearest import nearest_image

# Images closer than this (Å) are one atom.
SAME = 1e-3


@njit(cache=True, nogil=True)
def to_special_position(
    site: Array, rotations: Array, shifts: Array, cell: Array, spacings: Array, merge: float
) -> int:
    """Move a site (3,), in place, onto the mean of its images within `merge` Å until none is left.

    An image that came that near lies on the other side of a symmetry element; the mean of a
    site's images under the operations of a site symmetry is the nearest point that has that
    symmetry. Returns the order of the site symmetry, 0 where the mean did not settle.
    """
    for _ in range(40):
        order, farthest = 0, 0.0
        p, q, r = 0.0, 0.0, 0.0
        for m in range(len(shifts)):
            turn = rotations[m]
            u = turn[0, 0] * site[0] + turn[0, 1] * site[1] + turn[0, 2] * site[2]
            v = turn[1, 0] * site[0] + turn[1, 1] * site[1] + turn[1, 2] * site[2]
            w = turn[2, 0] * site[0] + turn[2, 1] * site[1] + turn[2, 2] * site[2]
            squared, du, dv, dw = nearest_image(
                u + shifts[m, 0] - site[0],
                v + shifts[m, 1] - site[1],
                w + shifts[m, 2] - site[2],
                cell,
                spacings,
                merge,
                False,
            )
            if squared < merge * merge:
                order += 1
                farthest = max(farthest, squared)
                p, q, r = p + du, q + dv, r + dw
        site[0], site[1], site[2] = site[0] + p / order, site[1] + q / order, site[2] + r / order
        if farthest < 1e-16:
            return order
    return 0


@njit(cache=True, nogil=True)
def orbit(
    site: Array,
    order: int,
    rotations: Array,
    shifts: Array,
    cell: Array,
    spacings: Array,
    out: Array,
) -> int:
    """Write the distinct images of a site in [0, 1) to `out` (at least m/order, 3); their number.

    The first is the site itself. `order` is that of its site symmetry: every image comes that
    often, which is checked against only where it is more than once.
    """
    count = 0
    for m in range(len(shifts)):
        turn = rotations[m]
        u = turn[0, 0] * site[0] + turn[0, 1] * site[1] + turn[0, 2] * site[2] + shifts[m, 0]
        v = turn[1, 0] * site[0] + turn[1, 1] * site[1] + turn[1, 2] * site[2] + shifts[m, 1]
        w = turn[2, 0] * site[0] + turn[2, 1] * site[1] + turn[2, 2] * site[2] + shifts[m, 2]
        if order > 1 and _known(u, v, w, out, count, cell, spacings):
            continue
        if count == len(out):
            return -1
        out[count, 0], out[count, 1], out[count, 2] = (
            u - np.floor(u),
            v - np.floor(v),
            w - np.floor(w),
        )
        count += 1
    return count


@njit(cache=True, nogil=True)
def _known(
    u: float, v: float, w: float, out: Array, count: int, cell: Array, spacings: Array
) -> bool:
    for n in range(count):
        squared, _, _, _ = nearest_image(
            u - out[n, 0], v - out[n, 1], w - out[n, 2], cell, spacings, SAME, False
        )
        if squared < SAME * SAME:
            return True
    return False


@njit(cache=True, nogil=True)
def nearest_distance(
    site: Array, others: Array, count: int, cell: Array, spacings: Array, reach: float
) -> float:
    """Smallest distance of a site to the first `count` others, or `reach` if none is nearer."""
    for n in range(count):
        squared, _, _, _ = nearest_image(
            site[0] - others[n, 0],
            site[1] - others[n, 1],
            site[2] - others[n, 2],
            cell,
            spacings,
            reach,
            False,
        )
        reach = min(reach, np.sqrt(squared))
    return reach
