import numpy as np
import pytest

from crewe.stem4d.com_vectors import shift_vectors

PIVOT = np.array([3.5, 4.5])
MATRIX = np.array([[0.6, -0.8], [0.8, 0.6]]) * (0.2, 0.3)


@pytest.mark.parametrize("by_pattern", [True, False])
def test_vectors_are_weight_times_shift_about_the_pivot(by_pattern):
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.5, (5, 6)).astype(float)
    first = rng.uniform(0, 8, (2, 5, 6)) * counts
    counts[1, 2], first[0, 3, 3] = np.nan, np.inf
    rows = np.array([1, 3, 4])
    vectors, weights, known = shift_vectors(counts, first, rows, PIVOT, MATRIX, by_pattern)
    for index, row in enumerate(rows):
        for column in range(6):
            total = counts[row, column]
            use = total > 0 and np.isfinite(first[:, row, column]).all()
            assert known[index, column] == use
            expected, weight = np.zeros(2), 0.0
            if use:
                weight = 1.0 if by_pattern else total
                expected = MATRIX @ (weight * (first[:, row, column] / total - PIVOT))
            assert weights[index, column] == weight
            np.testing.assert_allclose(vectors[:, index, column], expected, atol=1e-14)


def test_views_of_interleaved_moments_are_read_as_they_are():
    values = np.random.default_rng(1).uniform(1, 2, (12, 3))
    counts = values[:, 0].reshape(3, 4)
    first = values[:, 1:].T.reshape(2, 3, 4)
    rows = np.arange(3)
    of_views = shift_vectors(counts, first, rows, PIVOT, MATRIX, True)
    of_copies = shift_vectors(counts.copy(), first.copy(), rows, PIVOT, MATRIX, True)
    for one, other in zip(of_views, of_copies, strict=True):
        np.testing.assert_array_equal(one, other)
