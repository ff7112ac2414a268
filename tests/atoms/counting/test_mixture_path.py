import numpy as np
import pytest

from crewe.atoms.counting.mixture_em import COMMON, DOSE_FITTED, em
from crewe.atoms.counting.mixture_path import binned, mixture_path


def columns(rng, width, number=1500, most=8):
    counts = rng.integers(1, most + 1, number)
    return counts - 0.01 * counts**2 + rng.normal(0, width, number)


def test_means_and_width_come_back():
    values = columns(np.random.default_rng(1), 0.1)
    thetas, likelihoods = mixture_path(values, 10)
    truth = np.arange(1, 9) - 0.01 * np.arange(1, 9) ** 2
    # a mean of 190 columns has a standard error of 0.1/√190
    assert np.abs(thetas[7][8:16] - truth).max() < 4 * 0.1 / np.sqrt(150)
    assert np.sqrt(thetas[7][-2]) == pytest.approx(0.1, rel=0.06)
    assert np.all(np.diff(likelihoods) > -1e-6)


def test_no_random_start_is_better():
    rng = np.random.default_rng(2)
    values = columns(rng, 0.2, 300, 6)
    _, likelihoods = mixture_path(values, 6)
    rising = np.sort(values)
    for _ in range(30):
        start = np.concatenate([np.full(6, 1 / 6), np.sort(rng.choice(rising, 6, False)), [0.3, 0]])
        _, other = em(rising, np.ones(300), start, COMMON, 1e-12, 1e-7, 300)
        assert likelihoods[5] >= other - 1e-3


def test_the_unit_does_not_matter():
    values = columns(np.random.default_rng(3), 0.1, 300, 5)
    one, likelihoods = mixture_path(values, 5)
    other, scaled = mixture_path(1e-3 * values, 5)
    assert np.allclose(1e-3 * one[4][5:10], other[4][5:10], rtol=1e-6)
    assert np.allclose(scaled, likelihoods + 300 * np.log(1e3), atol=1e-3)


def test_bins_keep_number_and_mean():
    rising = np.sort(columns(np.random.default_rng(4), 0.1, 5000))
    for gain in (0.0, 0.01):
        values, weights = binned(rising, np.array([1.0, 3.0, 0.01, gain]), 0.3)
        assert len(values) < 600
        assert weights.sum() == 5000
        assert values @ weights / 5000 == pytest.approx(rising.mean(), rel=1e-12)
    assert len(binned(rising[::100], np.array([1.0, 3.0, 0.01, 0.0]), 0.3)[0]) == 50


def test_equal_columns_do_not_break_it():
    thetas, likelihoods = mixture_path(np.full(40, 2.5), 3, DOSE_FITTED)
    assert np.all(np.isfinite(likelihoods))
    assert thetas[0][1] == pytest.approx(2.5)


def test_progress_rises_to_one():
    heard = []
    mixture_path(columns(np.random.default_rng(5), 0.1, 60, 3), 4, tell=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
