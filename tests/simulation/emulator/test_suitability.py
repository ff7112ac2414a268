from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from emulator_data import CONVOLUTION, DETECTOR, OPTICS, pairs, particle

from crewe.errors import CalibrationError, SpecimenError
from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.suitability import suitability, training_facts


@pytest.fixture(scope="module")
def emulator():
    trained = pairs(6)
    plan = EmulatorPlan(size=3, degree=1, register=False)
    facts = training_facts(trained)
    return fit_emulator(trained, plan, convolution=CONVOLUTION, about=facts)


def test_the_facts_are_the_largest_of_all_pairs():
    trained = pairs(3)
    facts = training_facts(trained)
    assert facts["elements"] == [78]
    assert facts["thickness_angstrom"] == pytest.approx(8.0)
    assert facts["largest_linear"] == max(float(one.linear.max()) for one in trained)


def test_pairs_without_atoms_tell_the_brightest_pixel_only():
    trained = [*pairs(2), *pairs(1, atoms=False)]
    assert set(training_facts(trained)) == {"largest_linear"}


def test_a_particle_like_those_in_training_is_inside(emulator):
    report = suitability(emulator, particle(99), OPTICS, DETECTOR, 0.2)
    assert report.inside
    assert report.reasons == ()
    assert report.share_outside < 0.01


def test_another_element_is_told_by_name(emulator):
    mixed = particle(99)
    mixed.numbers[:2] = 79
    report = suitability(emulator, mixed)
    assert not report.inside
    assert "Au is no element of its training, which held Pt" in report.reasons


def test_a_thicker_specimen_is_told_with_both_lengths(emulator):
    (reason,) = suitability(emulator, particle(99, thickness=20.0)).reasons
    assert reason == "it is 20 Å thick, the thickest in training 8 Å"


def test_ten_per_cent_more_are_let_pass(emulator):
    assert suitability(emulator, particle(99, thickness=8.7)).inside


def test_columns_of_more_atoms_than_in_training_are_outside(emulator):
    dense = particle(99, number=60)
    dense.positions[:, :2] = 4.5 + 0.3 * (dense.positions[:, :2] - 4.5)
    report = suitability(emulator, dense)
    assert not report.inside
    assert any("times as bright" in reason for reason in report.reasons)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"beam_energy_kev": 300.0}, "beam_energy_kev is 300, it was made for 200"),
        ({"semi_angle_mrad": 20.0}, "semi_angle_mrad is 20, it was made for 24.5"),
        ({"defocus_angstrom": 50.0}, "defocus_angstrom is 50, it was made for 0"),
    ],
)
def test_another_lens_is_told_by_what_differs(emulator, change, word):
    assert suitability(emulator, particle(99), replace(OPTICS, **change)).reasons == (word,)


def test_another_detector_and_other_pixels_are_told(emulator):
    other = replace(DETECTOR, inner_mrad=60.0)
    reasons = suitability(emulator, particle(99), OPTICS, other, 0.1).reasons
    assert reasons == (
        "the detector is 60–150 mrad, it was made for 50–150 mrad",
        "pixels are 0.1 Å, it was made for 0.2 Å",
    )


def test_what_nobody_said_cannot_be_vouched_for(emulator):
    bare = replace(emulator, convolution=replace(CONVOLUTION, optics=None, detector=None))
    # Without optics the convolution image is in other units, and so outside as well.
    reasons = suitability(bare, particle(99), OPTICS, DETECTOR).reasons
    assert reasons[:2] == (
        "it does not say for which lens it was made",
        "it does not say for which detector it was made",
    )


@pytest.mark.parametrize("symbol", ["C", "Al", "Cu", "Au", "W", "Pt"])
def test_an_emulator_of_unknown_elements_vouches_for_none(emulator, symbol):
    unknown = replace(emulator, about={**emulator.about, "elements": []})
    report = suitability(unknown, particle(99, symbol=symbol))
    assert not report.inside
    assert any("does not say which elements" in reason for reason in report.reasons)


def test_a_thickness_that_cannot_be_compared_is_a_remark(emulator):
    thick = particle(99, thickness=20.0)
    untold = {name: emulator.about[name] for name in ("elements", "largest_linear")}
    report = suitability(replace(emulator, about=untold), thick)
    assert report.inside
    assert report.remarks == (
        "thickness is not compared: it does not say how thick its training specimens were",
    )
    assert suitability(emulator, thick).remarks == ()


def test_a_fit_knows_elements_only_where_every_pair_does():
    plan = EmulatorPlan(size=1, degree=1, register=False)
    some = [*pairs(2), replace(pairs(1, atoms=False)[0], name="99")]
    assert fit_emulator(pairs(2), plan).about["elements"] == [78]
    assert fit_emulator(pairs(2), plan).about["thickness_angstrom"] == pytest.approx(8.0)
    assert "elements" not in fit_emulator(some, plan).about


def test_without_a_convolution_atoms_are_refused(emulator):
    with pytest.raises(CalibrationError, match="how its convolution images were made"):
        suitability(replace(emulator, convolution=None), particle(99))


def test_specimens_that_are_none_are_refused(emulator):
    with pytest.raises(SpecimenError, match="holds no atoms"):
        suitability(emulator, Atoms())
    lost = particle(99)
    lost.positions[3, 0] = np.nan
    with pytest.raises(SpecimenError, match="NaN"):
        suitability(emulator, lost)


def test_a_crystal_that_repeats_has_no_edge():
    """Tiles of one crystal, and many of them, are the same to an emulator of wide features."""
    cell = particle(0, number=4, thickness=0.0)
    cell.positions[:] = [[0, 0, 0], [2, 2, 0], [0, 0, 4], [2, 2, 4]]
    cell.set_cell([4.0, 4.0, 8.0])
    cell.pbc = True
    plan = EmulatorPlan(features="smoothed", kinds=("intensity", "smooth 3"), register=False)
    wide = cell.repeat((8, 8, 1))
    image = CONVOLUTION.image(wide.numbers, wide.positions, (160, 160))[40:120, 40:120]
    learned = [Pair("0", image, image), Pair("1", image[::-1], image[::-1])]
    fitted = fit_emulator(learned, plan, convolution=CONVOLUTION)
    share = suitability(fitted, cell).share_outside
    assert share == suitability(fitted, cell.repeat((3, 3, 1))).share_outside
    assert share < 0.05
