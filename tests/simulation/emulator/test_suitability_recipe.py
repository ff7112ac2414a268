from dataclasses import replace

import pytest
from emulator_data import CONVOLUTION, OPTICS, pairs

from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.suitability_recipe import lens_reasons, recipe_reasons


@pytest.fixture(scope="module")
def emulator():
    plan = EmulatorPlan(size=1, degree=1, register=False)
    return fit_emulator(pairs(2), plan, convolution=CONVOLUTION)


def test_another_lens_detector_and_pixel_are_told(emulator):
    other = replace(CONVOLUTION, optics=replace(OPTICS, beam_energy_kev=300.0))
    assert lens_reasons(emulator, CONVOLUTION) == []
    assert lens_reasons(emulator, other) == ["beam_energy_kev is 300, it was made for 200"]
    fine = replace(CONVOLUTION, pixel_size_angstrom=0.1)
    assert lens_reasons(emulator, fine) == ["pixels are 0.1 Å, it was made for 0.2 Å"]


def test_an_emulator_of_images_vouches_for_no_recipe(emulator):
    (reason,) = recipe_reasons(replace(emulator, convolution=None), CONVOLUTION)
    assert "does not say how" in reason


@pytest.mark.parametrize("change", ["exponent", "vibration_angstrom", "scale"])
def test_another_recipe_of_the_convolution_image_is_told(emulator, change):
    other = replace(CONVOLUTION, **{change: getattr(CONVOLUTION, change) + 0.5})
    assert recipe_reasons(emulator, CONVOLUTION) == []
    assert [reason.split(" is ")[0] for reason in recipe_reasons(emulator, other)] == [change]


def test_another_probe_and_units_without_a_lens_are_told(emulator):
    wide = replace(CONVOLUTION, probe_sigma_angstrom=0.46)
    (reason,) = recipe_reasons(emulator, wide)
    assert reason == ("the probe is a Gaussian of σ 0.46 Å, it was made for a Gaussian of σ 0.38 Å")
    (reason,) = recipe_reasons(emulator, replace(CONVOLUTION, probe_sigma_angstrom=None))
    assert "that of the lens" in reason
    assert len(recipe_reasons(emulator, replace(CONVOLUTION, optics=None, detector=None))) == 2
    assert lens_reasons(emulator, replace(CONVOLUTION, optics=None, detector=None)) == []
