"""Strain and rotation at each column, with standard errors, in image and in lattice axes.

The deformation gradient F of a column's surroundings against its lattice gives, for small
deformations, the strain ε = (F + Fᵀ)/2 − 1 and the rotation ω = (F − Fᵀ)/2 (Landau & Lifshitz,
Theory of Elasticity, § 1; for columns of an image De Backer et al., Ultramicroscopy 171, 104
(2016), doi:10.1016/j.ultramic.2016.08.018).
"""

from typing import Any

import numpy as np
import pandas as pd

from crewe.atoms.lattice.deformation import LocalGradients, local_gradients
from crewe.atoms.lattice.position_errors import position_errors
from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.lattice.translations import lattice_translations, site_classes
from crewe.atoms.stamps import Array, Index
from crewe.errors import PlanError

REFERENCES = ("mean", "cell")
SITES = ("same", "all")
# Average strain against the mean lattice that a crystal without faults does not show.
DOUBTFUL = 0.005
COMPONENTS = ("eps_xx", "eps_yy", "eps_xy", "omega_xy_deg", "eps_aa", "eps_bb", "eps_ab")


def strain_map(
    indexed: IndexedColumns,
    *,
    reference: str = "mean",
    radius: float = 1.1,
    sites: str = "same",
) -> pd.DataFrame:
    """Strain of each column's surroundings against its lattice, with standard errors.

    Returns a table with the index of `indexed.columns` and the columns eps_xx, eps_yy, eps_xy (x
    right, y down), omega_xy_deg (in degrees, from +x towards +y: positive = clockwise as
    displayed), eps_aa, eps_bb, eps_ab (first axis along a of the lattice, second normal to it on
    the side of b: positive eps_ab closes the angle between a and b), each with `_std`, and
    n_neighbours. The neighbours are the columns with an ideal distance up to `radius` times the
    longer edge of the cell; a greater radius smooths. `sites` "same" uses columns that differ by
    a translation of the lattice, so that polarisation is no strain; "all" uses every column,
    with an offset of its own for each sublattice, which is more precise where they strain alike.

    `reference` "mean" is the lattice fitted to the image: strain against the mean. "cell" is the
    nominal cell turned to the fitted orientation: strain against the ideal crystal, no better
    than the pixel size is known, and rotation against the mean orientation.

    Standard errors are linear propagation of those of the positions (`position_errors`). The
    error of the reference, the same for all columns, is not in them but in
    attrs["reference_std"], a list with one dictionary for each lattice; attrs["warnings"] says
    where a fitted lattice is not the mean of its columns. NaN: no lattice, fewer than three
    neighbours, or neighbours on one line.
    Raises PlanError for an unknown reference or sites, or a radius not above 0.
    """
    _check(reference, radius, sites)
    errors = position_errors(indexed)
    count = len(indexed.columns)
    values, stds = np.full((2, count, len(COMPONENTS)), np.nan)
    neighbours = np.zeros(count, dtype=np.int64)
    common, warnings = [], []
    for number, lattice in enumerate(indexed.lattices):
        rows = np.flatnonzero(indexed.columns["lattice"].to_numpy() == number)
        vectors = reference_vectors(lattice, reference)
        found = _gradients(indexed, lattice, rows, errors, vectors, radius, sites == "all")
        parts = _functionals(vectors)
        values[rows], stds[rows] = _components(found, parts)
        neighbours[rows] = found.n_neighbours
        common.append(_reference_std(lattice, vectors, parts, reference))
        if reference == "mean":
            warnings += _doubts(lattice, values[rows, :3])
    table = _table(indexed, values, stds, neighbours)
    table.attrs |= {"reference": reference, "reference_std": common, "warnings": warnings}
    return table


def reference_vectors(lattice: FittedLattice, reference: str) -> Array:
    """Edges (2, 2) in Å of the lattice to compare with: as fitted ("mean") or nominal ("cell").

    The nominal cell keeps its edges and angle; it is turned, and mirrored where the fitted one
    is, so that it lies best upon the fitted one.
    """
    if reference == "mean":
        return lattice.vectors
    nominal = lattice.cell.vectors() * np.array([1.0, -1.0 if lattice.mirrored else 1.0])
    stretch = np.linalg.solve(nominal, lattice.vectors)
    angle = np.arctan2(stretch[0, 1] - stretch[1, 0], np.trace(stretch))
    cosine, sine = np.cos(angle), np.sin(angle)
    return nominal @ np.array([[cosine, sine], [-sine, cosine]])


