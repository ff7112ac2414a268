"""Particles cut from a crystal on its lattice, and the table that counting and indexing give."""

import numpy as np
import pandas as pd

from crewe.atoms.lattice.results import FittedLattice
from crewe.atoms.unit_cell import ProjectedCell

EDGE = 3.92
CROSS = EDGE / np.sqrt(2)

FCC_100 = ProjectedCell(
    EDGE,
    EDGE,
    90.0,
    np.array([[0, 0], [0.5, 0.5], [0.5, 0], [0, 0.5]]),
    ("Pt",) * 4,
    EDGE,
    ((("Pt", 0.0),), (("Pt", 0.0),), (("Pt", 0.5),), (("Pt", 0.5),)),
)
FCC_110 = ProjectedCell(
    EDGE,
    CROSS,
    90.0,
    np.array([[0, 0], [0.5, 0.5]]),
    ("Pt",) * 2,
    CROSS,
    ((("Pt", 0.0),), (("Pt", 0.5),)),
)
# Turns the axes of FCC_110 into those of the cube.
CUBE_FROM_110 = np.array([[1, 0, 0], [0, 0.5**0.5, -(0.5**0.5)], [0, 0.5**0.5, 0.5**0.5]])
TITANATE = ProjectedCell(
    3.905,
    3.905,
    90.0,
    np.array([[0, 0], [0.5, 0.5], [0.5, 0], [0, 0.5]]),
    ("Sr", "Ti O", "O", "O"),
    3.905,
    ((("Sr", 0.0),), (("Ti", 0.5), ("O", 0.0)), (("O", 0.5),), (("O", 0.5),)),
)


def lattice_of(cell, origin=(0.0, 0.0), vectors=None):
    edges = cell.vectors() if vectors is None else np.asarray(vectors)
    return FittedLattice("one", cell, np.array(origin), edges, np.zeros((6, 6)), 0, 0.0)


def crystal(cell, cells=7):
    """Places (N, 3) about the origin, and element, site, cell_a, cell_b of each atom."""
    grid = np.indices((2 * cells + 1,) * 3).reshape(3, -1).T - cells
    places, labels, elements = [], [], []
    for site, atoms in enumerate(cell.atoms):
        for element, height in atoms:
            across = (grid[:, :2] + cell.sites[site]) @ cell.vectors()
            along = (grid[:, 2] + height) * cell.repeat_angstrom
            places.append(np.column_stack([across, along]))
            labels.append(np.column_stack([np.full(len(grid), site), grid[:, :2]]))
            elements += [element] * len(grid)
    return np.concatenate(places), np.concatenate(labels), np.array(elements)


def counted_table(places, labels):
    """Columns of atoms, as counting and indexing with one lattice give them."""
    kinds, column, count = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    column = column.ravel()
    x, y = (np.bincount(column, places[:, axis]) / count for axis in (0, 1))
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "count": pd.array(count, dtype="Int64"),
            "count_probability": 0.9,
            "lattice": 0,
            "site": kinds[:, 0],
            "cell_a": kinds[:, 1],
            "cell_b": kinds[:, 2],
        }
    )
