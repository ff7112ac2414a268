import numpy as np
import pytest

from crewe.errors import CreweError
from crewe.physics.optics import Optics
from crewe.simulation import multislice_abtem as door
from crewe.simulation.multislice_detectors import AnnularDetector

abtem = pytest.importorskip("abtem")

LENS = Optics(200, 20.0, 40.0)
EXTENT, POINTS = (8.0, 9.0), (100, 120)


def probes(places=((3.0, 4.0), (5.0, 2.5))):
    with door.quiet_and_repeatable() as lent:
        lens = door.lens_of(lent, LENS, EXTENT, POINTS, "cpu")
        return door.probes_at(lens, lent, np.array(places))


def test_a_gpu_that_is_not_there_is_not_used():
    try:
        import cupy

        there = cupy.cuda.runtime.getDeviceCount() > 0
    except Exception:
        there = False
    assert door.chosen_device("cpu") == "cpu"
    assert door.chosen_device("auto") == ("gpu" if there else "cpu")
    if not there:
        with pytest.raises(CreweError, match="needs a CUDA device and CuPy"):
            door.chosen_device("gpu")


def test_a_probe_and_its_pattern_hold_the_whole_beam():
    waves = probes()
    assert waves.shape == (2, *POINTS)
    assert np.sum(np.abs(waves) ** 2, axis=(1, 2)) == pytest.approx([1, 1], rel=1e-5)
    patterns = door.pattern_of(waves)
    assert patterns.sum(axis=(1, 2)) == pytest.approx([1, 1], rel=1e-5)
    top = np.unravel_index(np.abs(probes()[0]).argmax(), POINTS)
    assert np.array(top) * 8.0 / 100 == pytest.approx([3.0, 4.0], abs=0.25)


def test_vacuum_is_defocus():
    transmission = np.ones((3, *POINTS), np.complex64)
    with door.quiet_and_repeatable() as lent:
        found = [
            wave.copy()
            for wave in door.exits(lent, probes(), transmission, 200, 5.0, EXTENT, [0, 2], "cpu")
        ]
        nearer = Optics(200, 20.0, 40.0 - 15.0)
        expected = door.probes_at(
            door.lens_of(lent, nearer, EXTENT, POINTS, "cpu"), lent, np.array([[3.0, 4.0]])
        )
    assert len(found) == 2
    overlap = np.abs(np.vdot(expected[0], found[1][0]))
    assert overlap == pytest.approx(1, abs=1e-4)
    assert np.abs(np.vdot(expected[0], found[0][0])) < 0.999


def test_rings_hear_their_part_of_the_beam():
    waves = probes()
    rings = [AnnularDetector(0, 10), AnnularDetector(10, 60)]
    found = door.ring_signals(waves, rings, EXTENT, LENS.wavelength)
    assert found.shape == (2, 2)
    assert found.sum(axis=0) == pytest.approx([1, 1], rel=1e-5)
    # A quarter, but for the rim of an aperture of few pixels, whose amplitude falls linearly.
    assert found[0] == pytest.approx([0.25, 0.25], rel=0.07)


def test_numbers_repeat_whatever_was_planned_before():
    with abtem.config.set({"fftw.planning_effort": "FFTW_MEASURE"}):
        abtem.Probe(energy=2e5, semiangle_cutoff=20, extent=EXTENT, gpts=POINTS).build(lazy=False)
    first = probes()
    assert np.array_equal(first, probes())
