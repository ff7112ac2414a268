"""What StatSTEM's example files store of counting, and our own fits of the same images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.io import loadmat

from benchmarks.accuracy.matching import match
from benchmarks.accuracy.statstem import SAME_MODEL, Stored, read_example
from crewe.atoms import find_columns, fit_columns
from crewe.axes import calibrated_image

PARTICLE = "statstem_ExamplePtIr_old.mat"
PEROVSKITE = "statstem_Example3.mat"
NEAR = 0.5
"""Distance in Å within which columns are the same."""


@dataclass(frozen=True)
class Case:
    """A table of columns to be counted, and StatSTEM's counts of the same columns."""

    name: str
    columns: pd.DataFrame
    stored: NDArray[np.float64] | None
    """StatSTEM's count of each row, NaN for columns that it does not have; None without any."""


@dataclass(frozen=True)
class StoredCounts:
    """StatSTEM's own counting of a file."""

    counts: NDArray[np.int64]
    total: int
    icl: NDArray[np.float64]
    """ICL of 1, 2, … components."""
    selected: int
    """Number of components that its user chose."""
    width: float
    locations: NDArray[np.float64]


def stored_counts(path: Path) -> StoredCounts:
    """Read what StatSTEM counted."""
    found = loadmat(path, squeeze_me=True, struct_as_record=False)["atomcounting"]
    return StoredCounts(
        counts=found.Counts.astype(np.int64),
        total=int(found.TotalNumberAtoms),
        icl=found.ICL,
        selected=int(found.selMin),
        width=float(found.estimatedWidth),
        locations=found.estimatedLocations,
    )


def stored_library(path: Path) -> xr.DataArray:
    """Read the library that lies in the file: cross-section in Å² of 1, 2, … atoms."""
    table = loadmat(path, squeeze_me=True, struct_as_record=False)["input"].library
    return xr.DataArray(
        table[:, 1], {"atoms": table[:, 0].astype(int)}, "atoms", name="scs", attrs={"units": "Å²"}
    )


def image_of(stored: Stored) -> xr.DataArray:
    """Return the image with its pixel size."""
    return calibrated_image(stored.image, stored.sampling)


def stored_columns(stored: Stored) -> pd.DataFrame:
    """Return StatSTEM's fit as a table of columns; it has no standard errors."""
    x, y = stored.positions.T
    return pd.DataFrame(
        {"x": x, "y": y, "scs": stored.scs, "width": stored.width, "type": stored.types, "flag": ""}
    )


def particle_cases(stored: Stored, counted: StoredCounts) -> list[Case]:
    """Return the particle's columns by StatSTEM's fit and by three fits of ours."""
    image = image_of(stored)
    start = stored_columns(stored)[["x", "y", "type"]].assign(height=stored.height)
    fits = {
        "ours, StatSTEM's columns and model": fit_columns(image, start, **SAME_MODEL).columns,
        "ours, StatSTEM's columns": fit_columns(image, start).columns,
        "ours, our own columns": fit_columns(image, find_columns(image)).columns,
    }
    cases = [Case("StatSTEM's", stored_columns(stored), counted.counts.astype(float))]
    for name, columns in fits.items():
        partner = match(columns[["x", "y"]].to_numpy(), stored.positions, NEAR)
        counts = np.where(partner >= 0, counted.counts[partner], np.nan)
        cases.append(Case(name, columns, counts))
    return cases


def perovskite_cases(stored: Stored) -> list[Case]:
    """Return the columns of CsPbBr3, kind by kind, by StatSTEM's fit and by ours."""
    image = image_of(stored)
    tables = {
        "StatSTEM's": stored_columns(stored).assign(type=stored.types - 1),
        "ours, our own columns": fit_columns(image, find_columns(image)).columns,
    }
    return [
        Case(f"{name}, {kind}", table[table["type"] == number], None)
        for name, table in tables.items()
        for number, kind in enumerate(("Pb", "Cs"))
    ]


def read(folder: Path, name: str) -> Stored:
    """Read one example."""
    return read_example(folder / "atomic" / name)
