"""Shifts of one kind of column against the columns around it: polarisation, off-centring."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crewe.atoms.lattice.neighbours import (
    check_names,
    nearest_shell,
    neighbour_rows,
    rows_of_site,
    sites_named,
)
from crewe.atoms.lattice.position_errors import position_errors
from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.stamps import Array, Index

AXES = ("x", "y", "a", "b")


def site_shifts(
    indexed: IndexedColumns,
    site: str,
    around: str | Sequence[str],
    *,
    neighbours: int | None = None,
) -> pd.DataFrame:
    """Shift of each column named `site` from the centre of the columns `around` it, in Å.

    The centre is the mean place of the nearest neighbours in the ideal cell: `neighbours` of
    them, or all of the nearest shell. Uniform strain and rotation shift nothing where the site
    lies amid its neighbours. Returns a table with the index of these columns in
    `indexed.columns`, and x, y, shift_x, shift_y (x right, y down), shift_a, shift_b (parts along
    a and along b of the lattice, which need not be at right angles), each with `_std` by linear
    propagation of the errors of all positions (`position_errors`). NaN where a neighbour is
    missing.
    Raises PlanError for an unknown name, or a number of neighbours that the cell does not give.
    """
    around = (around,) if isinstance(around, str) else tuple(around)
    check_names(indexed, (site, *around))
    points = indexed.columns[["x", "y"]].to_numpy(float)
    variance = position_errors(indexed) ** 2
    found: list[pd.DataFrame] = []
    for number, lattice in enumerate(indexed.lattices):
        if not len(sites_named(lattice.cell, around)):
            continue
        for kind in sites_named(lattice.cell, (site,)):
            shell = nearest_shell(lattice.cell, int(kind), around, neighbours)
            rows = rows_of_site(indexed.columns, number, int(kind))
            near = neighbour_rows(indexed.columns, number, rows, shell)
            shift, spread = _from_centre(points, variance, rows, near)
            found.append(_table(indexed, lattice, rows, shift, spread))
    table = pd.concat(found).sort_index(kind="stable")
    table.attrs["units"] = dict.fromkeys(table.columns, "Å")
    return table


def _from_centre(points: Array, variance: Array, rows: Index, near: Index) -> tuple[Array, Array]:
    """Shifts (N, 2) from the mean of the neighbours, and their variances."""
    complete = np.all(near >= 0, axis=1, keepdims=True)
    shift = points[rows] - points[near].mean(axis=1)
    spread = variance[rows] + variance[near].sum(axis=1) / near.shape[1] ** 2
    return np.where(complete, shift, np.nan), np.where(complete, spread, np.nan)


def _table(
    indexed: IndexedColumns, lattice: FittedLattice, rows: Index, shift: Array, spread: Array
) -> pd.DataFrame:
    along = np.linalg.inv(lattice.vectors / lattice.lengths[:, None])
    values = np.concatenate([shift, shift @ along], axis=1)
    std = np.sqrt(np.concatenate([spread, spread @ along**2], axis=1))
    table = indexed.columns.iloc[rows][["x", "y"]].copy()
    table.attrs = {}
    for number, axis in enumerate(AXES):
        table[f"shift_{axis}"] = values[:, number]
        table[f"shift_{axis}_std"] = std[:, number]
    return table
