import numpy as np
import pytest

from crewe.atoms.noise import counting_noise, estimate_noise

EXPECTED = np.tile(np.linspace(1.0, 9.0, 400), (400, 1))


def test_recovers_shot_noise_with_an_offset():
    rng = np.random.default_rng(0)
    constant, slope = 0.5, 0.3
    residual = rng.normal(size=EXPECTED.shape) * np.sqrt(constant + slope * EXPECTED)
    noise = estimate_noise(residual, EXPECTED, 0)
    assert noise.per_intensity == pytest.approx(slope, rel=0.05)
    assert noise.constant == pytest.approx(constant, rel=0.15)


def test_noise_that_does_not_grow_has_no_slope():
    residual = np.random.default_rng(1).normal(0, 2.0, EXPECTED.shape)
    noise = estimate_noise(residual, EXPECTED, 0)
    assert noise.variance(EXPECTED).mean() == pytest.approx(4.0, rel=0.03)
    assert abs(noise.per_intensity) < 0.05


def test_fitted_parameters_cost_degrees_of_freedom():
    residual = np.random.default_rng(2).normal(size=EXPECTED.shape)
    few, many = (estimate_noise(residual, EXPECTED, n) for n in (0, EXPECTED.size // 2))
    assert many.variance(EXPECTED).mean() == pytest.approx(2 * few.variance(EXPECTED).mean())


def test_variance_is_positive_even_without_any_noise():
    noise = estimate_noise(np.zeros_like(EXPECTED), EXPECTED, 10)
    assert np.all(noise.variance(EXPECTED) > 0)
    assert np.all(counting_noise(0.5, EXPECTED).variance(EXPECTED - 5) > 0)


def test_counts_have_their_mean_as_variance():
    assert np.allclose(counting_noise(1.0, EXPECTED).variance(EXPECTED), EXPECTED)
