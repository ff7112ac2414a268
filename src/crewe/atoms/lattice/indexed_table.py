"""From lattices and their columns to what indexing returns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crewe.atoms.lattice.fitting import LatticeFit, Refine, fit_lattice, length_errors
from crewe.atoms.lattice.occupation import doubts_of_occupation, occupation
from crewe.atoms.lattice.pose import Crystal
from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.stamps import Array, Index

UNTRUSTED = "unconverged"
"""Word in `flag` of columns that are indexed, but not fitted."""
# What is worth a warning: columns without lattice, and edges that differ from the cell's.
MANY_OUTSIDE, CALIBRATION = 0.1, 0.03


class Member(NamedTuple):
    """Columns of one lattice."""

    crystal: Crystal
    rows: Index
    """Rows (N,) of the table."""
    site: Index
    cell: Index

    def centred(self) -> Member:
        """The same with cell (0, 0) in the middle of the columns."""
        middle = np.round((self.cell + self.crystal.sites[self.site]).mean(axis=0))
        return self._replace(cell=self.cell - middle.astype(np.int64))

    def places(self) -> Array:
        """Places (N, 2) in multiples of a and b."""
        return self.cell + self.crystal.sites[self.site]


def indexed_columns(columns: pd.DataFrame, members: list[Member], refine: Refine) -> IndexedColumns:
    """Fit a lattice to each member, most columns first, and write what was found to the table."""
    members = [member.centred() for member in sorted(members, key=lambda m: -len(m.rows))]
    table = _empty_table(columns)
    lattices, parts = [], []
    for number, member in enumerate(members):
        fit = _fitted(columns, member, refine)
        lattice = _lattice(columns, member, fit, f"{_title(member)} {number + 1}")
        lattices.append(lattice)
        parts.append(_part(lattice, fit))
        _enter(table, number, member, lattice)
    summary = _summary(table, members, lattices, parts)
    return IndexedColumns(table, tuple(lattices), summary)


def _empty_table(columns: pd.DataFrame) -> pd.DataFrame:
    table = columns.copy()
    table.attrs = dict(columns.attrs)
    table["lattice"], table["site"], table["site_name"] = -1, -1, ""
    table["cell_a"], table["cell_b"] = 0, 0
    for name in ("expected", "displacement"):
        table[f"{name}_x"], table[f"{name}_y"] = np.nan, np.nan
    for axis in "xy":
        table[f"displacement_{axis}_std"] = columns.get(f"{axis}_std", np.nan)
    return table


def _fitted(columns: pd.DataFrame, member: Member, refine: Refine) -> LatticeFit:
    rows = columns.iloc[member.rows]
    trusted = np.ones(len(rows), dtype=bool)
    if "flag" in rows:
        trusted = ~rows["flag"].fillna("").str.contains(UNTRUSTED).to_numpy(bool)
    if np.linalg.matrix_rank(np.diff(member.places()[trusted], axis=0)) < 2:
        trusted[:] = True
    points = rows[["x", "y"]].to_numpy(float)[trusted]
    errors = np.full_like(points, np.nan)
    if {"x_std", "y_std"} <= set(rows):
        errors = rows[["x_std", "y_std"]].to_numpy(float)[trusted]
    return fit_lattice(member.places()[trusted], points, errors, _edges(rows, member), refine)


def _edges(rows: pd.DataFrame, member: Member) -> Array:
    """Edges of the cell, mirrored where the columns are."""
    design = np.column_stack([member.places(), np.ones(len(rows))])
    solution, *_ = np.linalg.lstsq(design, rows[["x", "y"]].to_numpy(float), rcond=None)
    hand = -1.0 if np.linalg.det(solution[:2]) < 0 else 1.0
    return member.crystal.vectors * [1.0, hand]


def _lattice(columns: pd.DataFrame, member: Member, fit: LatticeFit, name: str) -> FittedLattice:
    points = columns.iloc[member.rows][["x", "y"]].to_numpy(float)
    apart = points - fit.origin - member.places() @ fit.vectors
    return FittedLattice(
        name,
        member.crystal.cell,
        fit.origin,
        fit.vectors,
        fit.covariance,
        len(member.rows),
        float(np.sqrt((apart**2).sum(axis=1).mean())),
    )


def _title(member: Member) -> str:
    words = dict.fromkeys(word for name in member.crystal.cell.names for word in name.split())
    return "-".join(words)


def _enter(table: pd.DataFrame, number: int, member: Member, lattice: FittedLattice) -> None:
    def write(name: str, values: Any) -> None:
        column = table[name].to_numpy(copy=True)
        column[member.rows] = values
        table[name] = column

    names = np.array(member.crystal.cell.names, dtype=object)
    write("lattice", number)
    write("site", member.site)
    write("site_name", names[member.site])
    write("cell_a", member.cell[:, 0])
    write("cell_b", member.cell[:, 1])
    expected = lattice.place(member.places())
    for n, axis in enumerate("xy"):
        write(f"expected_{axis}", expected[:, n])
        found = table[axis].to_numpy(float)[member.rows]
        write(f"displacement_{axis}", found - expected[:, n])


def _part(lattice: FittedLattice, fit: LatticeFit) -> dict[str, Any]:
    """A lattice in numbers, with errors that explain the scatter and those of the fits alone."""
    names = ("a_std", "b_std", "gamma_std_deg", "rotation_std_deg")
    a, b = (float(length) for length in lattice.lengths)
    cell = lattice.cell
    return {
        "name": lattice.name,
        "n_columns": lattice.n_columns,
        "a": a,
        "b": b,
        "gamma_deg": lattice.gamma_deg,
        "rotation_deg": lattice.rotation_deg,
        **dict(zip(names, length_errors(fit.vectors, fit.covariance), strict=True)),
        "of_fits_alone": {
            name: None if np.isnan(value) else value
            for name, value in zip(
                names, length_errors(fit.vectors, fit.covariance_of_fits), strict=True
            )
        },
        "mirrored": lattice.mirrored,
        "origin": [float(value) for value in lattice.origin],
        "residual_rms": lattice.residual_rms,
        "cell": {"a": cell.a, "b": cell.b, "angle_deg": cell.angle_deg, "names": [*cell.names]},
    }


def _summary(
    table: pd.DataFrame,
    members: list[Member],
    lattices: list[FittedLattice],
    parts: list[dict[str, Any]],
) -> dict[str, Any]:
    inside = int((table["lattice"] >= 0).sum())
    warnings = []
    if inside < (1 - MANY_OUTSIDE) * len(table):
        warnings.append(
            f"{len(table) - inside} of {len(table)} columns lie in no lattice: other grains or "
            "phases (raise most_lattices, give their cells), amorphous parts or false columns"
        )
    for member, lattice in zip(members, lattices, strict=True):
        points = table[["x", "y"]].to_numpy(float)[member.rows]
        warnings += _doubts(points, member, lattice)
    return {"n_columns": len(table), "n_indexed": inside, "lattices": parts, "warnings": warnings}


def _doubts(points: Array, member: Member, lattice: FittedLattice) -> list[str]:
    doubts = []
    cell, lengths = lattice.cell, lattice.lengths
    if np.abs(lengths / [cell.a, cell.b] - 1).max() > CALIBRATION:
        doubts.append(
            f"{lattice.name}: a and b are {lengths[0]:.3f} and {lengths[1]:.3f} Å in the image, "
            f"{cell.a:.3f} and {cell.b:.3f} Å in the cell: strain, or the calibration"
        )
    found = occupation(points, lattice, member.site, member.cell)
    return doubts + doubts_of_occupation(found, lattice)
