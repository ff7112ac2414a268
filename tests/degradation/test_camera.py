import numpy as np
import pytest
from scipy import stats

from crewe.degradation import camera
from crewe.errors import PlanError

TYPICAL = camera.ModulationTransfer(0.6, 0.8, 0.3)
RNG = np.random.default_rng(0)


def test_transfer_is_one_at_zero_and_the_pixel_s_at_nyquist():
    wide = camera.ModulationTransfer(1.0, 100.0, 100.0)
    transfer = camera.transfer((1000, 1000), wide)
    assert transfer[0, 0] == 1
    assert transfer[0, -1] == pytest.approx(2 / np.pi, rel=2e-3)
    assert transfer[-1, -1] == pytest.approx((2 / np.pi) ** 2, rel=4e-3)
    assert np.all(np.diff(camera.transfer((64, 64), TYPICAL), axis=1) < 0)


def test_blur_multiplies_a_wave_by_the_transfer():
    x = np.arange(96)
    for cycles in (4, 12, 24):
        wave = np.cos(np.pi * cycles * (x + 0.5) / 96) * np.ones((80, 1))
        blurred = camera.modulation_transfer(1 + wave, TYPICAL, RNG) - 1
        u = cycles / 96
        expected = camera.radial_transfer(np.array(u), TYPICAL) * np.sinc(u / 2)
        assert np.allclose(blurred, expected * wave, atol=1e-5)


def test_the_point_spread_adds_up_to_one_and_is_round():
    point = np.zeros((65, 65))
    point[32, 32] = 1
    spread = camera.modulation_transfer(point, TYPICAL, RNG)
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    assert np.allclose(spread, spread.T, atol=1e-6)
    assert np.allclose(spread, spread[::-1, ::-1], atol=1e-6)
    assert np.unravel_index(spread.argmax(), spread.shape) == (32, 32)


def test_blur_against_a_fourier_transform_of_the_mirrored_image():
    image = np.random.default_rng(1).uniform(size=(20, 30))
    mirrored = np.block([[image, image[:, ::-1]], [image[::-1], image[::-1, ::-1]]])
    v, u = 2 * np.fft.fftfreq(40)[:, None], 2 * np.fft.fftfreq(60)
    full = camera.radial_transfer(np.hypot(v, u), TYPICAL) * np.sinc(v / 2) * np.sinc(u / 2)
    expected = np.fft.ifft2(np.fft.fft2(mirrored) * full).real[:20, :30]
    assert np.allclose(camera.modulation_transfer(image, TYPICAL, RNG), expected, atol=1e-5)


@pytest.mark.parametrize("abc", [(1.3, 0.3, 0.9), (9.0, 0.5, 0.45), (2.0, 0.5, 0.9)])
def test_transfers_that_rise_or_turn_negative_are_refused(abc):
    frequency = np.linspace(0, 10, 1000)
    a, b, c = abc
    curve = a * np.exp(-(frequency**2) / 2 / b**2) + (1 - a) * np.exp(-(frequency**2) / 2 / c**2)
    assert curve.min() < 0 or np.diff(curve).max() > 0
    with pytest.raises(PlanError, match="does not fall"):
        camera.ModulationTransfer(a, b, c)


def test_a_weight_above_one_may_fall():
    assert camera.ModulationTransfer(1.05, 0.5, 0.3).a == 1.05


def test_fixed_pattern_noise_follows_the_signal():
    signal = np.array([[1.0], [10.0]]) * np.ones((1, 100_000))
    noisy = camera.fixed_pattern(signal, camera.FixedPattern(0.03), np.random.default_rng(2))
    assert noisy.std(axis=1) / signal[:, 0] == pytest.approx([0.03, 0.03], rel=0.02)
    assert noisy.mean(axis=1) / signal[:, 0] == pytest.approx([1, 1], rel=1e-3)


def test_dark_current_is_log_normal_with_hot_outliers():
    parameters = camera.DarkCurrent(2.0, 0.5, hot_fraction=0.01)
    dark = camera.dark_current_nonuniformity((500, 500), parameters, np.random.default_rng(3))
    hot = dark > 2 + 5 * 0.5
    assert np.mean(hot) == pytest.approx(0.01, rel=0.1)
    body = dark[dark < 4]
    assert body.mean() == pytest.approx(2, rel=0.01)
    assert body.std() == pytest.approx(0.5, rel=0.02)
    assert abs(stats.skew(np.log(body))) < 0.05
    added = dark[hot] - 2
    assert added.mean() == pytest.approx(2 + 6.5 * 0.5, rel=0.02)


def test_dark_electrons_are_counted():
    image = np.full((400, 400), 7.0)
    parameters = camera.DarkCurrent(1.5, 0.3)
    noisy = camera.dark_current(image, parameters, np.random.default_rng(4)) - 7
    assert noisy.mean() == pytest.approx(1.5, rel=0.02)
    assert noisy.var() == pytest.approx(1.5 + 0.3**2, rel=0.03)
    assert np.array_equal(noisy, np.rint(noisy))
