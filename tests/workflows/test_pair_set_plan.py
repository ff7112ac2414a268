from pathlib import Path

import pytest

from crewe.errors import PlanError
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.workflows.pair_set_plan import load_pair_set_plan, pair_set_plan

SHIPPED = Path(__file__).parents[2] / "examples" / "emulator" / "pt561.yaml"
SMALL = {
    "optics": {"beam_energy_kev": 200, "semi_angle_mrad": 5},
    "detector": [12, 30],
    "pixel_size_angstrom": 0.5,
    "multislice": {"configurations": 2, "vibration_angstrom": 0.1},
    "seed": 4,
    "particles": {"counts": {"Pt": 13}, "number": 2},
}


def changed(part, **settings):
    given = SMALL[part]
    return {**SMALL, part: {**given, **settings}}


def test_the_shipped_plan_is_the_papers():
    plan = load_pair_set_plan(SHIPPED)
    assert plan.optics.beam_energy_kev == 200
    assert plan.particles.counts == {78: 561}
    assert plan.particles.disorders == (0, 1 / 3, 2 / 3, 1)
    assert plan.multislice.settings() == MultisliceSettings(2.0, 0.064, 1, window_angstrom=8.0)
    coarse = pair_set_plan(changed("multislice", fidelity="coarse"))
    assert coarse.multislice.settings().fidelity == "coarse"
    assert plan.convolution.probe_sigma_angstrom == 0.38


def test_each_disorder_comes_with_each_zone_axis():
    axes = [[1, 1, 0], "random"]
    settings = {"number": 6, "disorders": [0, "1 / 2", 1], "zone_axes": axes}
    particles = pair_set_plan(changed("particles", **settings)).particles
    drawn = [(particles.disorder(n), particles.zone_axis(n)) for n in range(6)]
    assert drawn == [(d, axis) for d in (0, 0.5, 1) for axis in ((1, 1, 0), None)]
    assert particles.disorder(6) == 0


def test_one_image_does_not_depend_on_how_many_there_are():
    more = changed("multislice", configurations=9)
    assert pair_set_plan(more).of_one_configuration() == pair_set_plan(SMALL).of_one_configuration()
    moved = changed("multislice", vibration_angstrom=0.2)
    assert (
        pair_set_plan(moved).of_one_configuration() != pair_set_plan(SMALL).of_one_configuration()
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({**SMALL, "sed": 1}, "unknown key 'sed'; did you mean 'seed'"),
        (changed("particles", disorder=[0]), "'disorder'; did you mean 'disorders'"),
        (changed("multislice", slice=1), "'slice'; did you mean 'slice_angstrom'"),
        (changed("optics", energy=1), "optics: unknown key 'energy'"),
        ({**SMALL, "detector": [60, 20]}, "holds nothing"),
        ({**SMALL, "detector": 7}, "a detector is"),
        ({**SMALL, "optics": 200}, "optics are keys"),
        (changed("particles", disorders=["1/0"]), "a fraction such as 1/3"),
        (changed("particles", disorders=[1.5]), "less than or equal to 1"),
        (changed("particles", disorders=[]), "at least 1 item"),
        (changed("particles", counts={"Qq": 13}), "a chemical symbol such as Pt"),
        (changed("particles", counts={"Pt": 0}), "greater than or equal to 1"),
        (changed("particles", counts={}), "at least 1 item"),
        (changed("particles", counts={"Pt": True}), "a number of atoms"),
        (changed("multislice", window_angstrom=1.0), "greater than or equal to"),
        (changed("particles", zone_axes=[[0, 0, 0]]), "no direction"),
        (changed("particles", zone_axes=["up"]), "zone_axes"),
        (changed("multislice", configurations=0), "greater than 0"),
        (changed("multislice", fidelity="best"), "'fine' or 'coarse'"),
        ({key: SMALL[key] for key in SMALL if key != "seed"}, "seed"),
    ],
)
def test_mistakes_are_named(settings, words):
    with pytest.raises(PlanError, match=words):
        pair_set_plan(settings)


def test_files_that_are_no_plan_are_told(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("seed: [")
    with pytest.raises(PlanError, match="not valid YAML"):
        load_pair_set_plan(path)
    path.write_text("7")
    with pytest.raises(PlanError, match="holds no keys: expected keys such as optics"):
        load_pair_set_plan(path)
