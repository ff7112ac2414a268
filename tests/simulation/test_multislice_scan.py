import numpy as np
import pytest

from crewe.errors import SpecimenError
from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice_scan import (
    ScanAxis,
    interpolate,
    interpolation_matrix,
    nyquist_step_angstrom,
    open_axis,
    periodic_axis,
    scan_axes,
)

LENS = Optics(300, 21.1, source_fwhm_angstrom=0.7)


@pytest.mark.parametrize("count", [7, 8])
def test_waves_below_nyquist_are_interpolated_exactly(count):
    axis = ScanAxis(0.3, 0.5, count, True)
    period = 0.5 * count

    def wave(x):
        return 1 + np.cos(2 * np.pi * x / period) + np.sin(2 * np.pi * 3 * x / period)

    places = np.linspace(-4, 9, 57)
    found = interpolation_matrix(places, axis, 0.0) @ wave(axis.places)
    assert found == pytest.approx(wave(places), abs=1e-12)


@pytest.mark.parametrize("periodic", [True, False])
def test_samples_are_kept_and_constants_stay(periodic):
    axis = ScanAxis(-1.0, 0.25, 12, periodic)
    samples = np.random.default_rng(1).random(12)
    assert interpolation_matrix(axis.places, axis, 0.0) @ samples == pytest.approx(samples)
    weights = interpolation_matrix(np.linspace(-1, 1.7, 20), axis, 0.3).sum(axis=1)
    assert weights == pytest.approx(np.ones(20))


def test_the_blur_is_a_gaussian():
    axis = ScanAxis(0.0, 0.2, 101, True)
    peak = np.exp(-((axis.places - 10) ** 2) / (2 * 0.5**2))
    places = np.linspace(5, 15, 41)
    found = interpolation_matrix(places, axis, 1.2) @ peak
    expected = 0.5 / 1.3 * np.exp(-((places - 10) ** 2) / (2 * 1.3**2))
    assert found == pytest.approx(expected, abs=1e-6)


def test_an_open_field_is_as_good_as_a_periodic_one_within_the_field():
    axis = open_axis(64, 0.15, LENS)
    limit = 2 * LENS.cutoff
    places = 0.15 * np.arange(64)

    def image(x):
        # What a probe lets through fades towards twice its cutoff.
        return 2 + np.cos(2 * np.pi * 0.5 * limit * x + 0.4) + np.sin(2 * np.pi * 0.2 * limit * x)

    found = interpolation_matrix(places, axis, 0.0) @ image(axis.places)
    error = np.abs(found - image(places))
    assert error.max() < 0.04
    assert error[10:-10].max() < 0.02


def test_places_reach_beyond_an_open_field_and_cover_one_period():
    step = nyquist_step_angstrom(LENS)
    assert step == pytest.approx(0.01968748 / (4 * 0.0211), rel=1e-5)
    axis = open_axis(100, 0.2, LENS)
    assert axis.places[0] < -2 * step
    assert axis.places[-1] > 19.8 + 2 * step
    around = periodic_axis(3.92, LENS)
    assert around.count % 2 == 1
    assert around.count * around.step == pytest.approx(3.92)
    assert around.step <= step


def test_axes_are_y_then_x_and_stacks_pass_through():
    field = Field((0.0, 0.0), (20, 30), True)
    y, x = scan_axes((8.0, 4.0), field, 0.1, LENS, (2, 4))
    assert (x.count * x.step, y.count * y.step) == pytest.approx((4.0, 1.0))
    samples = np.ones((2, 3, y.count, x.count))
    found = interpolate(samples, (y, x), (np.arange(5.0), np.arange(6.0)), 0.2)
    assert found.shape == (2, 3, 5, 6)
    assert found == pytest.approx(np.ones((2, 3, 5, 6)))


def test_repeats_must_fit_the_field():
    with pytest.raises(SpecimenError, match="does not repeat"):
        scan_axes((8, 8), Field((0.0, 0.0), (9, 9), False), 0.1, LENS, (2, 2))
    with pytest.raises(SpecimenError, match="1 or more"):
        scan_axes((8, 8), Field((0.0, 0.0), (9, 9), True), 0.1, LENS, (0, 1))
