"""Which atomic columns of a specimen an image shows, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

from crewe.specimens.cloud import AtomCloud
from crewe.specimens.projection import columns_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ApparentColumns:
    """Columns inside the field of view, sorted by y."""

    positions: Array
    """(n, 2) in Å, y before x, from the centre of pixel (0, 0)."""
    strength: Array
    """Sum of Z^γ of the atoms, (n,)."""
    atoms: NDArray[np.int64]
    """Number of atoms, (n,)."""
    heaviest: NDArray[np.uint8]
    """Largest atomic number in the column, (n,)."""
    visible: NDArray[np.bool_]
    """Whether the column is marked in the masks."""


def apparent_columns(
    cloud: AtomCloud,
    exponent: float,
    field_angstrom: float,
    pixel_size_angstrom: float,
    resolution_angstrom: float,
) -> ApparentColumns:
    """Merge atoms that the image cannot tell apart and keep the columns inside the field.

    Atoms closer in projection than `resolution_angstrom` to a common centre are one column at
    the mean of their positions weighted with Z^γ. All are visible until `with_visibility` judges.
    """
    stacks = columns_of(cloud, STACKED_ANGSTROM, exponent)
    places = np.stack([stacks.y, stacks.x], axis=1)
    centres, strength, group = _merged(places, stacks.weight, resolution_angstrom)
    owner = group[stacks.column]
    inside = np.all(
        (centres >= -pixel_size_angstrom / 2)
        & (centres < field_angstrom - pixel_size_angstrom / 2),
        axis=1,
    )
    heaviest = np.zeros(len(centres), np.uint8)
    np.maximum.at(heaviest, owner, cloud.numbers)
    atoms = np.bincount(owner, minlength=len(centres))
    order = np.flatnonzero(inside)
    order = order[np.lexsort((centres[order, 1], centres[order, 0]))]
    return ApparentColumns(
        centres[order],
        strength[order],
        atoms[order],
        heaviest[order],
        np.ones(len(order), bool),
    )


STACKED_ANGSTROM = 0.005
"""Atoms this close in projection stand exactly behind one another."""
NEARBY_ANGSTROM = 3.0
"""How far a strong column outshines a weak one."""


def with_visibility(
    columns: ApparentColumns,
    fine: NDArray[np.float32],
    pixel_size_angstrom: float,
    reach_angstrom: float,
    visible_fraction: float,
) -> ApparentColumns:
    """Judge which columns the noise-free image shows.

    Two things are asked. The kind of column, named by its heaviest element, must be bright enough:
    over all of its kind in the field, the median ratio to the strongest column within 3 Å is at
    least `visible_fraction`; so oxygen between heavy metals is not visible, the thin rim of a
    particle is, and the answer is one for the whole image. And going uphill in the image `fine`
    (twice as many pixels as the image) from the column must end within `reach_angstrom` of it: a
    shoulder on a stronger neighbour has no maximum of its own. Columns that share a maximum near to
    none of them, such as the halves of a dumbbell that is not resolved, become one.
    """
    pitch = pixel_size_angstrom / 2
    starts = np.ascontiguousarray(columns.positions / pitch + 0.5)
    tops = _uphill(np.ascontiguousarray(fine), starts)
    own = np.hypot(*(tops - starts).T) * pitch <= reach_angstrom
    columns, own = _joined(columns, (tops - 0.5) * pitch, own, reach_angstrom)
    return replace(columns, visible=own & _bright_kinds(columns, visible_fraction))


def _joined(
    columns: ApparentColumns, tops: Array, own: NDArray[np.bool_], reach: float
) -> tuple[ApparentColumns, NDArray[np.bool_]]:
    """Make one column of those that share a maximum (Å) which is near to none of them.

    It stands at their weighted centre, or at the maximum where that is farther than the reach.
    """
    maximum = np.unique(tops, axis=0, return_inverse=True)[1].ravel()
    has_column = np.zeros(len(tops), bool)
    has_column[maximum[own]] = True
    # A column of its own where the maximum belongs to a column, else the maximum's.
    group = np.where(has_column[maximum], len(tops) + np.arange(len(tops)), maximum)
    group = np.unique(group, return_inverse=True)[1]
    count = int(group.max(initial=-1)) + 1
    strength = np.bincount(group, columns.strength, count).astype(float)
    atoms = np.bincount(group, columns.atoms, count).astype(np.int64)
    heaviest = np.zeros(count, np.uint8)
    np.maximum.at(heaviest, group, columns.heaviest)
    alone = np.zeros(count, bool)
    alone[group] = own | ~has_column[maximum]
    positions = _weighted(columns.positions, columns.strength, group, strength)
    top_of = np.empty_like(positions)
    top_of[group] = tops
    astray = alone & (np.hypot(*(positions - top_of).T) > reach)
    positions[astray] = top_of[astray]
    order = np.lexsort((positions[:, 1], positions[:, 0]))
    joined = ApparentColumns(
        positions[order], strength[order], atoms[order], heaviest[order], alone[order]
    )
    return joined, alone[order]


def _bright_kinds(columns: ApparentColumns, visible_fraction: float) -> NDArray[np.bool_]:
    ratio = columns.strength / np.maximum(_strongest_nearby(columns), 1e-30)
    bright = np.zeros(len(ratio), bool)
    for kind in np.unique(columns.heaviest):
        of_kind = columns.heaviest == kind
        bright[of_kind] = np.median(ratio[of_kind]) >= visible_fraction
    return bright


def _strongest_nearby(columns: ApparentColumns) -> Array:
    strongest = columns.strength.copy()
    if len(strongest):
        tree = cKDTree(columns.positions)
        one, other = tree.query_pairs(NEARBY_ANGSTROM, output_type="ndarray").T
        np.maximum.at(strongest, one, columns.strength[other])
        np.maximum.at(strongest, other, columns.strength[one])
    return strongest


@njit(cache=True, nogil=True)
def _uphill(image: NDArray[np.float32], starts: Array) -> Array:
    """Climb from the pixel nearest to each start to a maximum among its eight neighbours."""
    rows, columns = image.shape
    tops = np.empty_like(starts)
    for n in range(len(starts)):
        i = min(max(math.floor(starts[n, 0] + 0.5), 0), rows - 1)
        j = min(max(math.floor(starts[n, 1] + 0.5), 0), columns - 1)
        climbing = True
        while climbing:
            climbing = False
            best_i, best_j = i, j
            for u in range(max(i - 1, 0), min(i + 2, rows)):
                for v in range(max(j - 1, 0), min(j + 2, columns)):
                    rise = image[u, v] - image[best_i, best_j]
                    # Of two equal tops side by side, both climbers take the first.
                    first = u < best_i or (u == best_i and v < best_j)
                    if rise > 0 or (rise == 0 and first):
                        best_i, best_j, climbing = u, v, True
            i, j = best_i, best_j
        tops[n, 0], tops[n, 1] = i, j
    return tops


def _weighted(places: Array, weights: Array, owner: NDArray[np.int64], totals: Array) -> Array:
    sums = [np.bincount(owner, weights * places[:, axis], len(totals)) for axis in (0, 1)]
    return np.stack(sums, axis=1) / totals[:, None]


def _merged(
    centres: Array, strength: Array, distance: float
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Join stacks around the strongest first, until none is closer than `distance` to a centre."""
    if len(centres) == 0:
        return centres, strength, np.zeros(0, np.int64)
    pairs = cKDTree(centres).query_pairs(distance, output_type="ndarray")
    group = _around_the_strongest(len(centres), pairs, strength)
    totals = np.bincount(group, strength).astype(float)
    return _weighted(centres, strength, group, totals), totals, group


def _around_the_strongest(
    count: int, pairs: NDArray[np.int64], strength: Array
) -> NDArray[np.int64]:
    """Give each stack to the strongest of its neighbours that is a centre itself."""
    neighbours = coo_array(
        (np.ones(2 * len(pairs), np.int8), (pairs.T.ravel(), pairs[:, ::-1].T.ravel())),
        shape=(count, count),
    ).tocsr()
    order = np.argsort(-strength, kind="stable")
    starts, indices = (array.astype(np.int64) for array in (neighbours.indptr, neighbours.indices))
    return np.unique(_owners(order, starts, indices), return_inverse=True)[1]


@njit(cache=True, nogil=True)
def _owners(
    order: NDArray[np.int64], starts: NDArray[np.int64], indices: NDArray[np.int64]
) -> NDArray[np.int64]:
    owner = np.full(len(order), -1)
    for centre in order:
        if owner[centre] >= 0:
            continue
        owner[centre] = centre
        for close in indices[starts[centre] : starts[centre + 1]]:
            if owner[close] < 0:
                owner[close] = centre
    return owner
