import math

import numpy as np
import pytest
from scipy.integrate import quad

from crewe.degradation import fast_scan
from crewe.errors import PlanError

READOUT = fast_scan.ReadoutResponse(decay_px=2.0, period_px=9.0, phase_deg=70)
RNG = np.random.default_rng(0)


def point(row=2, column=10, shape=(5, 90)):
    image = np.zeros(shape)
    image[row, column] = 1
    return image


@pytest.mark.parametrize("alpha", [0.3, 1.0, 6.0])
def test_detector_trails_as_half_a_lorentzian(alpha):
    parameters = fast_scan.DetectorResponse(alpha)
    row = fast_scan.detector_response(point(), parameters, RNG)[2]
    assert not row[:10].any()
    age = np.arange(4)
    expected = alpha / (4 * np.pi**2 * age**2 + alpha**2)
    assert np.allclose(row[10:14] / row[10], expected / expected[0], atol=1e-3)


def test_readout_trails_as_a_damped_oscillation():
    row = fast_scan.readout_response(point(), READOUT, RNG)[2]
    assert not row[:10].any()
    age = np.arange(10)
    phase = 2 * np.pi * age / 9 + math.radians(70)
    expected = np.exp(-age / 2) * np.sin(phase)
    assert np.allclose(row[10:20] / row[10], expected / expected[0], atol=1e-4)
    assert row.min() < 0


def test_responses_add_up_to_one_and_keep_the_dose():
    kernels = [
        fast_scan.readout_kernel(READOUT),
        *(fast_scan.detector_kernel(fast_scan.DetectorResponse(a)) for a in (1e-3, 1, 30)),
    ]
    for kernel in kernels:
        assert kernel.sum() == pytest.approx(1, abs=1e-6)
    image = np.zeros((6, 300))
    image[:, 100] = 7
    assert np.allclose(fast_scan.readout_response(image, READOUT, RNG).sum(axis=1), 7, rtol=1e-5)


def test_only_the_line_itself_is_touched_and_a_flat_image_stays():
    trailed = fast_scan.detector_response(point(), fast_scan.DetectorResponse(5), RNG)
    assert not np.delete(trailed, 2, axis=0).any()
    flat = fast_scan.readout_response(np.full((4, 40), 3.0), READOUT, RNG)
    assert np.allclose(flat, 3, rtol=1e-5)


def test_convolution_against_a_naive_loop():
    image = np.random.default_rng(1).normal(size=(3, 40)).astype(np.float32)
    kernel = fast_scan.readout_kernel(READOUT)
    naive = np.zeros_like(image)
    for j in range(40):
        for age, weight in enumerate(kernel):
            naive[:, j] += weight * image[:, max(j - age, 0)]
    assert np.allclose(fast_scan.trail(image, kernel), naive, atol=1e-5)


def eq_50(response, turns):
    """The integral over all ages in the form of eq. 50, which is right for 2 turns, not for 4."""
    beta, gamma, theta = response.decay_px, response.period_px, math.radians(response.phase_deg)
    sines = gamma * math.sin(theta) + turns * math.pi * beta * math.cos(theta)
    return beta * gamma * sines / (gamma**2 + (turns * math.pi * beta) ** 2)


@pytest.mark.parametrize("turns", [2, 4])
def test_the_integrals_that_the_paper_should_have_printed(turns):
    def oscillation(x):
        phase = turns * math.pi * x / READOUT.period_px + math.radians(READOUT.phase_deg)
        return math.exp(-x / READOUT.decay_px) * math.sin(phase)

    assert eq_50(READOUT, turns) == pytest.approx(quad(oscillation, 0, 80, limit=300)[0])
    lorentzian = quad(lambda x: 2.5 / (4 * math.pi**2 * x**2 + 2.5**2), 0, math.inf)[0]
    assert lorentzian == pytest.approx(1 / 4)


@pytest.mark.parametrize("phase_deg", [40, 90, 120])
def test_the_readout_is_scaled_by_one_over_its_integral(phase_deg):
    """A sum over pixels is the integral, half the first term and a twelfth of the fall there."""
    slow = fast_scan.ReadoutResponse(decay_px=7.0, period_px=80.0, phase_deg=phase_deg)
    theta = math.radians(phase_deg)
    fall = math.sin(theta) / 7 - 2 * math.pi / 80 * math.cos(theta)
    whole = eq_50(slow, 2) + math.sin(theta) / 2 + fall / 12
    first = fast_scan.readout_kernel(slow)[0]
    assert first == pytest.approx(math.sin(theta) / whole, rel=2e-3)
    assert first != pytest.approx(math.sin(theta) / eq_50(slow, 4), rel=0.02)


def test_a_response_that_cancels_itself_is_refused():
    with pytest.raises(PlanError, match="cancels itself"):
        fast_scan.ReadoutResponse(decay_px=5, period_px=8, phase_deg=170)
