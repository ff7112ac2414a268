import numpy as np
import pytest

from crewe.degradation.row_lines import RowLines, row_lines


def test_a_piece_becomes_its_mean_times_a_factor():
    image = np.random.default_rng(0).uniform(1, 2, (50, 60)).astype(np.float32)
    for seed in range(30):
        lined = row_lines(image, RowLines(1, 0.5), np.random.default_rng(seed))
        changed = np.argwhere(lined != image)
        assert len(set(changed[:, 0])) == 1
        row, columns = changed[0, 0], changed[:, 1]
        assert len(columns) == columns.max() - columns.min() + 1 <= 30
        values = lined[row, columns]
        assert np.all(values == values[0])
        assert 0.5 <= values[0] / image[row, columns].mean() <= 1.5


def test_factors_cover_their_range_and_none_means_none():
    flat = np.ones((40, 40), np.float32)
    factors = [
        row_lines(flat, RowLines(1, 1), np.random.default_rng(s)).ravel() for s in range(200)
    ]
    odd = [values[np.argmax(np.abs(values - 1))] for values in factors]
    assert min(odd) == pytest.approx(0.5, abs=0.03)
    assert max(odd) == pytest.approx(1.5, abs=0.03)
    assert np.mean(odd) == pytest.approx(1, abs=0.06)
    assert np.array_equal(row_lines(flat, RowLines(0, 1), np.random.default_rng(0)), flat)
