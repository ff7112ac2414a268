"""Which sites and cells of a lattice hold columns, and which should but do not."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import Delaunay

from crewe.atoms.lattice.results import FittedLattice
from crewe.atoms.stamps import Array, Index, Mask

# A site with columns in fewer of the cells than this part, and cells beside others likewise.
FEW_SITES, FEW_CELLS = 0.4, 0.2


class Occupation(NamedTuple):
    """The cells of a lattice that hold columns."""

    cells: Index
    """Whole numbers (C, 2) of each."""
    filled: Mask
    """Whether a column stands on a site (C, S)."""
    within: Mask
    """Whether it stands there, or the site lies among the columns (C, S)."""


def occupation(points: Array, lattice: FittedLattice, site: Index, cell: Index) -> Occupation:
    """Find what columns at `points` (N, 2) in Å, on `site` (N,) of `cell` (N, 2), leave empty.

    Sites beyond the convex hull of the columns are not within: the image, or the crystal, may
    end before them. The columns must not lie on one line.
    """
    cells, row = np.unique(cell, axis=0, return_inverse=True)
    filled = np.zeros((len(cells), len(lattice.cell.sites)), dtype=bool)
    filled[row.reshape(-1), site] = True
    places = lattice.place((cells[:, None, :] + lattice.cell.sites).reshape(-1, 2))
    inside = (Delaunay(points).find_simplex(places) >= 0).reshape(filled.shape)
    return Occupation(cells, filled, filled | inside)


def doubts_of_occupation(found: Occupation, lattice: FittedLattice) -> list[str]:
    """Warn of sites that hardly hold columns, and of cells that hardly have neighbours.

    A cell can lie on a larger lattice too, as on one √2, 2 or 3 times as large: every column is
    indexed then, and only what stays empty tells it.
    """
    doubts = []
    empty = _hardly_filled(found, lattice.cell.names)
    if empty:
        doubts.append(
            f"{lattice.name}: hardly any column on the sites {', '.join(empty)}: wrong "
            "calibration, zone axis, or sites that the image does not show (leave them out: "
            "--sites)"
        )
    part = _beside(found.cells)
    if part < FEW_CELLS:
        doubts.append(
            f"{lattice.name}: the cells with columns stand apart, only {part:.0%} of those beside "
            f"them hold any: the columns form a lattice larger than the cell of {lattice.cell.a:g} "
            f"× {lattice.cell.b:g} Å; check the calibration and the cell"
        )
    return doubts


def _hardly_filled(found: Occupation, names: tuple[str, ...]) -> list[str]:
    """Names of the sites, with the cells that have columns there and those that should."""
    filled, within = found.filled.sum(axis=0), found.within.sum(axis=0)
    few = filled < FEW_SITES * within
    said = []
    for name in dict.fromkeys(np.array(names)[few].tolist()):
        same = few & (np.array(names) == name)
        said.append(f"{name} ({filled[same].sum()} of {within[same].sum()})")
    return said


def _beside(cells: Index) -> float:
    """Part of the cells that share an edge with occupied ones which are occupied too."""
    known = {(int(a), int(b)) for a, b in cells}
    steps = ((1, 0), (-1, 0), (0, 1), (0, -1))
    return float(np.mean([(a + i, b + j) in known for a, b in known for i, j in steps]))
