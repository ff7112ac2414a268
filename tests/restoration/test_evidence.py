import numpy as np
import pytest

from crewe.restoration.evidence import (
    PEAK_PER_SPREAD,
    Probe,
    Sight,
    local_variance,
    structure_width,
    weigh,
)

WHITE = np.ones((64, 64))


def peaks(width=3.0, height=10.0, step=16, shape=(128, 128), skip=()):
    y, x = np.indices(shape)
    image = np.zeros(shape)
    for row in range(step // 2, shape[0], step):
        for column in range(step // 2, shape[1], step):
            if (row, column) not in skip:
                near = (y - row) ** 2 + (x - column) ** 2
                image += height * np.exp(-near / (2 * width**2))
    return image


def noise(deviation, shape=(128, 128), seed=0):
    return deviation * np.random.default_rng(seed).standard_normal(shape)


def sight(deviation, width=3.0, **more):
    return Sight(width, np.full((128, 128), deviation**2), WHITE, **more)


@pytest.mark.parametrize("width", [1.5, 3.0, 6.0])
def test_width_is_that_of_the_peaks(width):
    alone = np.random.default_rng(0).choice(20000, 40, replace=False)
    image = np.zeros((256, 256))
    y, x = np.indices(image.shape)
    for place in alone:
        row, column = divmod(place, 256)
        image += np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
    assert structure_width(image) == pytest.approx(width, rel=0.3)


def test_width_does_not_see_what_noise_makes():
    image, wiggles = peaks(4.0, step=24), noise(3.0)
    with_wiggles = structure_width(image + wiggles)
    assert structure_width(image + wiggles, noise(3.0, seed=1)) > 1.5 * with_wiggles
    assert structure_width(np.zeros((64, 64))) > 20


def test_peak_over_spread_is_what_the_window_makes_of_a_gaussian():
    y, x = np.indices((81, 81)) - 40
    peak = np.exp(-(y**2 + x**2) / (2 * 4.0**2))
    spread = np.sqrt(local_variance(peak, 1.5 * 4.0)[40, 40])
    assert 1 / spread == pytest.approx(PEAK_PER_SPREAD, rel=0.03)


def test_true_structure_is_supported_and_the_more_the_less_noise():
    truth = peaks()
    means = [weigh(truth + noise(s), truth, sight(s)).structure[40, 40] for s in (100.0, 10.0, 1.0)]
    assert abs(means[0]) < 0.3
    assert means[0] < means[1] < means[2]
    assert means[2] > 3


def test_a_false_peak_is_contradicted_and_a_missing_one_missed():
    truth, false = peaks(), (64, 64)
    y, x = np.indices(truth.shape)
    planted = truth + 10 * np.exp(-((y - 64) ** 2 + (x - 64) ** 2) / 18)
    measured = truth + noise(3.0)
    assert weigh(measured, planted, sight(3.0)).structure[false] < -3
    lacking = weigh(measured, peaks(skip=[(56, 56)]), sight(3.0)).complete
    assert lacking[56, 56] < -3
    assert np.median(lacking) > 2


def test_a_slope_of_one_half_says_nothing():
    truth = peaks()
    halved = weigh(truth, 2 * truth, sight(0.1)).structure
    assert np.abs(halved).max() < 0.05


def test_flat_places_are_told_by_the_dose():
    truth = peaks(step=32)
    flat = (32, 32)
    quiet, loud = (weigh(truth + noise(s), truth, sight(s)).complete for s in (1.0, 300.0))
    assert quiet[flat] > 3
    assert abs(loud[flat]) < 0.2
    assert weigh(truth, truth, sight(1.0)).share[flat] < 0.1 < 0.5


def test_noise_that_was_copied_is_no_evidence():
    """Stein: what a method takes from the noise covaries with it as much as it passes on."""
    measured = noise(1.0)
    copied = sight(1.0, probe=Probe(noise(1.0, seed=1), 0.5 * noise(1.0, seed=1)))
    told = weigh(measured, 0.5 * measured, copied)
    fooled = weigh(measured, 0.5 * measured, sight(1.0))
    assert np.median(fooled.structure) > 3
    assert np.median(told.structure) < 0.2


def test_correlated_noise_weakens_the_evidence():
    truth = peaks()
    low = np.exp(-200 * np.add.outer(np.fft.fftfreq(64) ** 2, np.fft.fftfreq(64) ** 2))
    variance = np.full(truth.shape, 900.0)
    white = weigh(truth, truth, Sight(3.0, variance, WHITE))
    red = weigh(truth, truth, Sight(3.0, variance, low / low.mean()))
    assert red.complete[64, 64] < 0.5 * white.complete[64, 64]
    assert red.structure[56, 56] < white.structure[56, 56]
