from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import binom, gumbel_r

from crewe.axes import calibrated_image
from crewe.chemistry import registration_evidence as evidence
from crewe.chemistry.registration import align, register, shifted
from crewe.testing.core_shell import KINDS, core_shell, measure


def measured(kind, seed, move=(0.0, 0.0), haadf_snr=20, chemical_snr=5, pixels=64):
    """A phantom whose image lies off its maps by `move`."""
    phantom = core_shell(kind, pixels=pixels, seed=seed + 50)
    off = shifted(phantom.haadf, (-move[0], -move[1])).clip(0)
    rng = np.random.default_rng(seed)
    return measure(replace(phantom, haadf=off), haadf_snr, chemical_snr, rng)


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_shuffled_pixels_are_not_trusted_and_stay_where_they_are(kind):
    chances = []
    for seed in range(60):
        made = measured(kind, seed)
        pixels = np.random.default_rng(seed).permutation(made.haadf.values.ravel())
        image = made.haadf.copy(data=pixels.reshape(made.haadf.shape))
        same, found = align(image, made.maps)
        assert same is image
        assert not found.trusted
        assert "unrelated image" in found.remark
        chances.append(found.chance)
    # The chance is that of the best of all shifts: at the shift found it is no smaller.
    assert np.sum(np.array(chances) < 0.1) <= binom.isf(1e-3, 60, 0.1)


def test_other_places_of_the_same_texture_are_not_trusted():
    rng = np.random.default_rng(9)
    trusted = 0
    for _ in range(60):
        image, layer = (gaussian_filter(rng.normal(size=(64, 64)), 2) * 7 for _ in range(2))
        counts = calibrated_image(rng.poisson(100 * np.exp(0.3 * image)).astype(float), 1.0)
        maps = calibrated_image(rng.poisson(5 * np.exp(0.3 * layer)).astype(float), 1.0)
        trusted += register(counts, {"Co": maps}).trusted
    assert trusted == 0


@pytest.mark.parametrize("snr", [(20, 5), (10, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_shift_of_a_phantom_is_trusted_and_right_within_its_error(kind, snr):
    deviations = []
    for seed in range(12):
        move = ((0.0, 0.0), (1.5, -1.05), (-4.0, 2.8))[seed % 3]
        found = register(*_pair(measured(kind, seed, move, *snr)))
        assert found.trusted, found.remark
        assert found.chance < 2e-3
        deviations.append((np.array(found.shift_px) - move) / found.standard_error_px)
    # The root of the mean square of 24 values is known to 15 %; unequal thickness adds a third.
    assert np.sqrt(np.mean(np.square(deviations))) < 1.6


def test_noise_that_is_stronger_inside_the_particle_is_in_the_standard_error():
    found = [register(*_pair(measured("smooth", seed, (1.5, 0), 10, 2))) for seed in range(24)]
    deviations = np.array([np.subtract(one.shift_px, (1.5, 0)) for one in found])
    stated = np.array([one.standard_error_px for one in found])
    # The root of the mean square of 48 values is known to 10 %.
    assert np.sqrt(np.mean((deviations / stated) ** 2)) == pytest.approx(1, abs=0.35)


def test_chance_falls_as_noise_of_the_maps_does():
    chances = [register(*_pair(measured("smooth", 4, (0, 0), 20, snr))).chance for snr in (0.2, 4)]
    assert chances[0] > 0.01
    assert chances[1] < 1e-6


def test_of_a_crystal_without_borders_the_shortest_shift_is_taken_and_told():
    y, x = np.mgrid[:64, :64]
    columns = np.exp(3 * (np.cos(2 * np.pi * y / 8) + np.cos(2 * np.pi * x / 8) - 2))
    rng = np.random.default_rng(2)
    maps = calibrated_image(rng.poisson(8 * columns).astype(float), 1.0)
    image = shifted(calibrated_image(900 * columns + 20, 1.0), (0, -7))
    image = calibrated_image(rng.poisson(image.values.clip(0)).astype(float), 1.0)
    found = register(image, {"Co": maps})
    assert found.shift_px == pytest.approx((0, -1), abs=0.1)
    assert "periodic" in found.remark


def test_the_fit_is_the_multiple_correlation_at_each_shift():
    rng = np.random.default_rng(1)
    image, maps, margin = rng.normal(size=(20, 23)), rng.normal(size=(2, 20, 23)), 3
    image -= image.mean()
    templates = evidence._orthonormal_spectra(maps, margin)
    fit = evidence._fit(np.fft.rfft2(image), templates, image.shape, margin)
    assert fit.shape == (7, 7)
    columns = maps[:, 3:-3, 3:-3].reshape(2, -1).T
    columns = columns - columns.mean(axis=0)
    for y, x in ((0, 0), (2, -3), (-1, 1)):
        there = np.roll(image, (y, x), (0, 1))[3:-3, 3:-3].ravel()
        fitted = columns @ np.linalg.lstsq(columns, there, rcond=None)[0]
        explained = (fitted**2).sum() / (image.var() * there.size)
        assert np.tanh(fit[y + margin, x + margin]) ** 2 == pytest.approx(explained)


def test_surrogates_are_real_and_keep_the_spectrum():
    for shape in ((16, 18), (15, 17)):
        phases = evidence._phases(shape, np.random.default_rng(0))
        image = np.random.default_rng(1).normal(size=shape)
        spectrum = np.abs(np.fft.rfft2(image))
        surrogate = np.fft.irfft2(spectrum * phases, s=shape)
        assert np.allclose(np.abs(np.fft.rfft2(surrogate)), spectrum)
        assert np.abs(np.corrcoef(surrogate.ravel(), image.ravel())[0, 1]) < 0.5


def test_whitening_makes_long_and_short_waves_equally_strong():
    image = gaussian_filter(np.random.default_rng(3).normal(size=(128, 128)), 2)
    image += 1e-3 * np.random.default_rng(4).normal(size=image.shape)
    power = np.abs(np.fft.rfft2(evidence._whitened(image[None])[0])) ** 2
    long, short = power[2:8, 2:8].mean(), power[14:20, 2:8].mean()
    assert long == pytest.approx(short, rel=0.6)
    assert power[50:60, 2:8].mean() < 0.3 * long


def test_the_tail_is_gumbels():
    maxima = gumbel_r.rvs(1.0, 0.2, size=4000, random_state=5)
    for value in (0.9, 1.5, 2.0):
        expected = gumbel_r.sf(value, 1.0, 0.2)
        assert evidence._gumbel_tail(value, maxima) == pytest.approx(expected, rel=0.15)
    assert evidence._gumbel_tail(3.0, np.ones(5)) == 1


def test_what_holds_nothing_is_fitted_by_anything():
    nothing, something = np.ones((16, 16)), np.random.default_rng(6).normal(size=(16, 16))
    assert evidence.chance_of_fit(nothing, something[None], 2, (0, 0)) == 1
    assert evidence.chance_of_fit(something, nothing[None], 2, (0, 0)) == 1


def _pair(made):
    return made.haadf, made.maps
