"""Columns of known counts on a known curve."""

import numpy as np
import pandas as pd
import xarray as xr


def curved(counts):
    """Cross-sections of `counts` atoms, saturating a little."""
    return counts - 0.004 * counts**2


def library(most=20, factor=1.0):
    atoms = np.arange(1, most + 1)
    return xr.DataArray(
        factor * curved(atoms.astype(float)),
        dims="atoms",
        coords={"atoms": atoms},
        attrs={"units": "Å²"},
        name="scs",
    )


def counted_columns(noise, seed=0, number=300, counts=None):
    """Table of columns and their true counts; noise in cross-section, about steps."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 21, number) if counts is None else counts(rng, number)
    table = pd.DataFrame({"scs": curved(truth) + noise * rng.standard_normal(number)})
    table.attrs["units"] = {"scs": "Å²"}
    return table, truth


def thick(rng, number):
    """Counts around ten, none below four."""
    return np.clip(np.round(rng.normal(10.5, 2.5, number)), 4, 18).astype(int)
