import numpy as np
import pytest
from scipy import ndimage

from crewe.chemistry.independence import WIDEST_PX, pixels_per_value


def noise(sigma, seed=0, side=256):
    white = np.random.default_rng(seed).normal(size=(side, side))
    return ndimage.gaussian_filter(white, sigma, mode="wrap") if sigma else white


def test_pixels_of_white_noise_stand_alone():
    assert pixels_per_value(noise(0)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_area_of_a_gaussian_filter(sigma):
    assert pixels_per_value(noise(sigma)) == pytest.approx(4 * np.pi * sigma**2, rel=0.2)


@pytest.mark.parametrize("sigma", [0.0, 1.5])
def test_a_step_between_two_regions_changes_little(sigma):
    image = noise(sigma) / noise(sigma).std()
    stepped = image + np.where(np.arange(256) > 100, 10.0, 0.0)
    assert pixels_per_value(stepped) == pytest.approx(pixels_per_value(image), rel=0.25, abs=0.1)


def test_it_tells_the_scatter_of_a_mean():
    means = [noise(2.0, seed, 128).mean() for seed in range(200)]
    image = noise(2.0, 0, 128)
    expected = image.std() / np.sqrt(image.size / pixels_per_value(image))
    assert np.std(means) == pytest.approx(expected, rel=0.2)


def test_nan_is_left_out():
    image = noise(1.5)
    y, x = np.mgrid[:256, :256] - 128
    masked = np.where(np.hypot(y, x) < 100, image, np.nan)
    assert pixels_per_value(masked) == pytest.approx(pixels_per_value(image), rel=0.2)


def test_nothing_to_tell_from_counts_as_one_value():
    for image in (np.ones((99, 99)), np.full((99, 99), np.nan), np.zeros((3, 3))):
        assert pixels_per_value(image) >= np.pi * min(WIDEST_PX, image.shape[0] // 3) ** 2 - 1e-9
