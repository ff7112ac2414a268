"""Atoms as plain arrays: what the functions of this room hand to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe.errors import SpecimenError

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Numbers = NDArray[np.uint8]
Box = tuple[float, float, float]


@dataclass(frozen=True)
class AtomCloud:
    """Many atoms in a box, cheap to make and to cut.

    An `ase.Atoms` of a million atoms takes longer to build than to fill; the fast path of the
    training sets therefore never builds one.
    """

    numbers: Numbers
    """Atomic numbers, (n,)."""
    positions: Array
    """Positions x, y, z in Å, (n, 3)."""
    box: Box
    """Lengths of the box along x, y, z in Å; its corner is the origin. Atoms may stand outside."""

    def __len__(self) -> int:
        return len(self.numbers)

    def select(self, chosen: NDArray[np.bool_] | Index) -> AtomCloud:
        """Return the chosen atoms in the same box; `chosen` is a mask or an index."""
        return AtomCloud(self.numbers[chosen], self.positions[chosen], self.box)

    def moved(self, shift: tuple[float, float, float]) -> AtomCloud:
        """Return the atoms shifted by x, y, z Å in the same box."""
        return AtomCloud(self.numbers, self.positions + np.asarray(shift), self.box)

    def to_atoms(self) -> Atoms:
        """Return the atoms as `ase.Atoms` with the box as cell and no periodicity."""
        from ase import Atoms

        return Atoms(numbers=self.numbers, positions=self.positions, cell=self.box, pbc=False)

    @classmethod
    def from_atoms(cls, atoms: Atoms) -> AtomCloud:
        """Take the atoms of an `ase.Atoms`; its box is the extent of the cell along x, y, z.

        Where there is no cell, the box reaches from the origin to the farthest atom.
        """
        numbers = np.asarray(atoms.numbers)
        if len(numbers) and (numbers.min() < 1 or numbers.max() > 255):
            raise SpecimenError(
                f"atomic numbers from {numbers.min()} to {numbers.max()}: not atoms"
            )
        positions = np.array(atoms.positions, dtype=np.float64)
        extent = np.abs(np.asarray(atoms.cell)).sum(axis=0)
        if not extent.all() and len(positions):
            extent = np.where(extent > 0, extent, np.maximum(positions.max(axis=0), 0))
        x, y, z = (float(length) for length in extent)
        return cls(numbers.astype(np.uint8), positions, (x, y, z))


def empty_cloud(box: Box) -> AtomCloud:
    """Return a box without atoms."""
    return AtomCloud(np.zeros(0, np.uint8), np.zeros((0, 3)), box)


def joined(clouds: list[AtomCloud], box: Box) -> AtomCloud:
    """Return the atoms of several clouds, as they stand, in one box."""
    if not clouds:
        return empty_cloud(box)
    numbers = np.concatenate([cloud.numbers for cloud in clouds])
    return AtomCloud(numbers, np.concatenate([cloud.positions for cloud in clouds]), box)


def checked_box(box: Box) -> Box:
    """Return the box as three floats. Raises SpecimenError unless all are positive and finite."""
    lengths = tuple(float(length) for length in box)
    if len(lengths) != 3 or not all(np.isfinite(lengths)) or min(lengths) <= 0:
        raise SpecimenError(f"a box needs three positive lengths x, y, z in Å, not {box}")
    return lengths[0], lengths[1], lengths[2]
