"""How far measured columns are from true ones: errors and their confidence intervals.

Equations 2.21–2.24 of T. Friedrich, PhD thesis, University of Antwerp 2023, section 2.3.2.
"""

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial import cKDTree

from crewe.atoms.stamps import Array, Index
from crewe.errors import PlanError


def match_columns(measured: pd.DataFrame, truth: pd.DataFrame, tolerance: float) -> Index:
    """Row of `measured` that belongs to each row of `truth`, −1 where none lies within tolerance.

    Pairs are mutual nearest neighbours by `x` and `y`, so no row is used twice; `tolerance` is in
    the tables' unit of length.
    """
    places = [table[["x", "y"]].to_numpy(float) for table in (measured, truth)]
    if not len(places[0]) or not len(places[1]):
        return np.full(len(truth), -1, dtype=np.int64)
    distance, nearest = cKDTree(places[0]).query(places[1])
    _, back = cKDTree(places[1]).query(places[0])
    mutual = back[nearest] == np.arange(len(truth))
    return np.where(mutual & (distance <= tolerance), nearest, -1).astype(np.int64)


def mean_absolute_error(measured: Array, truth: Array) -> float:
    """Mean length of the position errors, equation 2.21.

    `measured` (..., columns, 2) and `truth` (columns, 2) in the same unit of length, which the
    result has too. NaN rows, columns that were not found, are left out.
    """
    return float(np.nanmean(np.linalg.norm(np.asarray(measured) - np.asarray(truth), axis=-1)))


def mean_absolute_percentage_error(measured: Array, truth: Array) -> float:
    """Mean relative error of cross-sections in per cent, equation 2.22.

    `measured` (..., columns) and `truth` (columns,) in the same unit; NaN is left out.
    """
    truth = np.asarray(truth, dtype=float)
    return float(100 * np.nanmean(np.abs(np.asarray(measured) - truth) / truth))


def mean_confidence_interval(values: Array, confidence: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the mean of normal values by Student's t, equation 2.23.

    Raises PlanError for fewer than two finite values.
    """
    values = _finite(values)
    half = stats.t.ppf(0.5 * (1 + confidence), len(values) - 1) * stats.sem(values)
    return float(values.mean() - half), float(values.mean() + half)


def variance_confidence_interval(values: Array, confidence: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the variance of normal values by χ², equation 2.24.

    Raises PlanError for fewer than two finite values.
    """
    values = _finite(values)
    freedom = len(values) - 1
    squares = freedom * np.var(values, ddof=1)
    tails = stats.chi2.ppf([0.5 * (1 + confidence), 0.5 * (1 - confidence)], freedom)
    low, high = squares / tails
    return float(low), float(high)


def _finite(values: Array) -> Array:
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        raise PlanError(f"a confidence interval needs two finite values, {len(values)} given")
    return values
