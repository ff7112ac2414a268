import pytest

from crewe.errors import CalibrationError
from crewe.physics.optics import Optics
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.simulation.multislice_settings import KEPT, MultisliceSettings

LENS = Optics(200, 24.5)
RINGS = [AnnularDetector(0, 24), AnnularDetector(50, 150)]


def reached_mrad(step):
    return KEPT * LENS.wavelength / (2 * step) * 1e3


def test_the_grid_reaches_from_one_edge_of_the_aperture_to_the_other_of_the_detector():
    assert MultisliceSettings().fine
    step = MultisliceSettings().potential_step(LENS, RINGS)
    assert reached_mrad(step) == pytest.approx(174.5 / 0.985)
    coarse = MultisliceSettings(fidelity="coarse").potential_step(LENS, RINGS)
    assert reached_mrad(coarse) == pytest.approx(150 / 0.985)


def test_a_step_that_was_asked_for_is_kept_unless_it_misses_the_detector():
    assert MultisliceSettings(potential_step_angstrom=0.03).potential_step(LENS, RINGS) == 0.03
    with pytest.raises(CalibrationError, match=r"to 150 mrad: use at most 0\.0549"):
        MultisliceSettings(potential_step_angstrom=0.06).potential_step(LENS, RINGS)


def test_words_that_are_none_are_refused():
    with pytest.raises(CalibrationError, match="fidelity='best': choose one of fine, coarse"):
        MultisliceSettings(fidelity="best")
    with pytest.raises(CalibrationError, match="device='tpu': choose one of auto, cpu, gpu"):
        MultisliceSettings(device="tpu")