def _check(reference: str, radius: float, sites: str) -> None:
    if reference not in REFERENCES:
        raise PlanError(f"unknown reference {reference!r} of strain: give 'mean' or 'cell'")
    if sites not in SITES:
        raise PlanError(f"unknown sites {sites!r} for strain: give 'same' or 'all'")
    if not (np.isfinite(radius) and radius > 0):
        raise PlanError(f"a radius of {radius} cells holds no neighbours: give e.g. 1.1")


def _gradients(
    indexed: IndexedColumns,
    lattice: FittedLattice,
    rows: Index,
    errors: Array,
    vectors: Array,
    radius: float,
    all_sites: bool,
) -> LocalGradients:
    table = indexed.columns.iloc[rows]
    sites = table["site"].to_numpy()
    return local_gradients(
        table[["x", "y"]].to_numpy(float),
        errors[rows],
        table[["cell_a", "cell_b"]].to_numpy(float) + lattice.cell.sites[sites],
        site_classes(lattice.cell)[sites],
        vectors,
        lattice_translations(lattice.cell),
        radius=radius * float(np.linalg.norm(vectors, axis=1).max()),
        all_sites=all_sites,
    )


def _functionals(vectors: Array) -> Array:
    """Matrices (7, 2, 2) whose products with F − 1, summed, are the COMPONENTS."""
    along = vectors[0] / np.linalg.norm(vectors[0])
    across = np.array([-along[1], along[0]]) * np.sign(np.linalg.det(vectors))
    x, y = np.eye(2)
    turn = np.rad2deg(0.5) * (np.outer(y, x) - np.outer(x, y))
    in_image = [np.outer(x, x), np.outer(y, y), _symmetric(x, y), turn]
    in_lattice = [np.outer(along, along), np.outer(across, across), _symmetric(along, across)]
    return np.array(in_image + in_lattice)


def _symmetric(one: Array, two: Array) -> Array:
    return 0.5 * (np.outer(one, two) + np.outer(two, one))


def _components(found: LocalGradients, parts: Array) -> tuple[Array, Array]:
    """Values and standard errors (N, 7)."""
    values = np.einsum("oik,nik->no", parts, found.gradient - np.eye(2))
    variance = np.einsum("oik,nikl,oil->no", parts, found.covariance, parts)
    return values, np.sqrt(variance)


def _reference_std(
    lattice: FittedLattice, vectors: Array, parts: Array, reference: str
) -> dict[str, float]:
    """Standard errors that the reference lattice adds to all columns alike."""
    slope = -np.einsum("oik,km->omi", parts, np.linalg.inv(vectors)).reshape(len(parts), 4)
    variance = np.einsum("om,mn,on->o", slope, lattice.covariance[2:, 2:], slope)
    stds = dict(zip(COMPONENTS, np.sqrt(np.maximum(variance, 0)).tolist(), strict=True))
    if reference == "cell":
        # only its orientation is fitted
        stds = {name: std if name == "omega_xy_deg" else 0.0 for name, std in stds.items()}
    return stds


def _doubts(lattice: FittedLattice, strain: Array) -> list[str]:
    """Tell where the columns (N, 3) are strained on the average against their own mean."""
    known = strain[np.isfinite(strain[:, 0])]
    mean = np.abs(np.median(known, axis=0)).max() if len(known) else 0.0
    if mean < DOUBTFUL:
        return []
    return [
        f"{lattice.name}: the columns are strained by {mean:.1%} on the average against the "
        "lattice fitted to them, as happens where indices jump at dislocations or boundaries; "
        "rather compare with the nominal cell (reference 'cell')"
    ]


def _table(
    indexed: IndexedColumns,
    values: Array,
    stds: Array,
    neighbours: Index,
) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for number, name in enumerate(COMPONENTS):
        columns[name] = values[:, number]
        columns[f"{name}_std"] = stds[:, number]
    table = pd.DataFrame(columns | {"n_neighbours": neighbours}, index=indexed.columns.index)
    degrees = ("omega_xy_deg", "omega_xy_deg_std")
    table.attrs["units"] = {name: "°" if name in degrees else "" for name in columns}
    return table
