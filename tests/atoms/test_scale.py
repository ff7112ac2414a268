import numpy as np
import pytest

from crewe.atoms.scale import (
    blob_responses,
    border_noise,
    choose_scale,
    response_noise,
    texture_noise,
    white_noise_variance,
)
from crewe.testing.lattices import square_lattice


def test_the_response_is_blind_to_a_linear_background():
    y, x = np.mgrid[0:64, 0:64].astype(float)
    (response,) = blob_responses(3 + 0.2 * x - 0.5 * y, np.array([2.0]))
    assert np.abs(response[16:-16, 16:-16]).max() < 1e-3


def test_the_response_to_a_gaussian_is_the_analytic_one():
    """The Laplacian of a Gaussian of width √(ρ²+s²), height ρ²/(ρ²+s²)."""
    y, x = np.mgrid[-40:41, -40:41]
    width, scale = 3.0, 2.0
    (response,) = blob_responses(np.exp(-(x**2 + y**2) / (2 * width**2)), np.array([scale]))
    total = width**2 + scale**2
    assert response[40, 40] == pytest.approx(2 * width**2 / total**2, rel=1e-3)


@pytest.mark.parametrize("scale", [1.5, 4.0])
def test_noise_of_the_response_is_predicted(scale):
    noise = np.random.default_rng(0).normal(0, 2.0, (512, 512))
    (response,) = blob_responses(noise, np.array([scale]))
    assert response.std() == pytest.approx(2.0 * response_noise(scale), rel=0.05)


@pytest.mark.parametrize("width", [0.3, 0.45, 0.7])
def test_the_scale_follows_the_size_of_the_columns(width):
    phantom = square_lattice((256, 256), width=width, spacing=4.4 * width)
    scale, ruling = choose_scale(phantom.image.values)
    assert ruling
    assert 0.8 < scale * 0.15 / width < 1.6


def test_plain_noise_has_no_scale():
    assert choose_scale(np.random.default_rng(1).normal(size=(256, 256))) is None


def test_white_noise_is_measured_as_it_grows_with_intensity():
    expected = np.tile(np.linspace(2.0, 20.0, 400), (400, 1))
    counts = np.random.default_rng(2).poisson(expected).astype(float)
    variance = white_noise_variance(counts, 5.0)
    assert np.allclose(variance[:, 50:-50].mean(axis=0), expected[0, 50:-50], rtol=0.1)


def test_texture_noise_ignores_a_lattice():
    lattice = square_lattice((256, 256), displacement=0.0).image.values
    noise = np.random.default_rng(3).normal(0, 0.01, lattice.shape)
    alone, both = (texture_noise(image, 2.0) for image in (noise, noise + lattice))
    assert both == pytest.approx(alone, rel=0.3)


def test_noise_of_the_response_is_predicted_at_the_border():
    noise = np.random.default_rng(4).normal(size=(4000, 60))
    (response,) = blob_responses(noise, np.array([3.0]))
    predicted = response_noise(3.0) * border_noise(noise.shape, 3.0)
    inner = slice(20, -20)
    ratio = response[inner, :].std(axis=0) / predicted[inner, :].mean(axis=0)
    assert np.abs(ratio[[0, 30]] - 1).max() < 0.08
    assert ratio.max() < 1.1
