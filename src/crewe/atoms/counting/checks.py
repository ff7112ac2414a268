"""What a table of columns must hold to be counted, and which of its columns can be."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from crewe.atoms.counting.outcome import FEWEST_COLUMNS
from crewe.atoms.stamps import Array
from crewe.errors import NoColumnsError, PlanError

MOST_NEGATIVE = 0.05
LIBRARY_FACTOR = 10.0
LEFT_OUT = ("edge", "unconverged")
"""Flags of columns whose cross-section is not to be trusted."""


@dataclass(frozen=True)
class Countable:
    """The columns that can be counted."""

    rows: NDArray[np.bool_]
    """Which rows (N,) of the table they are."""
    scs: Array
    """Their cross-sections (n,), all positive."""
    unit: str
    warnings: list[str] = field(default_factory=list)


def countable(columns: pd.DataFrame) -> Countable:
    """Columns with a positive cross-section that are flagged neither `edge` nor `unconverged`.

    Raises NoColumnsError for fewer than twenty such columns; PlanError for a table without `scs`,
    with more than one in twenty negative cross-sections, or with all of them equal.
    """
    if "scs" not in columns:
        raise PlanError(
            f"the table has no cross-sections: a column 'scs' is needed, given are "
            f"{', '.join(map(str, columns.columns))}; run `crewe quantify` first"
        )
    scs = columns["scs"].to_numpy(dtype=float, na_value=np.nan)
    trusted = ~_flagged(columns)
    usable = np.isfinite(scs) & trusted
    negative = usable & (scs <= 0)
    warnings = [
        *_unknown(int((trusted & ~np.isfinite(scs)).sum()), len(columns)),
        *_negative(int(negative.sum()), int(usable.sum())),
    ]
    rows = usable & (scs > 0)
    _enough(int(rows.sum()), len(columns))
    if np.ptp(scs[rows]) <= 1e-9 * scs[rows].max():
        raise PlanError(
            f"all {rows.sum()} cross-sections are {scs[rows][0]:.4g}: there is nothing to count; "
            "give the table that the fit wrote, with each column's own scs"
        )
    return Countable(rows, scs[rows], scs_unit(columns), warnings)


def scs_unit(columns: pd.DataFrame) -> str:
    """Unit of the cross-sections, as far as the table knows."""
    units = columns.attrs.get("units", {})
    return str(units.get("scs", "") or "") if isinstance(units, dict) else ""


def _flagged(columns: pd.DataFrame) -> NDArray[np.bool_]:
    if "flag" not in columns:
        return np.zeros(len(columns), bool)
    words = columns["flag"].fillna("").astype(str).str.split(",")
    return np.array([any(word in LEFT_OUT for word in row) for row in words], bool)


def _unknown(count: int, total: int) -> list[str]:
    if not count:
        return []
    has, was = ("has", "was") if count == 1 else ("have", "were")
    return [f"{count} of {total} columns {has} no finite cross-section and {was} left out."]


def _negative(count: int, total: int) -> list[str]:
    if count > MOST_NEGATIVE * total:
        raise PlanError(
            f"{count} of {total} cross-sections are zero or negative: a column that scatters less "
            "than nothing means that the background of the fit is wrong, or the contrast of the "
            "image inverted; fit again with another background"
        )
    if count:
        return [f"{count} of {total} columns have no positive cross-section and were left out."]
    return []


def _enough(count: int, total: int) -> None:
    if count < FEWEST_COLUMNS:
        raise NoColumnsError(
            f"only {count} of {total} columns can be counted (positive scs, flagged neither 'edge' "
            f"nor 'unconverged'); counting needs at least {FEWEST_COLUMNS}: take a larger image"
        )


def library_values(library: xr.DataArray, scs: Array, unit: str) -> tuple[Array, Array]:
    """Atoms (k,) and cross-sections (k,) of a library that is of the scale of the data.

    Raises PlanError for a library of another form, unit or scale.
    """
    if not isinstance(library, xr.DataArray) or library.dims != ("atoms",):
        raise PlanError(
            "a library is an xarray.DataArray along 'atoms' (crewe.io.read_library reads one); "
            f"given was {_described(library)}"
        )
    atoms = np.asarray(library["atoms"].values, dtype=float)
    values = np.asarray(library.values, dtype=float)
    _check_entries(atoms, values)
    known = str(library.attrs.get("units", "") or "")
    ratio = float(values.max() / np.quantile(scs, 0.98))
    if not 1 / LIBRARY_FACTOR <= ratio <= LIBRARY_FACTOR:
        raise PlanError(
            f"the library is of another scale: it ends at {values.max():.4g} {known or '(no unit)'}"
            f" for {atoms[-1]:.0f} atoms, the columns reach {np.quantile(scs, 0.98):.4g} "
            f"{unit or '(no unit)'}; normalise the image to fractions of the beam, or bring the "
            "library to its unit"
        )
    return atoms, values


def _described(library: object) -> str:
    dims = getattr(library, "dims", None)
    return f"a {type(library).__name__}" + (f" with dims {dims}" if dims is not None else "")


def _check_entries(atoms: Array, values: Array) -> None:
    if not atoms.size or atoms[0] < 1 or (np.diff(atoms) != 1).any() or (atoms % 1).any():
        raise PlanError(
            f"the atoms of a library are whole numbers from 1 on without gaps; given: {atoms[:5]} …"
        )
    if not (np.isfinite(values).all() and (values > 0).all() and (np.diff(values) > 0).all()):
        raise PlanError(
            "the cross-sections of a library must be positive and rise with every atom; given "
            f"were {values[:5]} …; leave out the thickness from which on they no longer rise"
        )


def check_range(least: int, most: int) -> None:
    """Raise PlanError unless 1 ≤ least < most."""
    if not 1 <= least < most:
        raise PlanError(
            f"counts from {least} to {most}: least_count must be at least 1 and most_count larger"
        )


def check_positive(settings: Sequence[tuple[str, float | None]]) -> None:
    """Raise PlanError for a named number that is given and not positive."""
    for name, value in settings:
        if value is not None and not (np.isfinite(value) and value > 0):
            raise PlanError(f"{name} must be a positive number, given was {value}")
