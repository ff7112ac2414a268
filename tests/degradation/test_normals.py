import numpy as np
from scipy import stats

from crewe.degradation.normals import standard_normals


def test_numbers_are_normal_and_independent():
    numbers = standard_normals(300, 400, np.random.default_rng(0))
    assert numbers.shape == (300, 400)
    assert numbers.dtype == np.float32
    assert stats.kstest(numbers.ravel(), "norm").pvalue > 1e-3
    for pair in ((numbers[1:], numbers[:-1]), (numbers[:, 1:], numbers[:, :-1])):
        assert abs(np.corrcoef(*map(np.ravel, pair))[0, 1]) < 0.015
