import numpy as np
import pytest
from scipy import ndimage

from crewe.chemistry.neighbours import (
    SECOND_DIFFERENCE,
    shared_noise,
    squared_differences,
    surroundings,
    variance_line,
    whiteness,
)

RAMP = np.tile(np.linspace(0.0, 2.0, 256), (256, 1))


def test_planes_and_edges_along_rows_leave_no_difference():
    y, x = np.mgrid[:20, :20].astype(float)
    for image in (3 + 2 * y - x, np.where(x > 9, 5.0, 1.0), np.where(y > 9, 5.0, 1.0)):
        assert np.abs(squared_differences(image)[0]).max() < 1e-20
    assert np.sum(SECOND_DIFFERENCE**2) == pytest.approx(1.0)


def test_squared_differences_of_one_pixel():
    image = np.zeros((9, 9))
    image[4, 4] = 6.0
    squares, means = squared_differences(image)
    assert squares[3, 3] == pytest.approx(16.0)
    assert means[3, 3] == pytest.approx(16 / 6)


def test_surroundings_do_not_see_the_pixels_of_the_difference():
    image = np.zeros((15, 15))
    image[7, 7] = 1.0
    about = surroundings(image)
    assert np.allclose(about[5:8, 5:8], 0.0, atol=1e-15)
    assert about[4, 6] == pytest.approx(1 / 40)


@pytest.mark.parametrize("rate", [0.05, 0.5, 5.0, 50.0])
def test_counts_have_slope_one_and_no_constant(rate):
    lines = [variance_line(np.random.default_rng(seed).poisson(rate * RAMP)) for seed in range(6)]
    slopes = np.array([line.slope for line in lines])
    assert slopes.mean() == pytest.approx(1.0, abs=0.02)
    expected = np.mean([line.slope_error for line in lines])
    assert 0.4 < slopes.std(ddof=1) / expected < 2
    assert lines[0].variance(np.array([rate]))[0] == pytest.approx(rate, rel=0.06)


def test_edges_of_a_bright_disk_do_not_count_as_noise():
    y, x = np.mgrid[:256, :256] - 127.5
    sphere = 4 * np.sqrt(np.clip(100.0**2 - y**2 - x**2, 0, None))
    noisy = np.random.default_rng(1).poisson(sphere)
    assert variance_line(noisy).slope == pytest.approx(1.0, abs=0.05)


def test_the_scale_does_not_matter():
    counts = np.random.default_rng(2).poisson(3 * RAMP).astype(float)
    one, other = variance_line(counts), variance_line(1e-6 * counts)
    assert other.slope == pytest.approx(1e-6 * one.slope, rel=0.01)
    assert other.constant == pytest.approx(1e-12 * one.constant, rel=0.01, abs=1e-14)


def test_white_noise_is_white_and_smoothed_noise_is_not():
    noise = np.random.default_rng(3).normal(size=(256, 256)) + 20 * RAMP
    assert whiteness(noise) == pytest.approx(1.0, abs=0.1)
    for sigma in (0.4, 0.7, 2.0):
        assert whiteness(ndimage.gaussian_filter(noise, sigma)) < 0.75
    assert whiteness(ndimage.uniform_filter(noise, 3)) < 0.75
    assert whiteness(np.zeros((32, 32))) == 0


@pytest.mark.parametrize("sigma", [0.5, 0.8, 1.0])
def test_the_factor_of_shared_noise_is_that_of_the_gaussian(sigma):
    rng = np.random.default_rng(4)
    smoothed = ndimage.gaussian_filter(rng.normal(size=(512, 512)), sigma, truncate=8)
    lost = 1 / np.mean(squared_differences(smoothed)[0])
    assert shared_noise(smoothed) == pytest.approx(lost, rel=0.15)
