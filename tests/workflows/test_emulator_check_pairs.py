from dataclasses import replace

import pytest
from emulator_data import CONVOLUTION, DETECTOR, OPTICS, pair, pairs

from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.pairs import write_pairs
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.workflows.emulator_check import check_input
from crewe.workflows.emulator_check_pairs import PairsCheck


@pytest.fixture(scope="module")
def emulator():
    return fit_emulator(pairs(4), EmulatorPlan(size=3, register=False), convolution=CONVOLUTION)


def found(emulator, folder, change, atoms=True):
    about = {"convolution": replace(CONVOLUTION, **change).to_dict()}
    path = write_pairs(folder / "pairs.npz", [pair("00", 31, atoms=atoms)], about)
    return PairsCheck(emulator, path)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"optics": replace(OPTICS, beam_energy_kev=300.0)}, "beam_energy_kev is 300"),
        ({"optics": replace(OPTICS, defocus_angstrom=50.0)}, "defocus_angstrom is 50"),
        ({"detector": replace(DETECTOR, inner_mrad=60.0)}, "the detector is 60–150 mrad"),
        ({"pixel_size_angstrom": 0.1}, "pixels are 0.1 Å"),
    ],
)
def test_what_pairs_say_of_their_microscope_is_compared(emulator, tmp_path, change, word):
    (reason,) = found(emulator, tmp_path, change).reasons
    assert reason.startswith(word)


@pytest.mark.parametrize(
    "change", [{"probe_sigma_angstrom": 0.5}, {"exponent": 2.0}, {"scale": 1.3}]
)
def test_images_of_another_recipe_are_made_anew_or_speak_against_the_pairs(
    emulator, tmp_path, change
):
    with_atoms = found(emulator, tmp_path, change)
    assert with_atoms.reasons == []
    assert (with_atoms.pairs[0].linear == pair("00", 31).linear).all()
    assert "made anew" in with_atoms.remarks[0]
    (tmp_path / "pairs.npz").unlink()
    without = found(emulator, tmp_path, change, atoms=False)
    assert len(without.reasons) == 1
    assert "hold no atoms" in without.remarks[0]


def test_the_same_recipe_leaves_nothing_to_say(emulator, tmp_path):
    same = found(emulator, tmp_path, {})
    assert same.reasons == same.remarks == []


def test_pairs_thicker_than_training_say_so_by_name(emulator, tmp_path):
    one = pair("07", 31)
    thick = replace(one, positions=one.positions * [1, 1, 3])
    write_pairs(tmp_path / "thick.npz", [thick], {"convolution": CONVOLUTION.to_dict()})
    verdict = check_input(emulator, tmp_path / "thick.npz")
    assert verdict.reasons == ("pair 07: it is 24 Å thick, the thickest in training 8 Å",)


def test_unknown_elements_are_told_once(emulator, tmp_path):
    unknown = replace(emulator, about={})
    write_pairs(tmp_path / "pairs.npz", pairs(3), {"convolution": CONVOLUTION.to_dict()})
    verdict = check_input(unknown, tmp_path / "pairs.npz")
    assert len(verdict.reasons) == 1
    assert "which elements" in verdict.reasons[0]
    assert "thickness is not compared" in verdict.remarks[0]


def test_a_given_microscope_is_compared_with_pairs(emulator, tmp_path):
    write_pairs(tmp_path / "pairs.npz", pairs(1), {})
    other = replace(OPTICS, beam_energy_kev=300.0)
    ring = replace(DETECTOR, inner_mrad=60.0)
    verdict = check_input(
        emulator, tmp_path / "pairs.npz", optics=other, detector=ring, pixel_size_angstrom=0.1
    )
    assert [reason.split(" ")[0] for reason in verdict.reasons] == [
        "beam_energy_kev",
        "the",
        "pixels",
    ]
    assert "taken for the emulator's own" in verdict.remarks[0]
