"""Atoms seen along the beam: columns, for labels and counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array, AtomCloud, Index, Numbers


class Columns(NamedTuple):
    """Atomic columns, ordered by their first atom."""

    x: Array
    """Mean x of the column's atoms in Å, (m,)."""
    y: Array
    """Mean y in Å, (m,)."""
    atoms: Index
    """Number of atoms, (m,)."""
    weight: Array
    """Sum of Z^γ, (m,): what a column counts for in an incoherent image."""
    column: Index
    """For each atom of the cloud, in its order, the column that it belongs to, (n,)."""


def columns_of(cloud: AtomCloud, tolerance: float = 0.3, gamma: float = 1.7) -> Columns:
    """Group atoms into columns along z.

    An atom joins the nearest column whose mean lies within `tolerance` Å in the plane, else it
    begins one. Columns that are farther apart than twice the spread of their atoms are found
    exactly; in disordered matter the grouping depends on the order of the atoms. Positions in Å.
    Raises SpecimenError unless the tolerance is positive.
    """
    if not tolerance > 0:
        raise SpecimenError(f"columns need a positive tolerance in Å, not {tolerance}")
    powers = np.arange(256, dtype=np.float64) ** gamma
    if len(cloud) == 0:
        none = np.zeros(0)
        return Columns(none, none, np.zeros(0, np.int64), none, np.zeros(0, np.int64))
    corner = cloud.positions[:, :2].min(axis=0)
    extent = cloud.positions[:, :2].max(axis=0) - corner
    # No finer than needed: for a sparse cloud fine bins would take room and time for nothing.
    width = max(2 * tolerance, float(np.sqrt(extent.prod() / (4 * len(cloud)))))
    bins = (extent / width).astype(np.int64) + 1
    x, y, count, weight, column = _group(
        cloud.numbers,
        np.ascontiguousarray(cloud.positions),
        corner,
        bins,
        width,
        tolerance * tolerance,
        powers,
    )
    return Columns(x, y, count, weight, column)


@njit(cache=True, nogil=True)
def _group(
    numbers: Numbers,
    positions: Array,
    corner: Array,
    bins: Index,
    width: float,
    squared: float,
    powers: Array,
) -> tuple[Array, Array, Index, Array, Index]:
    size = len(numbers)
    head, following = np.full(bins[0] * bins[1], -1, np.int64), np.empty(size, np.int64)
    x, y, weight = np.zeros(size), np.zeros(size), np.zeros(size)
    count, column = np.zeros(size, np.int64), np.empty(size, np.int64)
    found = 0
    for n in range(size):
        u, v = positions[n, 0], positions[n, 1]
        i, j = int((u - corner[0]) / width), int((v - corner[1]) / width)
        nearest, best = -1, squared
        # A column stays in the bin of its first atom; its mean may wander less than the tolerance.
        for a in range(max(i - 1, 0), min(i + 2, bins[0])):
            for b in range(max(j - 1, 0), min(j + 2, bins[1])):
                m = head[a * bins[1] + b]
                while m >= 0:
                    dx, dy = u - x[m], v - y[m]
                    if dx * dx + dy * dy < best:
                        nearest, best = m, dx * dx + dy * dy
                    m = following[m]
        if nearest < 0:
            nearest = found
            here = i * bins[1] + j
            following[found] = head[here]
            head[here] = found
            found += 1
        count[nearest] += 1
        x[nearest] += (u - x[nearest]) / count[nearest]
        y[nearest] += (v - y[nearest]) / count[nearest]
        weight[nearest] += powers[numbers[n]]
        column[n] = nearest
    return x[:found], y[:found], count[:found], weight[:found], column
