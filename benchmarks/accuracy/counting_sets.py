"""Cross-sections of columns whose numbers of atoms are known, and the best that counting can do.

300 columns of 1 to 20 atoms on the library g − 0.004 g², in Å² of no instrument; the noise is given
in mean steps of the library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
COLUMNS, THICKEST = 300, 20
KINDS = ("uniform", "peaked", "gaps")


@dataclass(frozen=True)
class CountedSet:
    """Columns with known counts."""

    kind: str
    noise_steps: float
    seed: int
    scs: Array
    counts: Counts
    library: xr.DataArray
    """Mean cross-sections of 1 to 20 atoms."""

    @property
    def columns(self) -> pd.DataFrame:
        """The table of columns as far as counting reads it."""
        size = len(self.scs)
        table = pd.DataFrame({"x": np.arange(size, dtype=float), "y": np.zeros(size)})
        table["scs"], table["scs_std"] = self.scs, self.noise_steps * step(self.library)
        table["type"], table["flag"] = 0, ""
        table.attrs["units"] = {"x": "Å", "y": "Å", "scs": "Å²", "scs_std": "Å²"}
        return table

    def right(self, found: Counts) -> float:
        """Fraction of the columns whose count is right."""
        return float(np.mean(found == self.counts))

    def limit(self) -> float:
        """Fraction right of the nearest entry of the known library."""
        nearest = np.argmin(np.abs(self.scs[:, None] - self.library.to_numpy()), axis=1)
        return self.right(self.library["atoms"].to_numpy()[nearest])


def counted_set(kind: str, noise_steps: float, seed: int) -> CountedSet:
    """Draw one set; `kind` is how thicknesses are distributed."""
    rng = np.random.default_rng([20261121, seed])
    library = curved_library(lambda g: g - 0.004 * g**2)
    counts = thicknesses(kind, rng)
    noise = noise_steps * step(library) * rng.standard_normal(COLUMNS)
    return CountedSet(
        kind, noise_steps, seed, library.to_numpy()[counts - 1] + noise, counts, library
    )


def curved_library(curve: Callable[[Array], Array], thickest: int = THICKEST) -> xr.DataArray:
    """Library of 1 … `thickest` atoms on a curve."""
    atoms = np.arange(1, thickest + 1)
    return xr.DataArray(
        curve(atoms.astype(float)),
        dims="atoms",
        coords={"atoms": atoms},
        name="scs",
        attrs={"units": "Å²"},
    )


def thicknesses(kind: str, rng: Generator, size: int = COLUMNS) -> Counts:
    """Counts of columns: evenly, around 10.5 ± 2.5, or evenly over 12 of the 20 numbers."""
    if kind == "uniform":
        return rng.integers(1, THICKEST + 1, size)
    if kind == "peaked":
        drawn = np.round(rng.normal(10.5, 2.5, size))
        return np.clip(drawn, 1, THICKEST).astype(np.int64)
    present = np.sort(rng.choice(np.arange(1, THICKEST + 1), 12, replace=False))
    return rng.choice(present, size)


def step(library: xr.DataArray) -> float:
    """Mean difference from one atom to the next."""
    values = library.to_numpy()
    return float((values[-1] - values[0]) / (len(values) - 1))
