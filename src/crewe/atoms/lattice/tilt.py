"""Tilt of octahedra about the beam: how far the corner columns are turned about their centre."""

import numpy as np
import pandas as pd

from crewe.atoms.lattice.neighbours import (
    Shell,
    check_names,
    nearest_shell,
    neighbour_rows,
    rows_of_site,
    sites_named,
)
from crewe.atoms.lattice.position_errors import position_errors
from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.stamps import Array
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import PlanError

# A corner belongs between two centres when it lies within this part of their distance of the
# middle: a tilt of up to about 25 degrees.
BETWEEN = 0.25


def octahedral_tilt(
    indexed: IndexedColumns, centre: str, corner: str, *, neighbours: int | None = None
) -> pd.DataFrame:
    """Angle in degrees by which the corners about each centre are turned against the lattice.

    Corners are the nearest columns named `corner` (O) of those named `centre` (Ti) in the ideal
    cell: a square of four, or two in a line. Untilted, a corner lies midway between two centres;
    that is the zero of the angle, also where the given cell is that of a tilted crystal. The
    angle is that of the turn which carries the ideal corners best onto the measured ones, both
    about their own middle, so that an off-centred ion does not count. Positive is from +x towards
    +y, clockwise as displayed; alternating tilts keep their signs.

    Returns a table with the index of these columns in `indexed.columns`, and x, y (Å), tilt_deg,
    tilt_deg_std by linear propagation of the errors of the corners. NaN where one is missing.
    Raises PlanError for an unknown name and where the cell has fewer than two corners to a centre.
    """
    check_names(indexed, (centre, corner))
    points = indexed.columns[["x", "y"]].to_numpy(float)
    variance = position_errors(indexed) ** 2
    found: list[pd.DataFrame] = []
    for number, lattice in enumerate(indexed.lattices):
        if not len(sites_named(lattice.cell, (corner,))):
            continue
        for kind in sites_named(lattice.cell, (centre,)):
            shell = nearest_shell(lattice.cell, int(kind), (corner,), neighbours)
            ideal = _untilted(lattice, int(kind), shell)
            rows = rows_of_site(indexed.columns, number, int(kind))
            near = neighbour_rows(indexed.columns, number, rows, shell)
            angle, std = _turn(points[near], variance[near], ideal)
            complete = (near >= 0).all(axis=1)
            table = indexed.columns.iloc[rows][["x", "y"]].copy()
            table["tilt_deg"] = np.where(complete, np.rad2deg(angle), np.nan)
            table["tilt_deg_std"] = np.where(complete, np.rad2deg(std), np.nan)
            found.append(table)
    table = pd.concat(found).sort_index(kind="stable")
    table.attrs = {"units": {"x": "Å", "y": "Å", "tilt_deg": "°", "tilt_deg_std": "°"}}
    return table


def _untilted(lattice: FittedLattice, site: int, shell: Shell) -> Array:
    """Vectors (n, 2) in Å to the corners without tilt, less their mean."""
    if len(shell.sites) < 2:
        raise PlanError(
            f"{lattice.cell.names[site]} has a single nearest corner in this cell: a tilt needs "
            "two or four; give neighbours, or another corner"
        )
    middle = _middles(lattice.cell, site)
    apart = (shell.offsets[:, None, :] - middle[None, :, :]) @ lattice.vectors
    distance = np.linalg.norm(apart, axis=2)
    nearest = distance.argmin(axis=1)
    length = 2 * np.linalg.norm(middle[nearest] @ lattice.vectors, axis=1)
    between = distance.min(axis=1) < BETWEEN * length
    ideal = np.where(between[:, None], middle[nearest], shell.offsets) @ lattice.vectors
    return ideal - ideal.mean(axis=0)


def _middles(cell: ProjectedCell, site: int) -> Array:
    """Half the vectors from a site to the sites of the same name around it, in cells."""
    whole = np.array([[i, j] for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2)], float)
    sites = np.asarray(cell.sites, float)
    others = sites[sites_named(cell, (cell.names[site],))]
    vectors = (others[:, None, :] + whole[None, :, :]).reshape(-1, 2) - sites[site]
    return 0.5 * vectors[np.linalg.norm(vectors @ cell.vectors(), axis=1) > 0.5]


def _turn(corners: Array, variance: Array, ideal: Array) -> tuple[Array, Array]:
    """Angle (N,) in rad from the ideal corners (n, 2) to those measured (N, n, 2), and its error.

    The least-squares rotation, tan θ = Σ d × r / Σ d · r; the places r of corners are summed
    against centred d, so their mean drops out.
    """
    x, y = corners[..., 0], corners[..., 1]
    sine = (ideal[:, 0] * y - ideal[:, 1] * x).sum(axis=1)
    cosine = (ideal[:, 0] * x + ideal[:, 1] * y).sum(axis=1)
    squared = (sine**2 + cosine**2)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        by_x = (-cosine[:, None] * ideal[:, 1] - sine[:, None] * ideal[:, 0]) / squared
        by_y = (cosine[:, None] * ideal[:, 0] - sine[:, None] * ideal[:, 1]) / squared
    spread = (by_x**2 * variance[..., 0] + by_y**2 * variance[..., 1]).sum(axis=1)
    return np.arctan2(sine, cosine), np.sqrt(spread)
