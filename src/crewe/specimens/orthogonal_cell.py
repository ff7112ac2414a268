"""A crystal in a cell with right angles, as multislice needs it, along a zone axis that has one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crewe.errors import SpecimenError
from crewe.specimens.orientation import along_zone_axis

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
# How far from a right angle, in rad, and how far from a lattice site, in Å, still counts as there.
RIGHT_ANGLE = 1e-4
SAME_PLACE = 2e-3
# Multiples of the lattice vectors that are tried.
FARTHEST = 6


def orthogonal_crystal(atoms: Atoms, zone_axis: tuple[int, int, int] | None = None) -> Atoms:
    """Return the same crystal in a cell with right angles along x, y and z.

    `zone_axis` [uvw] is turned along z; without it the normal of a and b stays there. The cell is
    the smallest of those that repeat across the beam with right angles; along the beam it is one
    period where [uvw] is a lattice vector, or one lattice plane otherwise. Strains nothing: raises
    SpecimenError where no such cell exists within a few unit cells, or without a cell.
    """
    cell = np.asarray(atoms.cell, dtype=np.float64)
    if abs(np.linalg.det(cell)) < 1e-6:
        raise SpecimenError("a crystal needs a cell of three vectors: this file has none")
    if zone_axis is None:
        normal = np.cross(cell[0], cell[1])
        turn = along_zone_axis(np.stack([normal, cell[0], cell[1]]), (1, 0, 0))
    else:
        turn = along_zone_axis(cell, zone_axis)
    steps = _steps()
    vectors = steps @ cell @ turn.T
    across = _right_angled_pair(steps, vectors, zone_axis)
    along = _vector_along(vectors, vectors[across[0]], vectors[across[1]])
    return _reduced(_filled(atoms, turn, steps[[*across, along]]))


def has_right_angles(atoms: Atoms) -> bool:
    """Whether the cell is a box along x, y and z."""
    cell = np.asarray(atoms.cell, dtype=np.float64)
    away = np.abs(cell - np.diag(np.diag(cell))).max()
    return bool(np.diag(cell).min() > 0 and away <= 1e-6 * np.abs(cell).max())


def _steps() -> Steps:
    """Multiples of a, b, c, shortest first, (n, 3)."""
    line = np.arange(-FARTHEST, FARTHEST + 1)
    grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[np.any(grid != 0, axis=1)]
    return grid[np.lexsort((-grid[:, 2], -grid[:, 1], -grid[:, 0], (grid**2).sum(axis=1)))]


def _right_angled_pair(
    steps: Steps, vectors: Array, zone_axis: tuple[int, int, int] | None
) -> tuple[int, int]:
    """Numbers of the two lattice vectors across the beam that span the smallest rectangle."""
    length = np.linalg.norm(vectors, axis=1)
    flat = np.flatnonzero(np.abs(vectors[:, 2]) <= RIGHT_ANGLE * length)
    flat = flat[np.argsort(length[flat], kind="stable")]
    best, area = None, np.inf
    for i, j in itertools.combinations(flat, 2):
        product = length[i] * length[j]
        if product < area * (1 - 1e-9) and abs(vectors[i] @ vectors[j]) <= RIGHT_ANGLE * product:
            best, area = (int(i), int(j)), product
    if best is None:
        axis = "this direction" if zone_axis is None else str(list(zone_axis))
        raise SpecimenError(
            f"no rectangle of lattice vectors lies across {axis}, so multislice cannot repeat this "
            "crystal: choose another zone axis, cut a particle out of it (crewe.specimens), or use "
            "the model linear"
        )
    return best


def _vector_along(vectors: Array, first: Array, second: Array) -> int:
    """Number of the lattice vector that closes the cell: along z if there is one, else lowest."""
    length = np.linalg.norm(vectors, axis=1)
    straight = np.flatnonzero(vectors[:, 2] > (1 - 0.5 * RIGHT_ANGLE**2) * length)
    if len(straight):
        return int(straight[np.argmin(length[straight])])
    up = np.flatnonzero(vectors[:, 2] > 1e-3 * length.min())
    return int(up[np.lexsort((length[up], np.round(vectors[up, 2], 6)))[0]])


def _filled(atoms: Atoms, turn: Array, steps: Steps) -> Atoms:
    """Atoms of the cell spanned by multiples of a, b, c, turned so that it is a box."""
    from ase import Atoms
    from ase.build import make_supercell

    vectors = steps @ np.asarray(atoms.cell) @ turn.T
    if np.linalg.det(vectors) < 0:
        steps, vectors = steps[[1, 0, 2]], vectors[[1, 0, 2]]
    large = make_supercell(atoms, steps, wrap=True)
    sides = np.array([*np.linalg.norm(vectors[:2], axis=1), vectors[2, 2]])
    # The first vector comes to lie along x.
    x = vectors[0] / sides[0]
    frame = np.stack([x, np.cross([0.0, 0.0, 1.0], x), [0.0, 0.0, 1.0]])
    places = large.positions @ turn.T @ frame.T
    # The third vector may lean: what leaves the box sideways comes in at the other side.
    places[:, :2] %= sides[:2]
    return Atoms(large.numbers, places, cell=sides, pbc=True)


def _reduced(atoms: Atoms) -> Atoms:
    """Cut the box down along each side by which a part of it repeats."""
    for axis, parts in itertools.product(range(3), (2, 3, 2)):
        sides = np.diag(np.asarray(atoms.cell)).copy()
        if len(atoms) % parts or not _repeats(atoms, axis, parts):
            continue
        share = atoms.positions[:, axis] / sides[axis] % 1
        kept = np.flatnonzero((share < 1 / parts - 1e-5) | (share >= 1 - 1e-5))
        if len(kept) != len(atoms) // parts:
            continue
        sides[axis] /= parts
        atoms = atoms[kept]
        atoms.set_cell(sides)
        atoms.positions %= sides
    return atoms


def _repeats(atoms: Atoms, axis: int, parts: int) -> bool:
    sides = np.diag(np.asarray(atoms.cell))
    places = atoms.positions % sides
    # A remainder may round up to the side itself, which the tree refuses.
    places[places >= sides] = 0.0
    moved = places.copy()
    moved[:, axis] = (moved[:, axis] + sides[axis] / parts) % sides[axis]
    distance, partner = cKDTree(places, boxsize=sides).query(moved)
    numbers = np.asarray(atoms.numbers)
    return bool(distance.max() < SAME_PLACE and np.array_equal(numbers[partner], numbers))
