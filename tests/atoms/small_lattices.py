"""Indexed columns made by hand: a cell, a place for it, a field of displacements, noise."""

import numpy as np
import pandas as pd

from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.unit_cell import ProjectedCell

SQUARE = ProjectedCell(3.9, 3.9, 90.0, np.array([[0.0, 0.0]]), ("Pt",))
CENTRED = ProjectedCell(3.9, 3.9, 90.0, np.array([[0.0, 0.0], [0.5, 0.5]]), ("Pt", "Pt"))
OBLIQUE = ProjectedCell(3.1, 4.2, 72.0, np.array([[0.1, 0.2]]), ("Mo",))
PEROVSKITE = ProjectedCell(
    3.9,
    4.1,
    90.0,
    np.array([[0.0, 0.0], [0.5, 0.5], [0.5, 0.0], [0.0, 0.5]]),
    ("Pb", "Ti", "O", "O"),
)


def turned(vectors, degrees):
    """Rows turned clockwise as displayed, from +x towards +y."""
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return vectors @ np.array([[cosine, sine], [-sine, cosine]])


def indexed_lattice(
    cell, size=11, degrees=0.0, field=None, noise=0.0, seed=0, std=None, mirror=False, origin=50.0
):
    """A patch of size × size cells; `field` maps ideal places (N, 2) to displacements (N, 2)."""
    vectors = turned(cell.vectors() * [1, -1 if mirror else 1], degrees)
    half = size // 2
    whole = np.arange(-half, size - half)
    a, b, site = (grid.ravel() for grid in np.meshgrid(whole, whole, np.arange(len(cell.sites))))
    lattice = FittedLattice(
        "crystal", cell, np.full(2, origin), vectors, np.zeros((6, 6)), len(a), noise
    )
    ideal = lattice.place(np.stack([a, b], axis=1) + cell.sites[site])
    points = ideal + (0 if field is None else field(ideal))
    points = points + noise * np.random.default_rng(seed).normal(size=points.shape)
    columns = pd.DataFrame({"x": points[:, 0], "y": points[:, 1]})
    columns["x_std"] = columns["y_std"] = np.nan if std is None else std
    columns = columns.assign(lattice=0, site=site, cell_a=a, cell_b=b)
    columns["site_name"] = np.array(cell.names)[site]
    columns["expected_x"], columns["expected_y"] = ideal.T
    columns["displacement_x"], columns["displacement_y"] = (points - ideal).T
    columns["displacement_x_std"] = columns["displacement_y_std"] = columns["x_std"]
    return IndexedColumns(columns, (lattice,), {})
