import numpy as np
import pytest

from crewe.atoms.counting.mixture_em import COMMON, DOSE_FITTED
from crewe.atoms.counting.mixture_error import standard_errors
from crewe.atoms.counting.mixture_path import mixture_path


def test_components_apart_have_the_error_of_a_mean():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(1, 0.05, 400), rng.normal(2, 0.05, 100)])
    theta = np.array([0.8, 0.2, 1.0, 2.0, 0.0025, 0.0])
    errors = standard_errors(values, theta)
    assert errors == pytest.approx([0.05 / 20, 0.05 / 10], rel=0.2)


@pytest.mark.parametrize(("mode", "gain"), [(COMMON, 0.0), (DOSE_FITTED, 0.01)])
def test_errors_are_the_scatter_over_repetitions(mode, gain):
    rng = np.random.default_rng(2)
    found, told = [], []
    for _ in range(60):
        counts = rng.integers(1, 5, 800)
        values = counts + np.sqrt(0.04 + gain * counts) * rng.normal(size=800)
        thetas, _ = mixture_path(values, 4, mode)
        found.append(thetas[3][4:8])
        told.append(standard_errors(values, thetas[3], mode))
    ratio = np.std(found, axis=0) / np.mean(told, axis=0)
    # a standard deviation from 60 repetitions is known to a tenth
    assert np.all((ratio > 0.7) & (ratio < 1.35))


def test_too_few_columns_or_coinciding_components_have_no_error():
    theta = np.array([0.5, 0.5, 1.0, 1.0, 0.01, 0.0])
    assert np.isnan(standard_errors(np.array([1.0, 1.1]), theta)).all()
    values = np.random.default_rng(3).normal(1, 0.1, 100)
    assert np.isnan(standard_errors(values, theta)).all()
