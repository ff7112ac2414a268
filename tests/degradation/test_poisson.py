import numpy as np
import pytest
from scipy import stats

from crewe.degradation.poisson import poisson_image


@pytest.mark.parametrize("mean", [0.03, 0.9, 4.0, 9.99, 10.0, 11.5, 40.0, 900.0])
def test_numbers_follow_the_poisson_distribution(mean):
    counts = poisson_image(np.full((400, 500), mean, np.float32), np.random.default_rng(3))
    low, high = (int(stats.poisson.ppf(p, mean)) for p in (1e-3, 1 - 1e-3))
    observed = np.bincount(np.clip(counts.ravel(), low, high).astype(int) - low)
    expected = stats.poisson.pmf(np.arange(low, high + 1), mean)
    expected[0], expected[-1] = stats.poisson.cdf(low, mean), stats.poisson.sf(high - 1, mean)
    assert stats.chisquare(observed, expected / expected.sum() * observed.sum()).pvalue > 1e-3


def test_nothing_is_counted_where_nothing_arrives():
    means = np.array([[0.0, -1.0, 0.0]], np.float32)
    assert not poisson_image(means, np.random.default_rng(0)).any()


def test_the_same_generator_gives_the_same_counts():
    mean = np.full((20, 20), 12.0, np.float32)
    first, second = (poisson_image(mean, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)
