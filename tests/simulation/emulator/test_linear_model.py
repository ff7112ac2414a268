from dataclasses import replace

import numpy as np
import pytest

from crewe.errors import CalibrationError
from crewe.physics.optics import Optics
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.linear_model import fit_linear_model
from crewe.simulation.emulator.pairs import Pair

ASSUMED = Convolution(0.2, 0.38, 1.7)
SHAPE = (44, 48)


def pairs(truth, elements=(78, 42), count=5, noise=0.002, atoms=True):
    """Multislice images that are bent convolution images of a truth, given as assumed."""
    rng = np.random.default_rng(0)
    result = []
    for n in range(count):
        numbers = rng.choice(elements, 25)
        places = rng.uniform(0.2, 0.8, (25, 3)) * [0.2 * SHAPE[1], 0.2 * SHAPE[0], 20]
        image = truth.image(numbers, places, SHAPE).astype(np.float64)
        image /= 3000
        target = image - 0.1 * image**2 + noise * rng.normal(size=SHAPE)
        linear = ASSUMED.image(numbers, places, SHAPE)
        who = (numbers, places) if atoms else (None, None)
        result.append(Pair(f"{n}", linear, target.astype(np.float32), *who))
    return result


def test_exponent_and_probe_are_found_again():
    truth = Convolution(0.2, 0.46, 1.5)
    every = pairs(truth)
    found = fit_linear_model(every, ASSUMED)
    assert found.exponent == pytest.approx(1.5, abs=0.02)
    assert found.width == pytest.approx(0.46, abs=0.005)
    assert found.width_of == "probe"
    assert 0 < found.exponent_error < 0.03
    assert 0 < found.width_error < 0.005
    assert found.convolution == replace(
        ASSUMED, exponent=found.exponent, probe_sigma_angstrom=found.width
    )
    # All that is left is the noise.
    floor = 0.002**2 / np.var([pair.multislice for pair in every], dtype=np.float64)
    assert found.one_minus_r2 == pytest.approx(floor, rel=0.1)
    assert found.one_minus_r2_before > 2 * floor
    assert found.one_minus_r2 == pytest.approx(found.curve["one_minus_r2"].min(), rel=0.05)
    assert found.remarks == ()


def test_one_element_has_no_exponent():
    found = fit_linear_model(pairs(Convolution(0.2, 0.46, 1.5), (78,)), ASSUMED)
    assert found.exponent is None
    assert found.exponent_error is None
    assert found.width == pytest.approx(0.46, abs=0.005)
    assert found.convolution.exponent == 1.7
    assert "one element (Z = 78)" in found.remarks[0]
    assert list(found.curve.columns) == ["width", "one_minus_r2"]


def test_the_vibration_beside_the_probe_of_the_optics():
    optics = Optics(200.0, 24.5, c3_mm=0.0012, source_fwhm_angstrom=0.88)
    still = Convolution(0.2, None, 1.7, optics=optics)
    truth = replace(still, vibration_angstrom=0.2)
    found = fit_linear_model(pairs(truth, (78,), count=3), still)
    assert found.width_of == "vibration"
    assert found.width == pytest.approx(0.2, abs=0.02)
    assert found.convolution.probe_sigma_angstrom is None
    assert found.convolution.vibration_angstrom == found.width


@pytest.mark.parametrize("way", ["no atoms", "no recipe"])
def test_images_alone_can_only_be_blurred(way):
    blurred = pairs(Convolution(0.2, np.hypot(0.38, 0.3), 1.7), atoms=way == "no recipe")
    found = fit_linear_model(blurred, None if way == "no recipe" else ASSUMED)
    assert found.width_of == "blur"
    assert found.width == pytest.approx(0.3 / 0.2, abs=0.05)
    assert found.exponent is found.convolution is None
    assert "only be blurred further" in found.remarks[0]


def test_an_optimum_beyond_what_is_tried_is_said():
    sharper = pairs(Convolution(0.2, 0.3, 1.7), noise=0.0, atoms=False)
    found = fit_linear_model(sharper)
    assert found.width == pytest.approx(0.0, abs=0.3)
    assert np.isnan(found.width_error)
    assert "edge of what was tried" in found.remarks[-1]


def test_two_pairs_are_too_few():
    with pytest.raises(CalibrationError, match="three or more"):
        fit_linear_model(pairs(ASSUMED, count=2), ASSUMED)
