"""What indexing returns: each column's place in a lattice, and the lattices themselves."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crewe.atoms.stamps import Array
from crewe.atoms.unit_cell import ProjectedCell


@dataclass(frozen=True)
class FittedLattice:
    """One crystal, phase or twin: where its projected cell lies in the image."""

    name: str
    """What to call it in tables and figures."""
    cell: ProjectedCell
    """The cell that was laid over the columns."""
    origin: Array
    """Place (x, y) in Å of the corner of cell (0, 0)."""
    vectors: Array
    """Edges (2, 2) in Å: rows a and b, each (x, y)."""
    covariance: Array
    """Covariance (6, 6) in Å² of origin x, y, a x, a y, b x, b y."""
    n_columns: int
    """Columns that were indexed with it."""
    residual_rms: float
    """Root mean square distance in Å of those columns from their places in the lattice."""

    @property
    def lengths(self) -> Array:
        """Lengths (2,) of a and b in Å."""
        return np.linalg.norm(self.vectors, axis=1)

    @property
    def gamma_deg(self) -> float:
        """Angle between a and b in degrees."""
        cosine = self.vectors[0] @ self.vectors[1] / np.prod(self.lengths)
        return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))

    @property
    def rotation_deg(self) -> float:
        """Angle in degrees by which a is turned from +x, clockwise as displayed."""
        return float(np.rad2deg(np.arctan2(self.vectors[0, 1], self.vectors[0, 0])))

    @property
    def mirrored(self) -> bool:
        """Whether b lies anticlockwise of a as displayed, the other way round than in the cell."""
        return bool(np.linalg.det(self.vectors) < 0)

    def place(self, fractions: Array) -> Array:
        """Places (N, 2) in Å of points (N, 2) given in multiples of a and b."""
        return self.origin + np.asarray(fractions, float) @ self.vectors


@dataclass(frozen=True)
class IndexedColumns:
    """Columns with their places in one or several lattices."""

    columns: pd.DataFrame
    """The table as given with these columns more: `lattice` (index into `lattices`, −1 for none),
    `site` (index into the sites of its cell, −1), `site_name` (""), `cell_a`, `cell_b` (whole
    numbers of the cell, 0 where there is no lattice), `expected_x`, `expected_y`,
    `displacement_x`, `displacement_y` (Å, fitted minus expected place; NaN without lattice) and
    `displacement_x_std`, `displacement_y_std` (of the fitted place; NaN where the table has none).
    """
    lattices: tuple[FittedLattice, ...]
    """The lattices, the one with most columns first."""
    summary: dict[str, Any]
    """The lattices in plain JSON-able values, with standard errors, and warnings (list)."""
