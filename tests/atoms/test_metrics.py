import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crewe.atoms import (
    match_columns,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_confidence_interval,
    variance_confidence_interval,
)
from crewe.errors import PlanError


def table(*points):
    return pd.DataFrame(points, columns=["x", "y"], dtype=float)


def test_pairs_are_mutual_and_within_tolerance():
    truth = table((0, 0), (5, 0), (10, 0))
    measured = table((5.1, 0), (0.2, 0), (0.4, 0), (20, 0))
    assert match_columns(measured, truth, 0.5).tolist() == [1, 0, -1]
    assert match_columns(measured.iloc[:0], truth, 0.5).tolist() == [-1, -1, -1]


def test_position_error_is_the_mean_length():
    truth = np.zeros((2, 2))
    measured = np.array([[[3.0, 4.0], [0.0, 0.0]], [[0.0, 1.0], [np.nan, 0.0]]])
    assert mean_absolute_error(measured, truth) == pytest.approx((5 + 0 + 1) / 3)


def test_percentage_error_is_relative_to_the_truth():
    measured = np.array([[11.0, 15.0], [9.0, np.nan]])
    assert mean_absolute_percentage_error(measured, np.array([10.0, 20.0])) == pytest.approx(15.0)


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    samples = rng.normal(3.0, 2.0, (2000, 12))
    means = np.array([mean_confidence_interval(sample) for sample in samples])
    variances = np.array([variance_confidence_interval(sample) for sample in samples])
    assert np.mean((means[:, 0] < 3) & (means[:, 1] > 3)) == pytest.approx(0.95, abs=0.015)
    assert np.mean((variances[:, 0] < 4) & (variances[:, 1] > 4)) == pytest.approx(0.95, abs=0.015)


def test_mean_interval_agrees_with_scipy():
    values = np.array([1.0, 2.0, 4.0, 8.0, np.nan])
    expected = stats.t.interval(0.9, 3, loc=3.75, scale=stats.sem(values[:4]))
    assert mean_confidence_interval(values, 0.9) == pytest.approx(expected)


def test_one_value_has_no_interval():
    with pytest.raises(PlanError, match="two finite values"):
        variance_confidence_interval(np.array([1.0, np.nan]))
