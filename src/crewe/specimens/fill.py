"""A box filled with a crystal in any orientation: exactly the atoms inside, each made once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from crewe.errors import SpecimenError
from crewe.physics.small_matrices import determinant, inverse, length, product
from crewe.specimens.cloud import Array, AtomCloud, Box, Index, Numbers, checked_box


class Crystal(NamedTuple):
    """A crystal: a cell and what stands in it."""

    cell: Array
    """Lattice vectors a, b, c as rows in Å, (3, 3)."""
    numbers: Numbers
    """Atomic numbers of the basis, (m,)."""
    scaled: Array
    """Positions of the basis in units of the lattice vectors, (m, 3)."""

    def density(self) -> float:
        """Return the number of atoms per Å³."""
        return len(self.numbers) / abs(determinant(self.cell))


# The twelve edges of a box whose corners are numbered by the bits x + 2y + 4z.
_EDGES = np.array(
    [[a, a | bit] for bit in (1, 2, 4) for a in range(8) if not a & bit], dtype=np.int64
)


def fill_box(
    crystal: Crystal,
    box: Box,
    rotation: Array | None = None,
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> AtomCloud:
    """Fill a box with a crystal.

    An atom stands at `rotation @ (scaled @ cell) + offset` plus a lattice vector; those with
    0 ≤ x, y, z < box are returned, ordered by basis atom. `rotation` is (3, 3), the offset in Å.
    Raises SpecimenError for a box or a cell without volume.
    """
    box = checked_box(box)
    turned = crystal.cell if rotation is None else product(crystal.cell, np.asarray(rotation).T)
    if abs(determinant(turned)) < 1e-9:
        raise SpecimenError(f"the lattice vectors {crystal.cell.tolist()} span no volume")
    # The shortest vector goes innermost: its runs through the box are the longest.
    # Rounded, so that vectors of one length keep their order whatever the last bit says.
    order = np.argsort(-np.round([length(v) for v in crystal.cell], 6), kind="stable")
    vectors = np.ascontiguousarray(turned[order])
    start = np.ascontiguousarray(product(crystal.scaled, turned) + np.asarray(offset))
    back = inverse(vectors)
    lengths = np.array(box)
    # The cell of every lattice point in the box lies in the box enlarged by the cell's extent:
    # a bound on their number. What is left over of the arrays is never touched.
    extent = np.abs(vectors).sum(axis=0)
    cells = float(np.prod(lengths + extent)) / abs(determinant(vectors))
    room = len(start) * (int(cells * (1 + 1e-9)) + 1)
    numbers, positions = np.empty(room, np.uint8), np.empty((room, 3))
    count = _place(vectors, back, start, lengths, _EDGES, crystal.numbers, numbers, positions)
    return AtomCloud(numbers[:count], positions[:count], box)


@njit(cache=True, nogil=True)
def _corners(inverse: Array, start: Array, lengths: Array, corners: Array) -> None:
    """Corners of the box in lattice coordinates as seen from one basis atom, into (8, 3)."""
    for n in range(8):
        x = (lengths[0] if n & 1 else 0.0) - start[0]
        y = (lengths[1] if n & 2 else 0.0) - start[1]
        z = (lengths[2] if n & 4 else 0.0) - start[2]
        for axis in range(3):
            corners[n, axis] = x * inverse[0, axis] + y * inverse[1, axis] + z * inverse[2, axis]


@njit(cache=True, nogil=True)
def _second_range(corners: Array, edges: Index, first: float) -> tuple[int, int]:
    """Range of the second lattice coordinate where the box cuts a plane of the first."""
    low, high = np.inf, -np.inf
    for e in range(12):
        a, b = corners[edges[e, 0]], corners[edges[e, 1]]
        if (a[0] < first and b[0] < first) or (a[0] > first and b[0] > first):
            continue
        if a[0] == b[0]:
            low, high = min(low, a[1], b[1]), max(high, a[1], b[1])
            continue
        value = a[1] + (b[1] - a[1]) * (first - a[0]) / (b[0] - a[0])
        low, high = min(low, value), max(high, value)
    if high < low:
        return 0, -1
    return int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9))


@njit(cache=True, nogil=True)
def _run(x: float, y: float, z: float, c: Array, lengths: Array) -> tuple[int, int]:
    """First and last k with 0 ≤ (x, y, z) + k c < lengths, as the sums are rounded."""
    low, high = -1e18, 1e18
    for axis in range(3):
        p = x if axis == 0 else (y if axis == 1 else z)
        step = c[axis]
        if abs(step) < 1e-12:
            if p < 0.0 or p >= lengths[axis]:
                return 0, -1
            continue
        t0, t1 = -p / step, (lengths[axis] - p) / step
        low, high = max(low, min(t0, t1)), min(high, max(t0, t1))
    if high < low - 1.0:
        return 0, -1
    first, last = int(np.ceil(low)) - 1, int(np.floor(high)) + 1
    # Rounding decides atoms on a face; ask the sum itself, as any check of the result will.
    while first <= last and not _within(x, y, z, first, c, lengths):
        first += 1
    while last >= first and not _within(x, y, z, last, c, lengths):
        last -= 1
    return first, last


@njit(cache=True, nogil=True)
def _within(x: float, y: float, z: float, k: int, c: Array, lengths: Array) -> bool:
    x, y, z = x + k * c[0], y + k * c[1], z + k * c[2]
    return (
        x >= 0.0 and x < lengths[0] and y >= 0.0 and y < lengths[1] and z >= 0.0 and z < lengths[2]
    )


@njit(cache=True, nogil=True)
def _place(
    vectors: Array,
    inverse: Array,
    start: Array,
    lengths: Array,
    edges: Index,
    basis: Numbers,
    numbers: Numbers,
    positions: Array,
) -> int:
    """Write the atoms in the box, run by run along the last lattice vector; their number."""
    corners = np.empty((8, 3))
    a, b, c = vectors[0], vectors[1], vectors[2]
    n = 0
    for m in range(len(start)):
        _corners(inverse, start[m], lengths, corners)
        i0 = int(np.ceil(corners[:, 0].min() - 1e-9))
        i1 = int(np.floor(corners[:, 0].max() + 1e-9))
        for i in range(i0, i1 + 1):
            j0, j1 = _second_range(corners, edges, float(i))
            for j in range(j0, j1 + 1):
                x = start[m, 0] + i * a[0] + j * b[0]
                y = start[m, 1] + i * a[1] + j * b[1]
                z = start[m, 2] + i * a[2] + j * b[2]
                first, last = _run(x, y, z, c, lengths)
                for k in range(first, last + 1):
                    positions[n, 0] = x + k * c[0]
                    positions[n, 1] = y + k * c[1]
                    positions[n, 2] = z + k * c[2]
                    numbers[n] = basis[m]
                    n += 1
    return n
