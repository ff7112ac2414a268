import itertools

import numpy as np
import pytest

from crewe.errors import CalibrationError
from crewe.physics.optics import Optics
from crewe.simulation.multislice_detectors import (
    AnnularDetector,
    covered,
    ring_weights,
    usual_detector,
)

WAVELENGTH = 0.02508


def test_covered_parts_sum_to_the_area_of_the_disk_for_any_pixel():
    for length in (6.0, 7.3, 8.1, 12.4):
        steps = [WAVELENGTH / length * 1e3, WAVELENGTH / 7.0 * 1e3]
        axes = [np.fft.fftfreq(180, 1 / 180) * step for step in steps]
        for radius in (24.5, 50.0, 150.0):
            found = covered(radius, axes, steps).sum() * np.prod(steps)
            assert found == pytest.approx(np.pi * radius**2, rel=1e-3)


def test_parts_are_those_of_many_random_points():
    steps, rng = [3.0, 4.0], np.random.default_rng(2)
    axes = [np.fft.fftfreq(12, 1 / 12) * step for step in steps]
    found = covered(10.0, axes, steps)
    for i, j in ((0, 0), (3, 0), (2, 2), (3, 1), (-3, 1), (5, 5)):
        points = (rng.random((20000, 2)) - 0.5) * steps + (axes[0][i], axes[1][j])
        assert found[i, j] == pytest.approx((np.hypot(*points.T) < 10).mean(), abs=0.02)
    assert covered(0.0, axes, steps).max() == 0


def test_rings_that_share_all_angles_share_every_pixel():
    edges = [0, 11.3, 50, 77.7, 2000 / 3]
    rings = tuple(AnnularDetector(a, b) for a, b in itertools.pairwise(edges))
    weights = ring_weights(rings, (60, 64), (8.0, 7.0), WAVELENGTH)
    assert weights.shape == (4, 60, 64)
    assert weights.sum(axis=0) == pytest.approx(np.ones((60, 64)), abs=1e-6)
    assert weights.min() >= 0


def test_usual_detectors_follow_the_aperture():
    optics = Optics(200, 20)
    assert usual_detector("HAADF", optics) == AnnularDetector(60, 160)
    assert usual_detector("abf", optics) == AnnularDetector(10, 20)
    bright, dark = usual_detector("BF", optics), usual_detector("ADF", optics)
    assert (bright.inner_mrad, bright.outer_mrad) == (0, 20)
    assert (dark.inner_mrad, dark.outer_mrad) == (20, 60)
    with pytest.raises(CalibrationError, match="choose one of BF, ABF, ADF, HAADF"):
        usual_detector("SE", optics)
