"""What every way of counting returns: a posterior over counts for each column, and its reading."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crewe.atoms.stamps import Array

LEAST_PROBABILITY = 0.5
"""A column whose likeliest count is less probable than this is left without a count."""
INTERVAL = 0.9
"""Probability held by the interval from `count_low` to `count_high`."""


@dataclass(frozen=True)
class AtomCounts:
    """Atoms in each of N columns, as far as the data decide them."""

    posterior: Array
    """Probability (N, K + 1) of 0 … K atoms in each column; rows sum to 1. A row of NaN belongs to
    a column that was left out."""
    curve: Array
    """Mean cross-section (K + 1,) of 0 … K atoms, in the unit of the table; NaN where unknown."""
    curve_std: Array
    """Standard error (K + 1,) of the curve."""
    spread: Array
    """Standard deviation (K + 1,) of the cross-sections of columns of 0 … K atoms."""
    weights: Array
    """Part (K + 1,) of the columns that has 0 … K atoms; sums to 1."""
    summary: dict[str, Any]
    """How the count came about, as plain JSON-able values; always with the keys method, decided
    (bool), verdict (one sentence), n_counted, n_undecided, n_left_out, atoms_total,
    atoms_total_std, mean_probability, warnings (list of sentences)."""

    def add_to(
        self,
        columns: pd.DataFrame,
        least_probability: float = LEAST_PROBABILITY,
        keep_undecided: bool = False,
    ) -> pd.DataFrame:
        """Return the table of columns with the count of each.

        `count` is the likeliest number of atoms, missing where its `count_probability` is below
        `least_probability`, and everywhere if the data as a whole could not decide
        (`summary["decided"]`), unless `keep_undecided`. `count_low` and `count_high` enclose the
        count with a probability of at least 0.9, if the model holds. Columns that were left out
        have no numbers.
        """
        table = columns.copy()
        table.attrs = dict(columns.attrs)
        known = np.isfinite(self.posterior.sum(axis=1))
        rows = np.where(known[:, None], self.posterior, 1.0)
        probability = np.where(known, rows.max(axis=1), np.nan)
        low, high = interval(rows)
        trusted = bool(self.summary["decided"]) or keep_undecided
        answered = known & (probability >= least_probability) & trusted
        table["count"] = _whole(rows.argmax(axis=1), answered)
        table["count_probability"] = probability
        table["count_low"] = _whole(low, known)
        table["count_high"] = _whole(high, known)
        return table


def interval(posterior: Array, probability: float = INTERVAL) -> tuple[NDArray[np.int64], ...]:
    """Smallest and largest count (N,) with at most half of the rest of probability beyond each."""
    beyond = (1 - probability) / 2
    below = np.cumsum(posterior, axis=1)
    above = np.cumsum(posterior[:, ::-1], axis=1)
    low = np.argmax(below > beyond, axis=1)
    high = posterior.shape[1] - 1 - np.argmax(above > beyond, axis=1)
    return low, high


def _whole(numbers: NDArray[np.int64], known: NDArray[np.bool_]) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(numbers.astype(np.int64), ~known)
