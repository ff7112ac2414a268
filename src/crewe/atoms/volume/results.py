"""What building a volume returns: the atoms, and what can be said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crewe.atoms.stamps import Array

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True)
class VolumeModel:
    """Counted columns as atoms in three dimensions."""

    atoms: Atoms
    """Positions in Å, x and y as in the image but for `corner`, z along the beam; the cell is
    their bounding box with a margin, without periodic boundaries. Arrays: `column` (row number in
    the table), `coordination` (neighbours within the radius of the summary), `surface` (whether
    these are fewer than in the crystal) and `count_probability` (that of the column, NaN where the
    table has none)."""
    corner: Array
    """Place (3,) in Å of the corner of the cell: x, y in the image, z from the plane about which,
    or on which, the columns stand."""
    summary: dict[str, Any]
    """Plain JSON-able values: n_atoms, elements (atoms of each), n_columns, left_out (columns
    without lattice, without count, empty), coordination_radius (Å), coordination (atoms with each
    number of neighbours, as text), surface_atoms, surface_fraction, size_angstrom (x, y, z,
    between the outermost nuclei), most_atoms (in one column), place, flat, warnings (sentences)."""
