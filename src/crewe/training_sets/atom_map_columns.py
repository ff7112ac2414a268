"""Which atomic columns of a specimen an image shows, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

from crewe.specimens.cloud import AtomCloud
from crewe.specimens.projection import columns_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
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
    visible_fraction: float,
) -> Columns:
    """Merge atoms that the image cannot tell apart and keep the columns inside the field.

    Atoms closer in projection than `resolution_angstrom` to a common centre are one column at
    the mean of their positions weighted with Z^γ. A column is visible when it is at least
    `visible_fraction` as strong as the strongest within 3 Å: oxygen between heavy columns is
    not, the thin rim of a particle is.
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
    visible = strength >= visible_fraction * _strongest_nearby(centres, strength)
    order = np.flatnonzero(inside)
    order = order[np.lexsort((centres[order, 1], centres[order, 0]))]
    return Columns(
        centres[order],
        strength[order],
        atoms[order],
        heaviest[order],
        visible[order],
    )


STACKED_ANGSTROM = 0.005
"""Atoms this close in projection stand exactly behind one another."""
NEARBY_ANGSTROM = 3.0
"""How far a strong column outshines a weak one."""


def _strongest_nearby(centres: Array, strength: Array) -> Array:
    strongest = strength.copy()
    if len(centres):
        one, other = cKDTree(centres).query_pairs(NEARBY_ANGSTROM, output_type="ndarray").T
        np.maximum.at(strongest, one, strength[other])
        np.maximum.at(strongest, other, strength[one])
    return strongest


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
