import numpy as np
import pytest
from scipy.ndimage import label

from crewe.degradation.defects import BlackPixels, Zingers, random_walks, uneven_sensitivity


def test_walks_go_from_neighbour_to_neighbour():
    y, x = random_walks((30, 20), 50, 40, np.random.default_rng(0))
    assert y.shape == x.shape == (50, 41)
    assert np.all(np.abs(np.diff(y)) + np.abs(np.diff(x)) <= 1)
    assert (y.min(), x.min()) >= (0, 0)
    assert y.max() < 30
    assert x.max() < 20


@pytest.mark.parametrize("seed", range(5))
def test_a_region_is_connected(seed):
    parameters = BlackPixels(points=1, walk_steps=60)
    image = uneven_sensitivity(np.ones((100, 100)), parameters, np.random.default_rng(seed))
    assert label(image == 0)[1] == 1
    assert 1 < np.count_nonzero(image == 0) <= 61


def test_points_lie_anywhere_alike():
    image = uneven_sensitivity(
        np.ones((60, 60)), BlackPixels(points=1000), np.random.default_rng(1)
    )
    quarters = (image == 0).reshape(2, 30, 2, 30).sum(axis=(1, 3))
    assert np.all(np.abs(quarters - quarters.mean()) < 4 * np.sqrt(quarters.mean()))


def test_sensitivities_stay_in_their_range():
    image = np.full((80, 80), 10.0)
    dark = uneven_sensitivity(image, BlackPixels(50, 0, 0.1, 0.4), np.random.default_rng(2))
    assert np.all((dark == 10) | ((dark >= 1) & (dark <= 4)))
    bright = uneven_sensitivity(image, Zingers(50, 3, 2, 5), np.random.default_rng(3))
    assert np.all((bright == 10) | ((bright >= 20) & (bright <= 50)))
    assert np.count_nonzero(bright > 10) > 50


def test_no_points_change_nothing():
    image = np.random.default_rng(4).normal(size=(9, 9)).astype(np.float32)
    assert np.array_equal(uneven_sensitivity(image, Zingers(0), np.random.default_rng(5)), image)
