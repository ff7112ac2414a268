import numpy as np
import pytest
from scipy import ndimage

from crewe.restoration.noise import (
    block_spectra,
    coloured_noise,
    fit_noise,
    noise_power,
    without_spikes,
)


def scene(shape=(256, 256), period=16.0):
    y, x = np.indices(shape)
    return 20 + 10 * np.cos(2 * np.pi * y / period) * np.cos(2 * np.pi * x / period)


def normal(shape=(256, 256), seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def mean_power(image):
    """Power spectrum whose mean is the mean square of the image."""
    power = np.mean(block_spectra(image), axis=0)
    return power * np.mean(image**2) / power.mean()


def test_readout_noise_is_a_constant():
    model = fit_noise(3 * normal(), scene())
    np.testing.assert_allclose(model.variance(scene()), 9.0, rtol=0.1)


def test_shot_noise_grows_with_the_intensity():
    gain, clean = 2.5, scene()
    noisy = gain * np.random.default_rng(0).poisson(clean / gain)
    model = fit_noise(noisy - clean, clean)
    np.testing.assert_allclose(model.variance(clean), gain * clean, rtol=0.12)
    assert model.per_intensity == pytest.approx(gain, rel=0.25)


def test_lines_that_jitter_make_noise_where_the_image_is_steep_along_them():
    clean, shift = scene(), 0.3
    moved = np.random.default_rng(0).normal(0, shift, (256, 1))
    gradient = np.gradient(clean, axis=1)
    model = fit_noise(0.1 * normal() + moved * gradient, clean)
    assert model.per_gradient_x == pytest.approx(shift**2, rel=0.2)
    assert model.per_gradient_y * np.mean(gradient**2) < 0.1 * shift**2 * np.mean(gradient**2)


def test_structure_that_was_missed_hardly_counts_as_noise():
    residual = normal()
    residual[100:112, 100:112] += 30
    np.testing.assert_allclose(fit_noise(residual, scene()).variance(scene()), 1.0, rtol=0.35)
    assert np.mean(residual**2) > 2.5


def test_an_image_that_was_not_changed_has_no_noise_but_a_variance():
    model = fit_noise(np.zeros((64, 64)), scene((64, 64)))
    assert (model.variance(scene((64, 64))) > 0).all()


def test_single_hot_pixels_are_taken_out_and_nothing_else():
    residual = normal()
    spiked = residual.copy()
    spiked[10::20, 10::20] = 40
    cleaned = without_spikes(spiked, np.ones_like(residual))
    assert np.abs(cleaned[10::20, 10::20]).max() < 4
    others = np.ones(residual.shape, bool)
    others[10::20, 10::20] = False
    assert np.mean(cleaned[others] != residual[others]) < 1e-4
    peak = 40 * np.exp(-(np.hypot(*(np.indices((21, 21)) - 10)) ** 2) / 18)
    np.testing.assert_array_equal(without_spikes(peak, np.ones_like(peak)), peak)


def test_white_noise_has_power_one_everywhere():
    power = noise_power(normal((512, 512)), normal((512, 512)))
    assert power.shape == (64, 64)
    assert power.mean() == pytest.approx(1, abs=0.1)
    assert 0.6 < power.min() < power.max() < 1.6


def test_power_that_the_restored_image_took_up_is_put_back():
    noise = normal((512, 512))
    rest = noise - ndimage.gaussian_filter(noise, 2.0)
    power = noise_power(rest / rest.std(), noise / rest.std())
    taken = float(np.mean(rest**2))
    assert power.mean() * taken == pytest.approx(1, abs=0.15)
    low = power[1:4, 1:4].mean() * taken
    assert low == pytest.approx(1, abs=0.25)


def test_noise_that_was_smoothed_is_known_by_its_fall():
    """The restored image took nearly all of it: what is left tells little, the fall tells more."""
    noise = ndimage.gaussian_filter(normal((512, 512)), 0.8)
    rest = noise - ndimage.gaussian_filter(noise, 0.7)
    unit = rest.std()
    power = noise_power(rest / unit, noise / unit)
    true, left = (mean_power(image / unit) for image in (noise, rest))
    low = (slice(1, 6), slice(1, 6))
    assert left[low].mean() < 0.05 * true[low].mean()
    assert 0.4 < power[low].mean() / true[low].mean() < 1.5


def test_structure_is_not_taken_for_smoothed_noise():
    shape = (512, 512)
    lattice = 10 * scene(shape)
    power = noise_power(normal(shape), lattice + normal(shape))
    assert power.mean() == pytest.approx(1, abs=0.1)


def test_noise_made_from_a_spectrum_has_that_spectrum():
    smeared = ndimage.uniform_filter1d(normal((512, 512)), 3, axis=1)
    smeared /= smeared.std()
    power = noise_power(smeared, smeared)
    made = coloured_noise(power, (512, 512), np.random.default_rng(1))
    assert made.var() == pytest.approx(power.mean(), rel=0.05)
    one = np.mean(block_spectra(made), axis=0)
    other = np.mean(block_spectra(smeared), axis=0)
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.95
    assert np.corrcoef(made[:, 1:].ravel(), made[:, :-1].ravel())[0, 1] == pytest.approx(
        2 / 3, abs=0.05
    )


@pytest.mark.parametrize("shape", [(16, 16), (17, 300), (65, 64)])
def test_any_shape(shape):
    power = noise_power(normal(shape), normal(shape))
    assert np.isfinite(power).all()
    assert coloured_noise(power, shape, np.random.default_rng(0)).shape == shape
