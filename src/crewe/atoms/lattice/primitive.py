"""The lattice of a crystal: every translation that carries it into itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from crewe.atoms.lattice.plane import integer_basis
from crewe.atoms.stamps import Array, Index
from crewe.errors import PlanError

if TYPE_CHECKING:
    from ase import Atoms

# Atoms closer than this in Å are the same atom, displaced by rounding in a file.
ROUNDING = 0.05


class PrimitiveCrystal(NamedTuple):
    """A crystal by its smallest cell."""

    basis: Array
    """Edges (3, 3) in Å, rows, in the frame of the atoms given."""
    fractions: Array
    """Edges (3, 3) in parts of the cell given, rows."""
    positions: Array
    """One atom of each kind (N, 3) in Å."""
    numbers: Index
    """Atomic numbers (N,)."""


def primitive_crystal(atoms: Atoms) -> PrimitiveCrystal:
    """Smallest cell of a crystal, the centring of the cell given found from its atoms.

    Raises PlanError for atoms without a periodic cell.
    """
    cell = np.array(atoms.cell.array, dtype=float)
    if abs(np.linalg.det(cell)) < 1e-3 or not np.all(atoms.pbc):
        raise PlanError(
            f"{len(atoms)} atoms without a cell periodic in three directions have no zone axis: "
            "give a crystal, as a CIF file holds it"
        )
    if len(atoms) == 0:
        raise PlanError("a crystal of no atoms has no projection: give its atoms")
    scaled = atoms.get_scaled_positions(wrap=True) % 1.0
    numbers = np.asarray(atoms.numbers, dtype=np.int64)
    shifts = _translations(scaled, numbers, cell)
    order = len(shifts)
    # every translation is a whole number of parts 1/order: no rounding of the file remains
    whole = np.round(shifts * order).astype(np.int64)
    rows = np.concatenate([whole, order * np.eye(3, dtype=np.int64)])
    fractions = integer_basis(rows) / order
    positions, kept = _once(scaled @ cell, numbers, fractions @ cell)
    return PrimitiveCrystal(fractions @ cell, fractions, positions[kept], numbers[kept])


def _translations(scaled: Array, numbers: Index, cell: Array) -> Array:
    """Translations (T, 3) within the cell that carry each atom onto one of its kind."""
    kinds, counts = np.unique(numbers, return_counts=True)
    rarest = np.flatnonzero(numbers == kinds[np.argmin(counts)])
    trees = {kind: _periodic_tree(scaled[numbers == kind], cell) for kind in kinds}
    found = []
    for shift in (scaled[rarest] - scaled[rarest[0]]) % 1.0:
        moved = (scaled + shift) % 1.0 @ cell
        worst = max(trees[kind].query(moved[numbers == kind])[0].max() for kind in kinds)
        if worst < ROUNDING:
            found.append(shift)
    return np.array(found)


def _periodic_tree(scaled: Array, cell: Array) -> cKDTree:
    """Tree over the atoms of the cell and those of its neighbours that touch it."""
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    images = (scaled[None] + steps[:, None]).reshape(-1, 3)
    margin = 0.1
    near = np.all((images > -margin) & (images < 1 + margin), axis=1)
    return cKDTree(images[near] @ cell)


def _once(positions: Array, numbers: Index, basis: Array) -> tuple[Array, Index]:
    """Positions, and the rows of the atoms that stay when the smaller cell is folded up."""
    inverse = np.linalg.inv(basis)
    kept: list[int] = []
    for n in range(len(positions)):
        same = [k for k in kept if numbers[k] == numbers[n]]
        parts = (positions[same] - positions[n]).reshape(-1, 3) @ inverse
        apart = np.linalg.norm((parts - np.round(parts)) @ basis, axis=1)
        if not np.any(apart < ROUNDING):
            kept.append(n)
    return positions, np.array(kept)
