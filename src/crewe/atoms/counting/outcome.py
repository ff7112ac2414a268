"""What every count takes from the table of columns, and the sums that it gives back."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crewe.atoms.counting.results import LEAST_PROBABILITY
from crewe.errors import NoColumnsError, PlanError

Array = NDArray[np.float64]

FEWEST_COLUMNS = 20


def cross_sections(columns: pd.DataFrame) -> tuple[Array, NDArray[np.bool_]]:
    """Cross-section (N,) of each column, NaN where unknown, and where it is known (N,).

    Raises PlanError for a table without `scs`, NoColumnsError for fewer than 20 known ones.
    """
    if "scs" not in columns:
        raise PlanError(
            "the table of columns has no 'scs', the scattering cross-section that tells how many "
            f"atoms a column has; it has {', '.join(map(str, columns.columns))}"
        )
    values = columns["scs"].to_numpy(float)
    known = np.isfinite(values)
    if known.sum() < FEWEST_COLUMNS:
        raise NoColumnsError(
            f"{known.sum()} columns have a cross-section; counting needs at least "
            f"{FEWEST_COLUMNS}: use a larger part of the image"
        )
    return values, known


def spread_out(posterior: Array, known: NDArray[np.bool_], offset: int = 1) -> Array:
    """Posterior (N, K + offset) of 0, 1, … atoms, from that (n, K) of the known columns.

    The first component has `offset` atoms. Rows of unknown columns are NaN.
    """
    whole = np.full((len(known), posterior.shape[1] + offset), np.nan)
    whole[known] = 0.0
    whole[known, offset:] = posterior
    return whole


def sums_of(posterior: Array) -> dict[str, Any]:
    """The part of the summary that follows from the posterior (N, K + 1) of any method.

    `atoms_total` is the expected number of atoms of all counted columns, `atoms_total_std` its
    standard deviation for known means and widths.
    """
    known = np.isfinite(posterior.sum(axis=1))
    rows = posterior[known]
    numbers = np.arange(posterior.shape[1])
    mean = rows @ numbers
    variance = rows @ numbers**2 - mean**2
    best = rows.max(axis=1) if len(rows) else np.zeros(0)
    return {
        "n_counted": int((best >= LEAST_PROBABILITY).sum()),
        "n_undecided": int((best < LEAST_PROBABILITY).sum()),
        "n_left_out": int((~known).sum()),
        "atoms_total": float(mean.sum()),
        "atoms_total_std": float(np.sqrt(np.maximum(variance, 0.0).sum())),
        "mean_probability": float(best.mean()) if len(best) else float("nan"),
    }
