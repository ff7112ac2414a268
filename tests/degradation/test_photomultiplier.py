import math

import numpy as np
import pytest

from crewe.degradation.photomultiplier import Photomultiplier, photomultiplier, pulse_spread

TYPICAL = Photomultiplier(collected_photons=100, quantum_efficiency=0.25, secondary_gain=4)


def test_spread_of_one_pulse_against_the_cascade():
    # Photons (Poisson), photoelectrons (binomial) and dynodes (each Poisson), one electron each.
    rng = np.random.default_rng(0)
    charge = rng.binomial(rng.poisson(100, 200_000), 0.25)
    for _ in range(8):
        charge = rng.poisson(4 * charge)
    assert charge.std() / charge.mean() == pytest.approx(pulse_spread(TYPICAL), rel=0.01)


@pytest.mark.parametrize("electrons", [0.7, 6.0, 200.0])
def test_mean_and_variance(electrons):
    image = np.full((400, 400), electrons)
    signal = photomultiplier(image, TYPICAL, np.random.default_rng(1))
    assert signal.mean() == pytest.approx(electrons, rel=0.01)
    expected = electrons * (1 + pulse_spread(TYPICAL) ** 2)
    assert signal.var() == pytest.approx(expected, rel=0.02)


def test_low_doses_show_evenly_spaced_peaks():
    sharp = Photomultiplier(400, 0.5, 20)
    signal = photomultiplier(np.full((700, 700), 1.5), sharp, np.random.default_rng(2))
    histogram, edges = np.histogram(signal, np.arange(-0.5, 4.5, 0.05))
    centres = (edges[1:] + edges[:-1]) / 2
    for count in range(1, 4):
        near = np.abs(centres - count) < 0.5
        assert centres[near][np.argmax(histogram[near])] == pytest.approx(count, abs=0.06)
        valley = histogram[np.argmin(np.abs(centres - count - 0.5))]
        assert valley < 0.2 * histogram[near].max()


def test_the_spread_belongs_to_the_counted_number():
    sharp = Photomultiplier(400, 0.5, 20)
    signal = photomultiplier(np.full((700, 700), 2.0), sharp, np.random.default_rng(3))
    for count in (1, 4):
        part = signal[np.abs(signal - count) < 0.5]
        assert part.std() == pytest.approx(pulse_spread(sharp) * math.sqrt(count), rel=0.03)


def test_an_empty_pixel_stays_empty():
    dark = photomultiplier(np.zeros((50, 50)), TYPICAL, np.random.default_rng(4))
    assert not dark.any()
