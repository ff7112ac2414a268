import numpy as np
import pytest

from crewe.degradation import readout

STRONG = readout.ReadoutNoise(0.2)


def test_thermal_noise_is_white():
    noise = readout.thermal_noise(np.full((300, 300), 5.0), STRONG, np.random.default_rng(0)) - 5
    assert noise.std() == pytest.approx(1, rel=0.01)
    assert abs(noise.mean()) < 0.02
    power = np.abs(np.fft.fft2(noise)) ** 2 / noise.size
    assert power[:20, :20].mean() == pytest.approx(power[130:170, 130:170].mean(), rel=0.15)


@pytest.mark.parametrize("shape", [(128, 128), (127, 90)])
def test_flicker_falls_with_the_frequency(shape):
    rng = np.random.default_rng(1)
    patterns = [readout.flicker_pattern(shape, rng) for _ in range(60)]
    assert np.mean([p.var() for p in patterns]) == pytest.approx(1, rel=0.1)
    assert np.abs([p.mean() for p in patterns]).max() < 1e-4
    power = np.mean([np.abs(np.fft.fft2(p)) ** 2 for p in patterns], axis=0)
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij"))
    use = (frequency > 0.02) & (frequency < 0.5)
    slope = np.polyfit(np.log(frequency[use]), np.log(power[use]), 1)[0]
    assert slope == pytest.approx(-2, abs=0.03)


def test_flicker_favours_no_direction_or_column():
    rng = np.random.default_rng(2)
    power = np.mean(
        [np.abs(np.fft.fft2(readout.flicker_pattern((64, 64), rng))) ** 2 for _ in range(400)],
        axis=0,
    )
    f = np.fft.fftfreq(64)
    white = power * (f[:, None] ** 2 + f**2)
    level = white[1:, 1:].mean()
    for line in (white[1:, 0], white[1:, 32], white[0, 1:], white[32, 1:]):
        assert line.mean() == pytest.approx(level, rel=0.05)


def test_flicker_keeps_the_mean_and_scales_with_it():
    image = readout.flicker_noise(np.full((64, 64), 10.0), STRONG, np.random.default_rng(3))
    assert image.mean() == pytest.approx(10, abs=1e-3)
    assert image.std() == pytest.approx(2, rel=0.4)


def test_reset_noise_is_constant_along_rows():
    image = np.random.default_rng(4).uniform(4, 6, (3000, 20)).astype(np.float32)
    noise = readout.reset_noise(image, STRONG, np.random.default_rng(5)) - image
    assert np.ptp(noise, axis=1).max() < 1e-5
    assert noise[:, 0].std() == pytest.approx(0.2 * image.mean(), rel=0.05)
    assert np.corrcoef(noise[1:, 0], noise[:-1, 0])[0, 1] == pytest.approx(0, abs=0.06)
