import numpy as np
import pytest

from crewe.sources import Frames
from crewe.stem4d.mean_pattern import MeanPattern


def patterns(number=20):
    return np.random.default_rng(0).normal(5, 1, (number, 6, 7))


def averaged(data, size=4):
    mean = MeanPattern(data.shape[1:], at_most=None)
    assert not mean.pattern.any()
    for at in range(0, len(data), size):
        mean.add(mean.measure(Frames(np.arange(at, at + size), data[at : at + size])))
    return mean


@pytest.mark.parametrize("damage", [np.nan, np.inf, -np.inf])
def test_a_damaged_pattern_spoils_nothing(damage):
    data = patterns()
    data[7] = damage
    data[3, 2, 2] = -damage
    mean = averaged(data)
    expected = np.where(np.isfinite(data), data, 0).sum(0) / np.isfinite(data).sum(0)
    np.testing.assert_allclose(mean.pattern, expected)
    assert mean.number == 20


def test_a_pixel_that_is_seldom_finite_has_no_mean():
    data = patterns()
    data[:, 1, 2] = np.nan
    data[5:12, 4, 4] = np.inf
    data[4] = np.nan
    pattern = averaged(data).pattern
    assert sorted(zip(*np.nonzero(np.isnan(pattern)), strict=True)) == [(1, 2), (4, 4)]


def test_patterns_that_are_all_damaged_have_no_mean():
    assert np.isnan(averaged(np.full((4, 6, 7), np.nan)).pattern).all()
