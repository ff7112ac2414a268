import numpy as np
import pytest
from scipy import ndimage

from crewe.simulation.emulator.gaussian_blur import (
    blurred_along_x,
    blurred_along_y,
    gaussian_kernel,
    radius,
)


def _blurred(image, sigma, order=(0, 0)):
    half = blurred_along_y(image, gaussian_kernel(sigma, order[0]))
    return blurred_along_x(half, gaussian_kernel(sigma, order[1]))


@pytest.mark.parametrize("sigma", [0.05, 0.7, 1.0, 3.0, 16.0])
def test_kernels_keep_a_constant_a_slope_and_a_curvature(sigma):
    reach = radius(sigma)
    x = np.arange(-reach, reach + 1)
    constant, slope, curvature = (gaussian_kernel(sigma, order) for order in range(3))
    assert constant.sum() == pytest.approx(1, abs=1e-6)
    assert constant @ x == pytest.approx(0, abs=1e-6)
    if reach:
        assert np.allclose([slope.sum(), slope @ x], [0, -1], atol=1e-5)
        assert np.allclose([curvature.sum(), curvature @ x, curvature @ x**2], [0, 0, 2], atol=1e-4)
    else:
        assert slope[0] == curvature[0] == 0


@pytest.mark.parametrize("shape", [(70, 91), (5, 200), (129, 7), (1, 1)])
@pytest.mark.parametrize("sigma", [0.6, 1.0, 3.0, 8.0, 16.0])
def test_blurs_are_those_of_an_independent_program(shape, sigma):
    image = np.random.default_rng(1).uniform(0, 2, shape).astype(np.float32)
    expected = ndimage.gaussian_filter(image.astype(float), sigma, mode="constant", truncate=4)
    assert np.abs(_blurred(image, sigma) - expected).max() < 1e-5


@pytest.mark.parametrize("order", [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2)])
@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_derivatives_are_those_of_an_independent_program(order, sigma):
    """Beyond 4 σ, where ours is cut off, lies a per cent of a second derivative's kernel."""
    image = np.random.default_rng(2).uniform(0, 2, (60, 75)).astype(np.float32)
    expected = ndimage.gaussian_filter(
        image.astype(float), sigma, order=order, mode="constant", truncate=6
    )
    found = _blurred(image, sigma, order)
    assert np.abs(found - expected).max() < (2e-3, 1e-2)[max(order) - 1] * np.abs(expected).max()


def test_a_blur_along_each_axis_is_the_naive_sum():
    rng = np.random.default_rng(4)
    image = rng.normal(size=(9, 70)).astype(np.float32)
    kernel = rng.normal(size=7).astype(np.float32)
    along_x = [np.convolve(row, kernel, mode="same") for row in image]
    assert np.allclose(blurred_along_x(image, kernel), along_x, atol=1e-5)
    turned = np.ascontiguousarray(image.T)
    assert np.allclose(blurred_along_y(turned, kernel).T, along_x, atol=1e-5)


def test_the_blur_of_a_gaussian_is_wider_by_its_sigma():
    y, x = np.mgrid[:101, :101] - 50.0
    before, sigma = 5.0, 4.0
    image = np.exp(-(y**2 + x**2) / (2 * before**2)).astype(np.float32)
    after = before**2 + sigma**2
    expected = before**2 / after * np.exp(-(y**2 + x**2) / (2 * after))
    assert np.abs(_blurred(image, sigma) - expected).max() < 1e-4
